import Foundation
import TestSupport
import Testing

extension Site {
    /// `certutil` and `certreq` under their own names: symbolic links to the program.
    func windowsTool(_ name: String) throws -> String {
        let path = self.path("bin/\(name)")
        if !FileManager.default.fileExists(atPath: path) {
            try FileManager.default.createDirectory(atPath: self.path("bin"), withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: Programs.signet)
        }
        return path
    }

    func certutil(_ arguments: String..., environment: [String: String] = [:]) async throws -> ToolResult {
        try await self.windows("certutil", arguments, environment)
    }

    func certutil(_ arguments: [String]) async throws -> ToolResult {
        try await self.windows("certutil", arguments, [:])
    }

    func certreq(_ arguments: String..., environment: [String: String] = [:]) async throws -> ToolResult {
        try await self.windows("certreq", arguments, environment)
    }

    private func windows(
        _ name: String, _ arguments: [String], _ environment: [String: String]
    ) async throws -> ToolResult {
        let standard = [
            "SIGNET_INSTANCE": self.path("issuing"), "SIGNET_KEYS": self.path("keys"),
            "SIGNET_CA_CERTIFICATES": self.path("chain.pem"),
        ]
        return try await run(
            [try self.windowsTool(name)] + arguments, environment: standard.merging(environment) { $1 })
    }
}

@Suite("certutil")
struct CertutilTests {
    /// The listing of the white paper, with what depends on host, key and time replaced.
    private static let block = """
          Serial Number: SERIAL
          Subject: CN=CN
          UPN:UPN
          NotBefore: TIME
          NotAfter: TIME
          Template: User
          Version: 3
          Cert Hash(sha1): HASH

        """

    @Test("A key is found, listed, taken and recovered with the lines and codes of the white paper")
    func archivedKeys() async throws {
        let site = try await Site.issuing()
        let card = try await site.makeAgent()
        for name in ["bob", "alice"] {
            try await site.makeArchivalRequest(name, format: "token-wrapped")
            try await site.operate(
                "request", "submit", "--instance", site.path("issuing"), "--out", site.path("\(name).crt"),
                site.path("\(name).cmc"))
        }
        let serial = try await site.serial(of: "alice.crt").lowercased()
        let host = ProcessInfo.processInfo.hostName
        // The template builds the subject of the account that asks.
        let user = ProcessInfo.processInfo.userName
        let batch = try await site.certutil("-v", "-getkey", serial)
        #expect(batch.status == 1)
        let expected = """
            @goto start
            Querying \(host)\\Test Issuing CA.....

            "\(host)\\Test Issuing CA"
            \(Self.block.replacing("SERIAL", with: serial).replacing("CN=CN", with: "CN=\(user)"))
            :start

            @echo Version 3 certificates and keys:

            CertUtil -config "\(host)\\Test Issuing CA" -getkey \(serial) "\(user)-\(serial).rec"

            CertUtil -p "*" -recoverkey -user "\(user)-\(serial).rec" "\(user)-\(serial).p12"

            @del \(user)-\(serial).rec

            @goto exit
            """
        #expect(self.plain(batch.text).hasPrefix(expected), "\(batch.text)")
        #expect(
            batch.text.hasSuffix(
                "CertUtil: -GetKey command FAILED: 0x8002802c (-2147319764)\nCertUtil: Ambiguous name.\n"))

