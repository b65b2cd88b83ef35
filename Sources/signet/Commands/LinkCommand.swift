import ArgumentParser
import CAService
import CertificateAuthority

/// `signet ca link`
struct LinkKeys: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "link",
        abstract: "Issue the certificates that link a root's keys, where they are missing after a renewal.",
        discussion: """
            A renewal with a new key issues them itself; this is for one whose tokens could not. Who trusts only the \
            former root follows CA(0-1).crt to what the new key issues, and who trusts only the new one CA(1-0).crt to \
            what the former key issued.
            """,
        examples: "signet ca link --instance /srv/root")

    @OptionGroup var options: InstanceOptions

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        guard try await LinkKeys.link(instance) else {
            return Console.say("No link certificate is missing.")
        }
    }

    /// - Returns: whether any was missing.
    @discardableResult
    static func link(_ instance: Instance) async throws -> Bool {
        var isAny = false
        try await instance.issueMissingLinks(by: instance.localOperator()) { link in
            isAny = true
            Console.say("Link: \(link.publishedPath)")
        }
        return isAny
    }
}
