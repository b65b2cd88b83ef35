import ArgumentParser
import DeviceProfiles
import TokenDoctor

/// `signet explain`
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Explain a return value of PKCS #11.",
        discussion: "With --profile, what it means on that kind of device: vendors' codes have names then.")

    @OptionGroup var options: ProfileOptions

    @Option(name: .long, help: "The device profile.")
    var profile: String?

    @Argument(help: "CKR_NAME, 0x31 or 49.")
    var code: String

    func run() throws {
        let profile = try self.profile.map { try self.options.catalog().profile(named: $0) }
        let value = try ReturnValueExplanation.value(of: self.code, profile: profile)
        let explanation = ReturnValueExplanation(value, profile: profile)
        if self.options.json { return try Console.json(explanation) }
        Console.say("\(explanation.name ?? "no name") (\(explanation.number)): \(explanation.meaning)")
        for cause in explanation.causes { Console.say("  cause: \(cause)") }
        Console.say("  code: \(explanation.hresult)")
        if let status = explanation.windowsStatus { Console.say("  as a Windows status: \(status)") }
        for advice in explanation.advice { Console.say("  hint: \(advice)") }
        Console.say("  next: \(explanation.next)")
        if explanation.name == nil, profile == nil {
            Console.say("  next: signet explain --profile NAME \(self.code)")
        }
    }
}
