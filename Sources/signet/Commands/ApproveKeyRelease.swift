import ArgumentParser
import CAService
import CertificateAuthority

/// `signet key approve`
struct ApproveKeyRelease: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Approve that another certificate manager takes an archived key.",
        discussion: """
            Needed where archival.release.approvals is not 0. Whoever takes the key with `signet key get` does not count, \
            nor does whose key it is. An approval counts for archival.release.validity, and for one release.
            """,
        examples: "signet key approve 611e23c200030000000e")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "A search term that fits one key; see `signet key find`.")
    var term: String

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let progress = try await instance.approveRelease(
            ofKeyMatching: self.term, by: instance.localOperator())
        Console.say(
            "Release of the key of \(progress.key.subject) (serial \(progress.key.serialNumber)): "
                + "\(progress.approvers.count) of \(progress.needed) approvals.")
        for approver in progress.approvers { Console.say("  approved by: \(approver)") }
    }
}
