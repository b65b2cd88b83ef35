import ArgumentParser
import CAService
import CertificateAuthority
import DeviceProfiles
import Diagnostics
import Foundation
import TokenDoctor

/// `signet token doctor`
struct DoctorCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Try everything that a CA, an exchange key or a recovery agent needs of a token.",
        discussion: """
            Test keys are session objects where the device has them, and are removed in any case. The result is kept, so \
            that the next run can tell what a new firmware has changed.
            Exit code: 0 when every role asked for is possible, 2 when one is not, 1 when the token could not be examined.
            """,
        examples: """
            signet token doctor --token-file card.yaml --role kra
            signet token doctor --instance /srv/root --write-profile our-hsm.yaml
            """)

    enum Roles: String, ExpressibleByArgument, CaseIterable {
        case ca, exchange, kra, all

        var roles: [DoctorRole] { DoctorRole(rawValue: self.rawValue).map { [$0] } ?? DoctorRole.allCases }
    }

    enum Objects: String, ExpressibleByArgument, CaseIterable {
        case session, token
    }

    private struct Answer: Encodable {
        let isGood: Bool
        let examination: Examination
        let contradictions: [MeasuredValue]
        let changes: [String]?
        let profileFile: String?
    }

    @OptionGroup var options: AnyTokenOptions

    @Option(name: .long, help: "ca, exchange, kra or all.")
    var role: Roles = .all

    @Option(name: .long, help: "Make test keys in the session or on the token; what the device has when left out.")
    var objects: Objects?

    @Flag(
        name: .long,
        help: "Also try RSA-3072 and RSA-4096, and open up to 64 sessions until one is refused: minutes on a card.")
    var thorough = false

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    @Option(name: .long, help: "Write a device profile from what was measured.")
    var writeProfile: String?

    @Option(
        name: .long, help: "Where the result is kept; a file for each token in ~/.local/state/signet when left out.")
    var state: String?

    func run(in context: CommandContext) async throws {
        let (configuration, opener, _) = try await self.options.resolve(in: context, to: .configure)
        if let path = self.writeProfile, FilePaths.exists(path) { throw ServiceError.exists(path, "The file") }
        let diagnosis = try await opener.diagnose(
            configuration, roles: self.role.roles, objects: self.objects.flatMap { .init(rawValue: $0.rawValue) },
            isThorough: self.thorough, when: Date())
        let examination = diagnosis.examination
        let changes = try self.remember(examination)
        if let path = self.writeProfile { try self.write(diagnosis, to: path) }
        let answer = Answer(
            isGood: examination.isGood, examination: examination,
            contradictions: examination.measured.filter(\.contradictsProfile), changes: changes,
            profileFile: self.writeProfile)
        if self.json {
            try Console.json(answer)
        } else {
            DoctorTable.print(examination, changes: changes, self.writeProfile)
        }
        if !examination.isGood { throw ExitCode(2) }
    }

    /// What has changed since the last run, `nil` when there was none.
    private func remember(_ examination: Examination) throws -> [String]? {
        let path = self.state ?? DoctorCommand.standardState(for: examination)
        let now = DoctorState(examination)
        let changes = try DoctorState.read(path).map { now.changes(since: $0) }
        try now.write(path)
        return changes
    }

    private static func standardState(for examination: Examination) -> String {
        let environment = ProcessInfo.processInfo.environment
        let base =
            environment["XDG_STATE_HOME"] ?? FileManager.default.homeDirectoryForCurrentUser.path + "/.local/state"
        let serial = examination.token.serialNumber.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
        return "\(base)/signet/token-doctor/\(serial.isEmpty ? "no-serial" : serial).json"
    }

    private func write(_ diagnosis: Diagnosis, to path: String) throws {
        let file = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent.lowercased()
        let name = String(file.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
        let profile = try diagnosis.examination.writtenProfile(name: name, basedOn: diagnosis.profile)
        try FilePaths.create(path, with: Array(profile.yamlText.utf8), mode: 0o644)
    }
}

/// The doctor's result for a reader.
enum DoctorTable {
    static func print(_ examination: Examination, changes: [String]?, _ profileFile: String?) {
        Console.say("Token \(examination.token), profile \(examination.profile ?? "none matches")")
        Console.say("Test keys: \(examination.objects.rawValue) objects")
        for role in examination.roles {
            Console.say("")
            Console.say("\(role.role.title): \(role.can ? "CAN" : "CANNOT")")
            for requirement in role.requirements {
                let verdict = requirement.isMet ? "can" : requirement.isOptional ? "cannot (and need not)" : "cannot"
                Console.say("  \(verdict) \(requirement.title)")
                self.print(requirement)
            }
        }
        self.print(examination.measured)
        self.print(changes: changes)
        if examination.removedFromEarlierRuns > 0 {
            Console.say("Removed \(examination.removedFromEarlierRuns) test objects that an earlier run had left.")
        }
        for object in examination.leftBehind { Console.say("THE TOKEN IS NOT AS IT WAS: \(object)") }
        if examination.leftBehind.isEmpty { Console.say("The token is as it was.") }
        if let profileFile { Console.say("Profile written: \(profileFile)") }
    }

    private static func print(_ requirement: RequirementReport) {
        for ability in requirement.abilities {
            Console.say("    \(ability.can ? "yes" : "no ") \(ability.title)")
            guard !ability.can else { continue }
            if let because = ability.because { Console.say("        because: \(because)") }
            // What is not needed has not to be changed.
            if !requirement.isMet, !requirement.isOptional, let change = ability.change {
                Console.say("        change: \(change)")
            }
        }
    }

    private static func print(_ measured: [MeasuredValue]) {
        Console.say("")
        Console.table(
            ["Measured", "Value", "Profile", ""],
            measured.map { value in
                [
                    value.path, value.text, value.profile ?? "-",
                    value.contradictsProfile ? "DIFFERENT" : value.isNew ? "new" : "",
                ]
            })
        Console.say("")
    }

    private static func print(changes: [String]?) {
        guard let changes else { return Console.say("This is the first examination of this token.") }
        if changes.isEmpty { return Console.say("Nothing has changed since the last examination.") }
        Console.say("Changed since the last examination:")
        for change in changes { Console.say("  \(change)") }
    }
}
