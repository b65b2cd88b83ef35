import ArgumentParser
import CAService
import MessageDescription
import PKIMessages

extension WindowsTool {
    static let messageVerbs: [WindowsVerb] = [
        WindowsVerb("dump", "File", "Display a certificate, request, CRL, PKCS #7 or PKCS #12 in words", 1...1) {
            try await $0.dump()
        }
    ]
}

extension WindowsSession {
    fileprivate func dump() async throws {
        let file = try MessageFile(path: self.values[0])
        let time = self.time
        var style = DescriptionStyle(attributeNote: "Unknown Attribute type") { time.text($0) }
        if self.arguments.has("privatekey"), !file.needsPassword {
            let options = try self.tokenOptions()
            style.findings = try await ShowCommand.findings(
                in: file, recipients: self.arguments["cert"].map { [$0] } ?? [],
                options.isEmpty ? [] : CardOptions.parse(options).configurations(), self.context)
        }
        for line in try file.lines(style: style, password: { try self.password("the password of \(file.path)") }) {
            Console.say(line)
        }
    }
}
