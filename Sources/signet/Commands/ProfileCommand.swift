import ArgumentParser
import CAService
import DeviceProfiles
import Diagnostics
import Foundation

/// `signet profile list|show|check`
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Device profiles: what is known about each kind of token.",
        subcommands: [ListProfiles.self, ShowProfile.self, CheckProfile.self])
}

/// Where a command looks for profiles, and how it answers.
struct ProfileOptions: ParsableArguments {
    @Option(name: .long, help: "The instance whose own profiles come first.")
    var instance: String?

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func catalog() throws -> ProfileCatalog {
        let directories = ProfileDirectories.standard(
            instance: self.instance, environment: ProcessInfo.processInfo.environment)
        return try ProfileCatalog(directories: directories.paths)
    }
}

/// `signet profile list`
struct ListProfiles: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the profiles.",
        examples: "signet profile list")

    private struct Row: Encodable {
        let name: String
        let summary: String
        let isMatched: Bool
        let known: Int
        let unknown: Int
        let file: String?
    }

    @OptionGroup var options: ProfileOptions

    func run() throws {
        let catalog = try self.options.catalog()
        let rows = catalog.profiles.map { profile in
            let fields = profile.fields
            return Row(
                name: profile.name, summary: profile.summary, isMatched: profile.match != MatchRule(),
                known: fields.count { $0.text != "unknown" }, unknown: fields.count { $0.text == "unknown" },
                file: catalog.path(of: profile.name))
        }
        if self.options.json { return try Console.json(rows) }
        Console.table(
            ["Name", "Used", "Known", "Unknown", "Device"],
            rows.map {
                [$0.name, $0.isMatched ? "when matched" : "when named", "\($0.known)", "\($0.unknown)", $0.summary]
            })
    }
}

/// `signet profile show NAME`
struct ShowProfile: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show every value of a profile, with its evidence.",
        examples: "signet profile show yubihsm-2 --yaml")

    private struct Row: Encodable {
        let field: String
        let value: String
        let evidence: String?
        let source: String?
    }

    @OptionGroup var options: ProfileOptions

    @Flag(name: .long, help: "Print the profile as a YAML file.")
    var yaml = false

    @Argument(help: "The profile's name.")
    var name: String

    func run() throws {
        let catalog = try self.options.catalog()
        let profile = try catalog.profile(named: self.name)
        if self.yaml { return print(profile.yamlText, terminator: "") }
        let rows = profile.fields.map {
            Row(
                field: $0.path, value: $0.text, evidence: $0.provenance?.evidence.rawValue,
                source: $0.provenance?.source)
        }
        if self.options.json { return try Console.json(rows) }
        Console.say("\(profile.name): \(profile.summary)")
        Console.say("File: \(catalog.path(of: profile.name) ?? "-")")
        Console.table(
            ["Field", "Value", "Evidence", "Source"],
            rows.map { [$0.field, $0.value, $0.evidence ?? "-", $0.source ?? "-"] })
    }
}

/// `signet profile check FILE`
struct CheckProfile: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check a profile of your own.",
        discussion: "Exit code: 0 for a good profile, 2 for one with findings, 1 when the file cannot be read.",
        examples: "signet profile check our-hsm.yaml")

    private struct Verdict: Encodable {
        struct Finding: Encodable {
            let file: String
            let line: Int?
            let field: String
            let reason: String
        }

        let file: String
        let isGood: Bool
        let findings: [Finding]
        let unknown: [String]
    }

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    @Argument(help: "The YAML file.")
    var file: String

    func run() throws {
        let verdict = try self.verdict()
        if self.json {
            try Console.json(verdict)
        } else if verdict.isGood {
            Console.say(
                "\(self.file): good. \(verdict.unknown.count) values are unknown and are taken as the worst case.")
        } else {
            Console.table(
                ["Place", "Field", "Reason"],
                verdict.findings.map { finding in
                    [
                        finding.line.map { "\(finding.file):\($0)" } ?? finding.file,
                        finding.field.isEmpty ? "-" : finding.field, finding.reason,
                    ]
                })
        }
        if !verdict.isGood { throw ExitCode(2) }
    }

    private func verdict() throws -> Verdict {
        let result = Result { () throws(ProfileError) in try DeviceProfile(contentsOf: self.file) }
        switch result {
        case .success(let profile):
            let unknown = profile.fields.filter { $0.text == "unknown" }
            return Verdict(file: self.file, isGood: true, findings: [], unknown: unknown.map(\.path))
        case .failure(let error):
            guard error.code != .unreadable else { throw error }
            let findings = error.findings.map {
                Verdict.Finding(file: $0.file, line: $0.line, field: $0.field, reason: $0.reason)
            }
            return Verdict(file: self.file, isGood: false, findings: findings, unknown: [])
        }
    }
}

extension Console {
    /// Prints a value as JSON with its names in order.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
