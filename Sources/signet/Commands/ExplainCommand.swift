import ArgumentParser
import DeviceProfiles
import Diagnostics
import TokenDoctor

/// `signet explain`
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Explain a return value of PKCS #11, or list the status codes of Windows.",
        discussion: "With --profile, what it means on that kind of device: vendors' codes have names then.",
        examples: """
            signet explain CKR_DEVICE_MEMORY --profile luna-7
            signet explain 0x80094012
            """)

    @OptionGroup var options: ProfileOptions

    @Option(name: .long, help: "The device profile.")
    var profile: String?

    @Flag(name: .long, help: "List every status code (HRESULT) that has a name here.")
    var all = false

    @Flag(name: .long, help: "With --all: as docs/errors.md.")
    var markdown = false

    @Argument(help: "CKR_NAME, 0x31 or 49.")
    var code: String?

    func validate() throws {
        guard self.all == (self.code == nil) else { throw ValidationError("Give a code, or --all.") }
        guard self.all || !self.markdown else { throw ValidationError("--markdown needs --all.") }
    }

    func run() throws {
        guard let code = self.code else { return self.list() }
        let profile = try self.profile.map { try self.options.catalog().profile(named: $0) }
        let value = try ReturnValueExplanation.value(of: code, profile: profile)
        let explanation = ReturnValueExplanation(value, profile: profile)
        if self.options.json { return try Console.json(explanation) }
        Console.say("\(explanation.name ?? "no name") (\(explanation.number)): \(explanation.meaning)")
        for cause in explanation.causes { Console.say("  cause: \(cause)") }
        Console.say("  code: \(explanation.hresult)")
        if let status = explanation.windowsStatus { Console.say("  as a Windows status: \(status)") }
        for advice in explanation.advice { Console.say("  hint: \(advice)") }
        Console.say("  next: \(explanation.next)")
        if explanation.name == nil, profile == nil {
            Console.say("  next: signet explain --profile NAME \(code)")
        }
    }

    private func list() {
        if self.markdown { return print(StatusCodeTable.markdown, terminator: "") }
        Console.table(
            ["Code", "Name", "Text"], StatusCodeTable.codes.map { ["\($0)", $0.name ?? "", $0.text] })
    }
}
