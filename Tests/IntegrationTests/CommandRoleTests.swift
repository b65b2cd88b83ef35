import Foundation
import TestSupport
import Testing

/// Every command that `signet` has, tried by somebody who has no role.
@Suite("Every command asks the table of roles, or says why it need not")
struct CommandRoleTests {
    enum Need: Sendable {
        /// Refused with 0x80070005 without a role, tried with these arguments.
        case role([String])
        /// Refused with 0x80094011, as the right to enrol is.
        case enrollment([String])
        /// Nothing is asked of an instance: own keys, own cards, files, and what is published to everybody.
        case nothing
        /// The owner of the instance may always: nobody else could give roles otherwise.
        case owner
    }

    /// By the words of the command.
    private static let commands: [String: Need] = [
        "init root": .nothing, "init subordinate": .nothing,
        "ca install": .role(["--chain", "FILE", "FILE"]),
        "ca resume": .role(["--parent", "https://127.0.0.1:1/certsrv"]),
        "ca renew": .role([]), "ca link": .role([]),
        "ca cross-certify": .role(["--constraints", "LIMITS", "--out", "OUT", "FILE"]),
        "ca keys": .nothing, "ca show": .nothing, "ca exchange": .role(["--out", "OUT"]),
        "ca release-key": .role([]), "ca forbid-extraction": .role(["--confirm"]),
        "ca restore-keys": .role(["--password", "env:NONE", "FILE"]),
        "request new": .nothing, "request sign": .nothing, "request submit": .enrollment(["FILE"]),
        "request retrieve": .role(["1"]), "request accept": .role(["--request", "1", "--token-file", "TOKEN"]),
        "request abandon": .nothing, "request list": .role([]), "request show": .role(["1"]),
        "request export": .role(["--column", "RawRequest", "--out", "OUT", "1"]), "request approve": .role(["1"]),
        "request deny": .role(["1"]), "request resubmit": .role(["1"]),
        "request set-attributes": .role(["1", "a:b"]),
        "request set-extension": .role(["--value", "FILE", "1", "1.2.3"]),
        "certificate revoke": .role(["61"]), "certificate hold": .role(["61"]), "certificate release": .role(["61"]),
        "certificate export": .role(["--request", "1", "--format", "pem", "--out", "OUT"]), "show": .nothing,
        // Their verbs work through the same entry points; `certutil -view` and others are tried where they are tested.
        "certutil": .nothing, "certreq": .nothing,
        "certificate replace": .role(["--new", "--key-out", "OUT", "61"]),
        "crl publish": .role([]), "crl list": .role([]), "crl show": .role([]),
        "case list": .role([]), "case show": .role(["1"]), "case resume": .role(["1"]), "expiring": .role([]),
        "kra enroll": .enrollment(["--token-file", "TOKEN", "--name", "Agent"]),
        "kra accept": .role(["--token-file", "TOKEN", "--request", "1"]), "kra add": .role(["--request", "1"]),
        "kra remove": .role(["61"]), "kra list": .role([]), "kra status": .role([]),
        "key find": .role(["alice"]), "key approve": .role(["alice"]), "key get": .role(["alice"]),
        "key import": .role(["FILE"]), "key pack": .nothing, "key merge": .nothing, "key verify": .nothing,
        "key rewrap": .role(["--token-file", "TOKEN"]), "key drill": .role(["--token-file", "TOKEN"]),
        "key recover": .nothing, "key put": .nothing, "key evidence": .role([]), "recover": .nothing,
        "user add": .owner, "user list": .owner, "user remove": .owner, "user set-roles": .owner, "user map": .owner,
        "user unmap": .owner, "group add": .owner, "group list": .owner, "group remove": .owner, "group join": .owner,
        "group leave": .owner, "role list": .owner, "role assign": .owner, "role withdraw": .owner,
        "role separation": .owner, "role restrictions": .owner,
        "role matrix": .nothing, "role restrict": .role(["bob"]), "role unrestrict": .role(["bob"]),
        "web certificate": .role(["--dns-name", "localhost", "--key-token", "ca"]),
        "token init": .nothing, "token list": .role([]), "token capacity": .role([]), "token retire": .role([]),
        "token doctor": .role([]), "token unblock": .role([]),
        "profile list": .nothing, "profile show": .nothing, "profile check": .nothing, "explain": .nothing,
        "simulator eject": .nothing, "simulator insert": .nothing, "simulator lock-pin": .nothing,
        "simulator empty-log": .nothing, "simulator fail": .nothing, "simulator clear": .nothing,
        "simulator status": .nothing,
        "template list": .role([]), "template show": .role(["User"]),
        "template new": .role(["--from", "User", "Other"]),
        "template edit": .role(["--set", "validity=3 months", "User"]), "template enable": .role(["User"]),
        "template disable": .role(["User"]), "template diff": .role(["User"]), "template check": .role([]),
        "audit verify": .role([]), "audit show": .role([]), "audit export": .role(["OUT"]), "audit sign": .role([]),
        "audit filter show": .role([]), "audit filter set": .role(["127"]),
        "backup create": .role(["--recipient", "FILE", "OUT"]),
        "backup keys": .role(["--to", "TOKEN"]), "backup list": .nothing, "backup replaced": .role([]),
        "move plan": .role([]),
        "move export": .role(["--password", "env:NONE", "OUT"]), "move import": .nothing, "move undo": .nothing,
        "move token": .role(["--to", "TOKEN", "--name", "other"]), "certificate import": .role(["FILE"]),
        "backup show": .nothing, "backup verify": .nothing, "ceremony verify": .nothing, "key install": .nothing,
        // Its steps are commands, and ask each for itself; who restores is asked of the instance that is replaced: BackupTests.
        "ceremony run": .nothing, "restore": .nothing,
        "database rebuild": .role(["FILE"]),
        "database prune": .role(["--failed-before", "2020-01-01", "--dry-run"]),
    ]