        let other = try await site.serial(of: "bob.crt").lowercased()
        let both = try await site.certutil("-getkey", "\(host)\\\(user)")
        let names = [serial, other].map { "\(user)-\($0)" }
        #expect(
            both.text.contains(
                "CertUtil -p \"*\" -MergePFX -user \"\(names[0]).p12,\(names[1]).p12\" \"\(user).p12\"\n"),
            "\(both.text)")
        #expect(both.text.contains("@echo PASSWORD: \"*\"\n\n@goto exit\nCertUtil: -GetKey command FAILED: 0x8002802c"))

        let blob = site.path("alice.rec")
        let taken = try await site.certutil("/GETKEY", serial, blob)
        #expect(taken.status == 0, "\(taken.stderr)")
        #expect(taken.text.hasSuffix("CertUtil: -GetKey command completed successfully.\n"))
        let missing = try await site.certutil("-getkey", "nobody", site.path("nobody.rec"))
        #expect(
            missing.text.hasSuffix(
                "CertUtil: -GetKey command FAILED: 0x80092004 (-2146885628)\nCertUtil: Cannot find object or property.\n"
            ))

        let literal = try await site.certutil("-p", "password", "-recoverkey", blob, site.path("a.p12"))
        #expect(literal.status == 1 && !(literal.text + literal.stderr).contains("password\n"))
        #expect(literal.text.contains("CertUtil: -RecoverKey command FAILED: 0x80070057 (WIN32: 87)"))
        #expect(!FileManager.default.fileExists(atPath: site.path("a.p12")))
        let recovered = try await site.certutil(
            "-recoverkey", "-user", blob, site.path("a.p12"), "-p", "file:\(site.path("alice.password"))", "-t", "0",
            environment: ["SIGNET_TOKEN_FILE": card])
        #expect(recovered.status == 0, "\(recovered.text) \(recovered.stderr)")
        let shown = try await site.certutil(
            "-p", "file:\(site.path("alice.password"))", "-dump", site.path("a.p12"))
        #expect(shown.text.contains("Private key matches Public Key"))
        try await self.privateKeyInBlob(site, card: card, blob: blob)
    }

    /// `-privatekey` says which key is in a blob, with the agent's card and without.
    private func privateKeyInBlob(_ site: Site, card: String, blob: String) async throws {
        let dashes = try await site.certutil(
            "\u{2013}privatekey", "\u{2013}dump", blob, environment: ["SIGNET_TOKEN_FILE": card])
        #expect(dashes.status == 0, "\(dashes.stderr)")
        #expect(dashes.text.contains("Decrypted with the recipient's key on its token"), "\(dashes.text)")
        #expect(dashes.text.contains("Private key matches Public Key"))
        let without = try await site.certutil("-privatekey", blob)
        #expect(without.text.contains("Not decrypted: no token that is here has a recipient's key"))
        #expect(without.text.hasSuffix("CertUtil: -dump command completed successfully.\n"))
    }

    /// Without what depends on key and time.
    private func plain(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            for (start, word) in [
                ("  NotBefore: ", "TIME"), ("  NotAfter: ", "TIME"), ("  UPN:", "UPN"), ("  Cert Hash(sha1): ", "HASH"),
            ] where line.hasPrefix(start) { return start + word }
            return String(line)
        }.joined(separator: "\n")
    }

    @Test("Requests are decided, certificates revoked and lists published by the verbs of Windows")
    func management() async throws {
        let site = try await Site.issuing()
        let request = try await site.makeRequest("web")
        let submitted = try await site.certreq(
            "-submit", "-attrib", "CertificateTemplate:WebServer", request, site.path("web.cer"), site.path("web.p7b"))
        #expect(submitted.status == 0, "\(submitted.text) \(submitted.stderr)")
        #expect(submitted.text.hasPrefix("RequestId: "))
        #expect(submitted.text.hasSuffix("\nCertificate retrieved(Issued) Issued\n"))
        let chain = try await succeed([
            "openssl", "pkcs7", "-print_certs", "-in", site.path("web.p7b"), "-noout",
        ]).text.split(separator: "\n").filter { $0.hasPrefix("subject=") }
        #expect(chain.count == 3 && chain[2].contains("Test Root CA"), "the root is last: \(chain)")
        let serial = try await site.serial(of: "web.cer").lowercased()
        let revoked = try await site.certutil("-revoke", serial, "1")
        #expect(
            revoked.text
                == "Revoking \"\(serial)\" -- Reason: Key Compromise\nCertUtil: -revoke command completed successfully.\n"
        )
        let published = try await site.certutil("-CRL")
        #expect(published.text == "CertUtil: -CRL command completed successfully.\n", "\(published.stderr)")
        let list = try await site.certutil("-gmt", "-seconds", site.path("issuing/publish/Test Issuing CA.crl"))
        #expect(list.text.contains("  Serial Number: \(serial)\n"))
        #expect(list.text.contains("CRL Reason Code: 1 (keyCompromise)"))
        #expect(list.text.contains("s GMT\n"))
        let rows = try await site.certutil("-view", "revoked", "-out", "RequestID,SerialNumber")
        #expect(rows.text.contains("  Serial Number: \"\(serial)\"\n"), "\(rows.text)")
        #expect(rows.text.contains("\n1 Rows\n"))
        let table = try await site.certutil(
            "-view", "log", "csv", "-restrict", "Disposition=21", "-out", "SerialNumber")
        #expect(table.text.hasPrefix("Serial Number\n\(serial)\n"))
        let denied = try await site.certutil("-deny", "1")
        #expect(denied.text.contains("CertUtil: -deny command FAILED: 0x80094003 (-2146877437)"), "\(denied.text)")
        let schema = try await site.certutil("-schema")
        #expect(schema.text.hasPrefix("Schema:\n  Column Name"))
        #expect(schema.text.contains("Request.RawArchivedKey") && schema.text.contains("65536"))
    }

    @Test("Registry values of the documents are named settings, and others are refused by name")
    func settings() async throws {
        let site = try await Site.issuing()
        let set = try await site.certutil("-setreg", "ca\\CRLFlags", "+CRLF_USE_XCHG_CERT_TEMPLATE")
        let yaml = site.path("issuing/signet.yaml")
        #expect(
            set.text == """
                \(yaml):

                Old Value:
                  CRLFlags REG_DWORD = 0

                New Value:
                  CRLFlags REG_DWORD = 4000 (16384)
                    CRLF_USE_XCHG_CERT_TEMPLATE -- 4000 (16384)
                CertUtil: -setreg command completed successfully.
                The CertSvc service may need to be restarted for changes to take effect.

                """, "\(set.text) \(set.stderr)")
        #expect(try String(contentsOfFile: yaml, encoding: .utf8).contains("\n  require-template: true\n"))
        for (name, value) in [("ValidityPeriodUnits", "1"), ("ValidityPeriod", "Years"), ("CRLPeriodUnits", "2")] {
            let result = try await site.certutil("-setreg", "CA\\\(name)", value)
            #expect(result.status == 0, "\(result.text) \(result.stderr)")
        }
        let text = try String(contentsOfFile: yaml, encoding: .utf8)
        #expect(text.contains("\n  maximum-validity-days: 365\n") && text.contains("\n  period-days: 14\n"))
        let foreign = try await site.certutil("-setreg", "ca\\KRAFlags", "+KRAF_ENABLEFOREIGN")
        #expect(
            foreign.text.contains("New Value:\n  KRAFlags REG_DWORD = 1\n    KRAF_ENABLEFOREIGN -- 1\n"),
            "\(foreign.text)")
        let separated = try await site.certutil("-setreg", "ca\\RoleSeparationEnabled", "1")
        #expect(separated.text.contains("  RoleSeparationEnabled REG_DWORD = 1\n"), "\(separated.text)")
        for unknown in [
            ["ca\\AuditFilter", "127"], ["policy\\EditFlags", "+1"], ["ca\\CRLFlags", "+CRLF_SAVE_FAILED_CERTS"],
        ] {
            let refused = try await site.certutil("-setreg", unknown[0], unknown[1])
            #expect(refused.text.hasPrefix("CertUtil: -setreg command FAILED: 0x80070057 (WIN32: 87)\n"))
        }
    }

    @Test("What is no command is told with the code of Windows, and a verb without meaning names what to use")
    func refusals() async throws {
        let site = try Site.empty()
        let unknown = try await site.certutil("-foo", "bar")
        #expect(unknown.status == 1)
        #expect(
            unknown.text
                == "CertUtil: -dump command FAILED: 0x80070057 (WIN32: 87)\nCertUtil: The parameter is incorrect.\n")
        #expect(unknown.stderr.contains("Unknown arg: -foo"))
        let store = try await site.certutil("-addstore", "root", "x")
        #expect(store.stderr.contains("signet kra add"))
        let missing = try await site.certutil("-dump", site.path("nothing"))
        #expect(missing.text.hasPrefix("CertUtil: -dump command FAILED: 0x8007"))
        let none = try await site.certutil("-ping")
        #expect(none.text.contains("CertUtil: -ping command FAILED: 0x80070002 (WIN32: 2)\n"), "\(none.text)")
        let help = try await site.certutil("-?")
        #expect(help.status == 0 && help.text.hasPrefix("Verbs:\n") && help.text.contains("-GetKey"))
        #expect(try await site.signet("certutil", "-?").text == help.text)
    }
}
