import Foundation
import TestSupport
import Testing

@Suite("Incremental backups")
struct IncrementalBackupTests {
    @Test("Three increments are restored in every order, and the result is what the CA was")
    func orders() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        let first = try await site.certify("first")
        try await site.backUp(to: "full")
        var serials: [String] = [first]
        for number in 1...3 {
            serials.append(try await site.certify("increment-\(number)"))
            // Rows that the backups before have: a certificate of the full backup, one of the last increment.
            try await site.operate("certificate", "revoke", "--instance", issuing, serials[number - 1])
            try await site.operate("crl", "publish", "--instance", issuing)
            try await site.backUp(to: "increment-\(number)", "--incremental")
        }
        let expected = try await Self.rows(issuing)
        let hash = try await site.issuingSHA256()
        let orders = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]]
        for order in orders {
            let name = "restored-" + order.map(String.init).joined()
            let backups = (order.map { "increment-\($0)" } + ["full"]).map(site.path)
            let restored = try await site.signet(
                ["restore"] + backups + [
                    "--instance", site.path(name), "--password", "file:\(site.path("pin-user"))",
                    "--authority-sha256", hash,
                ])
            #expect(restored.status == 0, "\(restored.text)\n\(restored.stderr)")
            #expect(try await Self.rows(site.path(name)) == expected, "\(order)")
            try await site.operate("audit", "verify", "--instance", site.path(name))
        }
    }

    /// Certificates, revocations and intents for certificates, as text.
    private static func rows(_ instance: String) async throws -> String {
        let program = """
            import sqlite3, sys
            db = sqlite3.connect(sys.argv[1])
            for query in sys.argv[2:]:
                for row in db.execute(query): print(*[v.hex() if isinstance(v, bytes) else v for v in row])
            """
        return try await succeed([
            "python3", "-c", program, "\(instance)/signet.sqlite", "SELECT * FROM certificate ORDER BY request_id",
            "SELECT * FROM revocation ORDER BY serial_number",
            "SELECT request_id, disposition, subject, raw_request FROM request ORDER BY request_id",
            "SELECT number, kind, crl_der FROM revocation_list ORDER BY number",
            "SELECT kind, number, outcome FROM intent WHERE kind <> 'message' ORDER BY intent_id",
            "SELECT * FROM ca_certificate ORDER BY use, certificate_index",
        ]).text
    }

    @Test("An increment is refused before a full backup, without one, with a gap, and after another full backup")
    func refusals() async throws {
        let site = try await Site.issuing()
        let arguments = [
            "backup", "create", "--instance", site.path("issuing"), "--password", "file:\(site.path("pin-user"))",
            "--incremental", site.path("early"),
        ]
        let early = try await site.signet(arguments)
        #expect(early.stderr.contains("There is no full backup that an incremental one could follow."))
        #expect(early.stderr.contains("0x8000ffff"))
        #expect(!FileManager.default.fileExists(atPath: site.path("early")))
        try await site.backUp(to: "full")
        try await site.backUp(to: "one", "--incremental")
        try await site.backUp(to: "two", "--incremental")
        let hash = try await site.issuingSHA256()
        func restore(_ backups: String...) async throws -> ToolResult {
            try await site.signet(
                ["restore"] + backups.map(site.path) + [
                    "--instance", site.path("new"), "--password", "file:\(site.path("pin-user"))",
                    "--authority-sha256", hash,
                ])
        }
        let alone = try await restore("one")
        #expect(
            alone.stderr.contains(
                "Restore of an incremental image cannot be performed before you perform restore from a full image."))
        #expect(alone.stderr.contains("0x8007010b"))
        let gap = try await restore("full", "two")
        #expect(gap.stderr.contains("Increment 1 of the chain is missing."), "\(gap.stderr)")
        try await site.backUp(to: "full-2")
        let foreign = try await restore("full-2", "one")
        #expect(foreign.stderr.contains("belongs to another backup"), "\(foreign.stderr)")
        #expect(foreign.stderr.contains("/one"))
        #expect(!FileManager.default.fileExists(atPath: site.path("new")))
    }

    /// Every file of an instance with its hash, and everything that is in the database.
    private static func content(_ instance: String) async throws -> String {
        let program = "import sqlite3; print(*sqlite3.connect('signet.sqlite').iterdump(), sep='\\n')"
        return try await succeed([
            "bash", "-c",
            """
            cd '\(instance)' && python3 -c "$1" && find . -type f ! -name 'signet.sqlite*' -print0 | sort -z | xargs -0 sha256sum
            """, "bash", program,
        ]).text
    }

    @Test(
        "A part of an increment that is missing, cut, changed by one bit, or of another one is named, and nothing changes"
    )
    func damage() async throws {
        let site = try await Site.issuing()
        try await site.backUp(to: "full")
        for name in ["one", "two", "three"] {
            try await site.certify(name)
            try await site.backUp(to: name, "--incremental")
        }
        let before = try await Self.content(site.path("issuing"))
        func refused(_ file: String, _ how: String) async throws {
            let backups = ["three", "one", "two", "full"].map(site.path)
            let result = try await site.signet(
                ["restore"] + backups + [
                    "--instance", site.path("issuing"), "--force", "--password", "file:\(site.path("pin-user"))",
                ])
            #expect(result.status == 1, "\(file) \(how)")
            // The manifest of another increment makes the directory that one: its place in the chain is the fault.
            let isManifest = how == "of another" && file.hasSuffix(".dat")
            let texts =
                isManifest
                ? ["of the chain is missing.", "another increment has the same place"]
                : [file, "The expected data does not exist in this directory."]
            #expect(texts.contains { result.stderr.contains($0) }, "\(file) \(how): \(result.stderr)")
            #expect(try await Self.content(site.path("issuing")) == before, "\(file) \(how)")
        }
        for (increment, part, next) in [("one", 1, "two"), ("two", 2, "three"), ("three", 3, "one")] {
            for name in ["Database/certbkxp.dat", "Database/edb0000\(part).log", "Test Issuing CA.p7b"] {
                let file = "\(increment)/\(name)"
                let path = site.path(file)
                let whole = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
                var damages = [("flipped", whole), ("cut", Array(whole.dropLast()))]
                damages[0].1[whole.count / 2] ^= 0x10
                // Every increment has the same certificates.
                if !name.hasSuffix("p7b") {
                    let other = name.replacing("edb0000\(part)", with: "edb0000\(part % 3 + 1)")
                    damages.append(("of another", Array(try site.directory.read("\(next)/\(other)"))))
                }
                for (how, bytes) in damages {
                    try Data(bytes).write(to: URL(fileURLWithPath: path))
                    try await refused(file, how)
                }
                try FileManager.default.removeItem(atPath: path)
                try await refused(file, "missing")
                try Data(whole).write(to: URL(fileURLWithPath: path))
            }
        }
        let restored = try await site.signet(
            ["restore"] + ["three", "one", "two", "full"].map(site.path) + [
                "--instance", site.path("issuing"), "--force", "--password", "file:\(site.path("pin-user"))",
            ])
        #expect(restored.status == 0, "\(restored.stderr)")
        #expect(!FileManager.default.fileExists(atPath: site.path("issuing.restoring")))
    }

    @Test("With --keep-log the next increment begins at the same place, and has what the one before it had")
    func keptLog() async throws {
        let site = try await Site.issuing()
        try await site.backUp(to: "full")
        try await site.certify("kept")
        try await site.backUp(to: "copy", "--incremental", "--keep-log")
        try await site.backUp(to: "one", "--incremental")
        let restored = try await site.signet(
            "restore", site.path("full"), site.path("one"), "--instance", site.path("new"), "--password",
            "file:\(site.path("pin-user"))", "--authority-sha256", site.issuingSHA256())
        #expect(restored.status == 0, "\(restored.stderr)")
        let list = try await site.operate("request", "list", "--instance", site.path("new"), "--limit", "100")
        #expect(list.text.contains("kept.example.test"))
    }
}