    /// The commands that the program has, by the words.
    private func programCommands() async throws -> Set<String> {
        struct Dump: Decodable {
            let command: Command
        }
        struct Command: Decodable {
            let commandName: String
            let subcommands: [Command]?

            func leaves(_ words: [String]) -> [String] {
                let below = (self.subcommands ?? []).filter { $0.commandName != "help" }
                guard !below.isEmpty else { return [words.joined(separator: " ")] }
                return below.flatMap { $0.leaves(words + [$0.commandName]) }
            }
        }
        let text = try await succeed([Programs.signet, "--experimental-dump-help"]).stdout
        return Set(try JSONDecoder().decode(Dump.self, from: Data(text)).command.leaves([]))
    }

    @Test("The table has every command of the program, and no other")
    func complete() async throws {
        #expect(Set(Self.commands.keys) == (try await self.programCommands()))
    }

    @Test("Without a role every command that needs one is refused, with audit event 10010, and writes nothing")
    func refused() async throws {
        let site = try Site.empty()
        try await site.makeRoot()
        let card = try await site.makeToken("card")
        let root = site.path("root")
        // From now on roles are given, and whoever runs the test has none.
        try await site.operate(
            "role", "assign", "--instance", root, "--system-user", "somebody-else", "--role", "administrator")
        let replaced = [
            "OUT": site.path("out"), "TOKEN": card, "FILE": "\(root)/publish/Test Root CA.crt",
            "LIMITS": try site.directory.write("limits.yaml", Array("path-length: 0\n".utf8)),
        ]
        var refusals = 0
        for (words, need) in Self.commands.sorted(by: { $0.key < $1.key }) {
            let (arguments, code): ([String], String)
            switch need {
            case .role(let given): (arguments, code) = (given, "0x80070005")
            case .enrollment(let given): (arguments, code) = (given, "0x80094011")
            case .nothing, .owner: continue
            }
            let command =
                words.split(separator: " ").map(String.init) + arguments.map { replaced[$0] ?? $0 }
                + ["--instance", root]
            let result = try await site.signet(command)
            #expect(
                result.status == 1 && result.stderr.contains(code), "signet \(words): \(result.text)\(result.stderr)")
            #expect(!FileManager.default.fileExists(atPath: site.path("out")), "signet \(words) has written")
            refusals += 1
        }
        #expect(try await !site.objects(on: "card").contains("Object"))
        // The owner gives the role back and counts what was recorded.
        try await site.operate("role", "withdraw", "--instance", root, "--system-user", "somebody-else")
        let trail = try await site.operate("audit", "show", "--instance", root, "--limit", "10000").text
        #expect(trail.matches(of: /\s10010\s/).count == refusals)
    }
}
