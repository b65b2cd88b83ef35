import ArgumentParser
import CAService
import CertificateAuthority
import Foundation

/// `signet expiring`
struct ExpiringCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "expiring", abstract: "List what expires soon: certificates, CRLs, the CA's own.",
        discussion: "The exit code is for monitoring: 0 for nothing, 1 for warnings, 2 when something is critical.",
        examples: """
            signet expiring --within 30d
            signet expiring --within 12h --json
            """)

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "How far to look ahead, in days (30d) or hours (12h).")
    var within = PeriodArgument(seconds: 30 * 86_400)

    @Option(name: .long, help: "At most that many issued certificates.")
    var limit = 1_000

    @Flag(name: .long, help: "As JSON.")
    var json = false

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let notices = try await instance.expiring(
            within: self.within.seconds, limit: self.limit, for: instance.localOperator())
        if self.json {
            let message = try ExpiryNotice.json(
                notices, instance: instance.configuration.name, generated: instance.surroundings.now())
            Console.say(String(decoding: message.dropLast(), as: UTF8.self))
        } else {
            Console.table(
                ["Level", "Kind", "Expires", "Number", "Name", "Reason"],
                notices.map { notice in
                    [
                        "\(notice.level)", notice.kind.rawValue, notice.expires.map { Output.time($0) } ?? "-",
                        notice.identifier, notice.name, notice.reason,
                    ]
                })
        }
        let level = notices.map(\.level).max() ?? .ok
        if level != .ok { throw ExitCode(Int32(level.rawValue)) }
    }
}

/// `30d` or `12h`.
struct PeriodArgument: ExpressibleByArgument {
    let seconds: TimeInterval

    init(seconds: TimeInterval) {
        self.seconds = seconds
    }

    init?(argument: String) {
        let units: [Character: TimeInterval] = ["d": 86_400, "h": 3_600]
        guard let unit = argument.last.flatMap({ units[$0] }), let number = Int(argument.dropLast()),
            (0...36_500).contains(number)
        else { return nil }
        self.seconds = TimeInterval(number) * unit
    }

    var defaultValueDescription: String { "\(Int(self.seconds / 86_400))d" }
}
