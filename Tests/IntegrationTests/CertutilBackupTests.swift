import Foundation
import TestSupport
import Testing

@Suite("certutil -backup and -restore")
struct CertutilBackupTests {
    private static let host = ProcessInfo.processInfo.hostName

    private static func failure(_ verb: String, _ code: String, _ text: String) -> String {
        "CertUtil: -\(verb) command FAILED: \(code)\nCertUtil: \(text)\n"
    }

    @Test("A database is backed up and restored with the verbs, words and lines of the documents")
    func database() async throws {
        let site = try await Site.issuing()
        let password = "file:\(site.path("pin-user"))"
        let full = site.path("full")
        let early = try await site.certutil("-backupdb", "-p", password, site.path("early"), "incremental")
        #expect(
            early.text
                == "Incremental database backup for \(Self.host)\\Test Issuing CA.\n"
                + Self.failure("backupDB", "0x8000ffff (-2147418113)", "Catastrophic failure."))
        let made = try await site.certutil("-backupdb", "-p", password, full)
        #expect(
            made.text == """
                Full database backup for \(Self.host)\\Test Issuing CA.
                Backed up database to \(full).
                Database logs successfully truncated.
                CertUtil: -backupDB command completed successfully.

                """, "\(made.stderr)")
        let again = try await site.certutil("-backupdb", "-p", password, full)
        #expect(again.text.hasSuffix(Self.failure("backupDB", "0x80070050 (WIN32: 80)", "The file exists.")))
        let forced = try await site.certutil("-f", "-backupdb", "-p", password, full)
        #expect(forced.status == 0, "\(forced.stderr)")
        let serial = try await site.certify("late")
        let kept = try await site.certutil("-backup", "-p", password, site.path("kept"), "incremental", "keeplog")
        #expect(
            kept.text == """
                Incremental database backup for \(Self.host)\\Test Issuing CA.
                Backed up database to \(site.path("kept")).
                Database logs were preserved.
                Keys of \(Self.host)\\Test Issuing CA stay on their tokens; the backup says which they are.
                CertUtil: -backup command completed successfully.

                """, "\(kept.stderr)")
        // The documents' examples leave the verb out.
        let verbless = try await site.certutil("-p", password, site.path("increment"), "incremental")
        #expect(verbless.text.hasSuffix("CertUtil: -backup command completed successfully.\n"), "\(verbless.text)")

        let refused = try await site.certutil("-restoredb", "-p", password, site.path("increment"), full)
        #expect(refused.text.hasPrefix(Self.failure("restoreDB", "0x80070050 (WIN32: 80)", "The file exists.")))
        let restored = try await site.certutil(
            "-f", "-restoredb", "-p", password, site.path("increment"), full)
        #expect(restored.text.hasPrefix("Restored database for \(Self.host)\\Test Issuing CA.\nCA key 0: proven "))
        #expect(
            restored.text.hasSuffix(
                """
                CertUtil: -restoreDB command completed successfully.
                The CertSvc service may need to be restarted for changes to take effect.

                """), "\(restored.text)\n\(restored.stderr)")
        try await site.operate("audit", "verify", "--instance", site.path("issuing"))
        try await site.operate("certificate", "revoke", "--instance", site.path("issuing"), serial)
    }

    @Test(
        "Increments are restored after the full backup, each by its own command and in any order; until then nothing opens"
    )
    func sequence() async throws {
        let site = try await Site.issuing()
        let password = "file:\(site.path("pin-user"))"
        func restore(_ name: String, _ options: String...) async throws -> ToolResult {
            try await site.certutil(options + ["-restoredb", "-p", password, site.path(name)])
        }
        func isSuspended() async throws -> Bool {
            let refused = try await site.signet("request", "list", "--instance", site.path("issuing"))
            return refused.status == 1 && refused.stderr.contains("0x80094006")
        }
        try await site.backUp(to: "full")
        for name in ["one", "two", "three"] {
            try await site.certify(name)
            try await site.backUp(to: name, "--incremental")
        }
        #expect(try await restore("three", "-f").text == Self.incrementAlone)
        #expect(try await restore("full", "-f").status == 0)
        for name in ["three", "two"] {
            let waiting = try await restore(name)
            #expect(
                waiting.text == """
                    Database restore is suspended: Increment 1 of the chain is missing.
                    CertUtil: -restoreDB command completed successfully.
                    The CertSvc service may need to be restarted for changes to take effect.

                    """, "\(waiting.text)\(waiting.stderr)")
            #expect(try await isSuspended())
        }
        let whole = try await restore("one")
        #expect(whole.text.hasPrefix("Restored database for \(Self.host)\\Test Issuing CA.\n"), "\(whole.stderr)")
        let list = try await site.operate("request", "list", "--instance", site.path("issuing"), "--limit", "100")
        for name in ["one", "two", "three"] { #expect(list.text.contains("\(name).example.test")) }
        // What was there before the first restore is kept, and nothing that only lay between.
        let kept = try FileManager.default.contentsOfDirectory(atPath: site.directory.path)
        #expect(kept.count { $0.hasPrefix("issuing.before-restore-") } == 1, "\(kept)")
        try await site.operate("audit", "verify", "--instance", site.path("issuing"))
        // Who has used the CA since is asked for -f.
        try await site.certify("after")
        let used = try await restore("three")
        #expect(used.text == Self.failure("restoreDB", "0x80070050 (WIN32: 80)", "The file exists."))
    }

    private static let incrementAlone = failure(
        "restoreDB", "0x8007010b (WIN32/HTTP: 267)", "The directory name is invalid.")

    @Test("Each example of the documents runs in its own form, and each syntax with all the options that it names")
    func examples() async throws {
        let site = try await Site.issuing()
        let password = "file:\(site.path("pin-user"))"
        let authority = "\(Self.host)\\Test Issuing CA"
        func made(_ directory: String, _ verb: String, incremental: Bool = false, keepLog: Bool = false) -> String {
            """
            \(incremental ? "Incremental" : "Full") database backup for \(authority).
            Backed up database to \(directory).
            \(keepLog ? "Database logs were preserved." : "Database logs successfully truncated.")
            \(verb == "backup" ? "Keys of \(authority) stay on their tokens; the backup says which they are.\n" : "")\
            CertUtil: -\(verb) command completed successfully.

            """
        }
        // certutil -p p@ssw23 f:\Backup2\EnterpriseCA [incremental] [keeplog]
        for (words, incremental, keepLog) in [
            ([], false, false), (["incremental"], true, false), (["keeplog"], false, true),
            (["INCREMENTAL", "KeepLog"], true, true),
        ] {
            let directory = site.path("EnterpriseCA\(words.joined())")
            let result = try await site.certutil(["-p", password, directory] + words)
            #expect(
                result.text == made(directory, "backup", incremental: incremental, keepLog: keepLog), "\(result.stderr)"
            )
        }
        let options = ["-f", "-gmt", "-seconds", "-v", "-config", authority, "-p", password]
        for (verb, name) in [("-backup", "backup"), ("/backupdb", "backupDB"), ("\u{2013}BackupDB", "backupDB")] {
            let directory = site.path("Backup2")
            let result = try await site.certutil([verb] + options + [directory])
            #expect(result.text == made(directory, name), "\(result.stderr)")
        }
        for (verb, name) in [("-restore", "restore"), ("-restoredb", "restoreDB")] {
            let result = try await site.certutil([verb] + options + [site.path("Backup2")])
            #expect(result.text.hasPrefix("Restored database for \(authority).\nCA key 0: proven "), "\(result.stderr)")
            #expect(
                result.text.hasSuffix(
                    """
                    CertUtil: -\(name) command completed successfully.
                    The CertSvc service may need to be restarted for changes to take effect.

                    """))
        }
        for file in ["Backup2", "Backup2/Test Issuing CA.p12"] {
            let result = try await site.certutil(["-restorekey"] + options + [site.path(file)])
            #expect(
                result.text
                    == Self.failure("restoreKey", "0x8007010b (WIN32/HTTP: 267)", "The directory name is invalid."))
        }
        let standard = try await site.certutil("-backupdb", "-config", "-", "-p", password, site.path("standard"))
        #expect(standard.text == made(site.path("standard"), "backupDB"))
        let other = try await site.certutil(
            "-backupdb", "-config", "\(Self.host)\\Other CA", "-p", password, site.path("other"))
        #expect(
            other.text == Self.failure("backupDB", "0x80070057 (WIN32: 87)", "The parameter is incorrect."),
            "\(other.stderr)")
        #expect(!FileManager.default.fileExists(atPath: site.path("other")))
    }

    @Test("The schema of each table, and the help of each verb of the documents")
    func schema() async throws {
        let site = try Site.empty()
        func table(_ name: String...) async throws -> String {
            try await site.certutil(["-schema"] + name).text
        }
        #expect(
            try await table("attrib") == """
                Schema:
                  Column Name        Localized Name        Type    MaxLength
                  -----------------  --------------------  ------  ------------
                  RequestID          Attribute Request ID  Long    4 -- Indexed
                  RequestAttributes  Request Attributes    String  32768
                CertUtil: -schema command completed successfully.

                """)
        #expect(
            try await table("crl") == """
                Schema:
                  Column Name    Localized Name   Type    MaxLength
                  -------------  ---------------  ------  ------------
                  CRLNumber      CRL Number       Long    8 -- Indexed
                  CRLMinBase     CRL Base Number  Long    8
                  CRLNameId      CRL Key Index    Long    4
                  CRLThisUpdate  CRL This Update  Date    8
                  CRLNextUpdate  CRL Next Update  Date    8
                  CRLRawCRL      CRL Raw CRL      Binary  268435456
                CertUtil: -schema command completed successfully.

                """)
        let lines = try await table().split(separator: "\n")
        #expect(lines.first == "Schema:" && lines.last == "CertUtil: -schema command completed successfully.")
        #expect(lines.contains { $0.contains(/^  Request\.RequestID +Request ID +Long +4 -- Indexed$/) })
        #expect(
            try await table("ext") == Self.failure("schema", "0x80070057 (WIN32: 87)", "The parameter is incorrect."))
        for (verb, syntax) in [
            ("backup", "BackupDirectory [incremental] [keeplog]"),
            ("backupDB", "BackupDirectory [incremental] [keeplog]"),
            ("backupKey", "BackupDirectory"), ("restore", "BackupDirectory [BackupDirectory...]"),
            ("restoreDB", "BackupDirectory [BackupDirectory...]"), ("restoreKey", "BackupDirectory | PFXFile"),
            ("schema", "[attrib | crl]"),
        ] {
            let help = try await site.certutil("-\(verb.lowercased())", "-?")
            #expect(
                help.status == 0 && help.text.hasPrefix("Usage:\n  CertUtil -\(verb) [Options] \(syntax)\n"),
                "\(help.text)")
            for option in ["-f ", "-gmt ", "-seconds ", "-v ", "-config Host\\CA ", "-p Source "] {
                #expect(help.text.contains("\n  \(option)"), "\(option)")
            }
        }
    }

    @Test("Wrong folders, increments alone and keys are refused with the documents' texts and codes")
    func refusals() async throws {
        let site = try await Site.issuing()
        let password = "file:\(site.path("pin-user"))"
        try await site.backUp(to: "full")
        try await site.backUp(to: "increment", "--incremental")
        let wrong = try await site.certutil("-f", "-restore", "-p", password, site.path("root"))
        #expect(
            wrong.text
                == Self.failure("restore", "0x8007010b (WIN32/HTTP: 267)", "The directory name is invalid."))
        #expect(wrong.stderr.contains("The expected data does not exist in this directory."))
        let alone = try await site.certutil("-f", "-restoredb", "-p", password, site.path("increment"))
        #expect(alone.text == Self.incrementAlone)
        #expect(
            alone.stderr.contains(
                "Restore of an incremental image cannot be performed before you perform restore from a full image."))
        let literal = try await site.certutil("-backup", "-p", "p@ssw23", site.path("literal"))
        #expect(literal.status == 1 && !(literal.text + literal.stderr).contains("p@ssw23"))
        #expect(!FileManager.default.fileExists(atPath: site.path("literal")))

        // The key, as each form of the documents asks for it.
        let state = "Key not valid for use in specified state."
        for (arguments, verb) in [
            (["-backupkey", "-p", password, site.path("keys")], "backupKey"),
            (["-backup", "Pswd", site.path("certfile")], "backup"),
        ] {
            let key = try await run(
                [try site.windowsTool("certutil")] + arguments, environment: ["SIGNET_INSTANCE": site.path("issuing")])
            #expect(key.text == Self.failure(verb, "0x8009000b (-2146893813)", state), "\(key.stderr)")
            #expect(key.stderr.contains("the device's maker offers: a copy of its token directory"), "\(key.stderr)")
            #expect(!key.stderr.contains("Pswd"))
        }
        for name in ["keys", "certfile"] { #expect(!FileManager.default.fileExists(atPath: site.path(name))) }
        let noKey = try await site.certutil("-restorekey", "-p", password, site.path("full"))
        #expect(
            noKey.text == Self.failure("restoreKey", "0x8007010b (WIN32/HTTP: 267)", "The directory name is invalid."))
        let said = try await site.certutil("-restore", "Pswd", site.path("certfile"))
        #expect(said.text == Self.failure("restore", "0x80070057 (WIN32: 87)", "The parameter is incorrect."))
        #expect(said.stderr.contains("which every user of this machine can read") && !said.stderr.contains("Pswd"))
    }
}
