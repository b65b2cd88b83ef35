import Foundation
import TestSupport
import Testing

@Suite("certutil and files with keys")
struct CertutilKeyFileTests {
    @Test("PKCS #12 files are merged, each with its own password, and nothing is overwritten unasked")
    func merge() async throws {
        let site = try Site.empty()
        for name in ["first", "second"] { try await self.makePKCS12(site, name, subject: "/CN=\(name)") }
        try site.secret("new", to: "new.pw")
        let files = ["first", "second"].map { site.path("\($0).p12") }.joined(separator: ",")
        let sources = ["first", "second", "new"].map { "file:" + site.path("\($0).pw") }
        let merged = try await site.certutil(
            "-p", sources.joined(separator: ","), "-MergePFX", "-user", files, site.path("both.p12"))
        #expect(merged.text == "CertUtil: -MergePFX command completed successfully.\n", "\(merged.stderr)")
        let shown = try await succeed([
            "openssl", "pkcs12", "-in", site.path("both.p12"), "-passin", sources[2], "-nodes",
        ]).text
        #expect(shown.components(separatedBy: "BEGIN PRIVATE KEY").count == 3)
        for name in ["first", "second"] {
            #expect(shown.contains("subject=CN = \(name)"), "\(shown)")
        }
        let before = try site.directory.read("both.p12")
        let again = try await site.certutil(
            "-p", sources.joined(separator: ","), "-MergePFX", files, site.path("both.p12"))
        #expect(again.text.hasPrefix("CertUtil: -MergePFX command FAILED: 0x80070050 (WIN32: 80)\n"), "\(again.text)")
        #expect(try site.directory.read("both.p12") == before)
        let forced = try await site.certutil(
            "-f", "-p", sources.joined(separator: ","), "-MergePFX", files, site.path("both.p12"))
        #expect(forced.status == 0)
        #expect(try site.directory.read("both.p12") != before)
        let tooFew = try await site.certutil("-p", sources[0], "-MergePFX", files, site.path("x.p12"))
        #expect(tooFew.text.hasPrefix("CertUtil: -MergePFX command FAILED: 0x80070057 (WIN32: 87)\n"))
        #expect(tooFew.stderr.contains("-p has 1 sources, and 3 passwords are needed"))
        try site.directory.write("old.epf", Array("[Password Token]\nProtection=CAST\n".utf8))
        let unknown = try await site.certutil(
            "-p", sources.joined(separator: ","), "-MergePFX", "\(site.path("first.p12")),\(site.path("old.epf"))",
            site.path("x.p12"))
        #expect(
            unknown.text.hasPrefix("CertUtil: -MergePFX command FAILED: 0x8007000d (WIN32: 13)\n"), "\(unknown.text)")
        #expect(!FileManager.default.fileExists(atPath: site.path("x.p12")))
    }

    @Test("A PKCS #12 of another CA is imported with -f and the setting alone, with the counters of the white paper")
    func imported() async throws {
        let site = try await Site.issuing()
        _ = try await site.makeAgent()
        try await self.makePKCS12(site, "foreign", subject: "/CN=Foreign User")
        let command = ["-p", "file:" + site.path("foreign.pw"), "-importKMS", site.path("foreign.p12")]
        let counters = { (imported: [String]) in
            ([
                "Processing KMS exports from:", "    \(site.path("foreign.p12"))", "", "Users: 1",
                "Certificates with keys: 1",
            ]
                + imported + ["CertUtil: -ImportKMS command completed successfully.", ""]).joined(separator: "\n")
        }
        let refused = [
            "Certificates not imported: 1", "Keys: 1", "Keys not archived: 1",
        ]
        for options in [[], ["-f"]] {
            let result = try await site.certutil(options + command)
            #expect(result.text == counters(refused), "\(result.text) \(result.stderr)")
        }
        let set = try await site.certutil("-setreg", "ca\\KRAFlags", "+KRAF_ENABLEFOREIGN")
        #expect(set.status == 0, "\(set.stderr)")
        #expect(try await site.certutil(command).text == counters(refused))
        let taken = try await site.certutil(["-f"] + command)
        #expect(
            taken.text
                == counters([
                    "Foreign certificates imported: 1", "Certificates imported: 1", "Keys: 1", "Keys archived: 1",
                ]), "\(taken.text) \(taken.stderr)")
        let found = try await site.certutil("-getkey", "Foreign User", site.path("foreign.rec"))
        #expect(found.status == 0, "\(found.text)")
        try site.directory.write("old.epf", Array("[Password Token]\nProtection=CAST\n".utf8))
        let unknown = try await site.certutil("-importkms", site.path("old.epf"))
        #expect(
            unknown.text
                == "CertUtil: -ImportKMS command FAILED: 0x8007000d (WIN32: 13)\nCertUtil: The data is invalid.\n")
    }

    @Test("A PKCS #12 goes onto a token, or into the directory of keys where certreq makes them")
    func installed() async throws {
        let site = try Site.empty()
        try await self.makePKCS12(site, "user", subject: "/CN=User")
        let command = ["-p", "file:" + site.path("user.pw"), "-importpfx", "-user", site.path("user.p12")]
        let stored = try await site.certutil(command)
        #expect(stored.text.hasSuffix("CertUtil: -ImportPFX command completed successfully.\n"), "\(stored.stderr)")
        let files = try FileManager.default.contentsOfDirectory(atPath: site.path("keys"))
        #expect(files.count == 1)
        let certificate = try await succeed([
            "openssl", "pkcs12", "-in", site.path("keys/\(files[0])"), "-passin", "file:" + site.path("user.pw"),
            "-nodes",
        ]).text
        #expect(certificate.contains("subject=CN = User") && certificate.contains("BEGIN PRIVATE KEY"))
        let again = try await site.certutil(command)
        #expect(again.text.hasPrefix("CertUtil: -ImportPFX command FAILED: 0x80070050 (WIN32: 80)\n"), "\(again.text)")
        #expect(try await site.certutil(["-f"] + command).status == 0)

        let token = try await site.makeToken("card")
        let onToken = try await site.certutil(command + ["-tokenfile", token])
        #expect(onToken.status == 0, "\(onToken.text) \(onToken.stderr)")
        let objects = try await site.objects(on: "card")
        #expect(objects.contains("Private Key Object; RSA") && objects.contains("Certificate Object"), "\(objects)")
        #expect(
            objects.contains("Usage:      decrypt, unwrap\n") || objects.contains("Usage:      decrypt"), "\(objects)")

        let small = try await site.makeCard("small", profile: "generic-8k-smartcard")
        try await self.makePKCS12(site, "large", subject: "/CN=Large", bits: 4096)
        let before = try await site.objects(on: "small")
        let full = try await site.certutil(
            "-p", "file:" + site.path("large.pw"), "-importpfx", site.path("large.p12"), "-tokenfile", small)
        #expect(full.text.hasPrefix("CertUtil: -ImportPFX command FAILED: 0x80100028"), "\(full.text)")
        #expect(try await site.objects(on: "small") == before)
    }

    @Test("A verb that has no meaning here says what to use")
    func elsewhere() async throws {
        let site = try Site.empty()
        for (verb, advice) in [
            ("sign", "certutil -CRL"), ("addstore", "signet kra add"), ("repairstore", "certutil -verifykeys"),
        ] {
            let result = try await site.certutil("-\(verb)", "x")
            #expect(result.status == 1)
            #expect(
                result.text
                    == "CertUtil: -\(verb) command FAILED: 0x80070057 (WIN32: 87)\nCertUtil: The parameter is incorrect.\n"
            )
            #expect(result.stderr.contains(advice), "\(result.stderr)")
        }
    }

    /// `NAME.p12` with the password in `NAME.pw`, as openssl makes it.
    private func makePKCS12(_ site: Site, _ name: String, subject: String, bits: Int = 2048) async throws {
        let configuration = try site.directory.write(
            "req.cnf",
            Array("[req]\ndistinguished_name=dn\nx509_extensions=leaf\n[dn]\n[leaf]\nbasicConstraints=CA:FALSE\n".utf8))
        try await succeed([
            "openssl", "req", "-x509", "-config", configuration, "-newkey", "rsa:\(bits)", "-nodes", "-keyout",
            site.path("\(name).key"), "-out", site.path("\(name).crt"), "-subj", subject, "-days", "30",
        ])
        try site.secret(name, to: "\(name).pw")
        try await succeed([
            "openssl", "pkcs12", "-export", "-inkey", site.path("\(name).key"), "-in", site.path("\(name).crt"), "-out",
            site.path("\(name).p12"), "-passout", "file:" + site.path("\(name).pw"),
        ])
    }
}
