import Foundation
import TestSupport
import Testing

@Suite("Root and issuing CA, made on the command line")
struct HierarchyTests {
    @Test(
        "The chain verifies, and a revoked certificate is refused after the next CRL", arguments: ["p-256", "rsa-2048"])
    func chainAndRevocation(algorithm: String) async throws {
        let site = try await Site.issuing(keyAlgorithm: algorithm)
        let request = try await site.makeRequest("www")
        let certificate = site.path("www.crt")
        try await site.operate(
            "request", "submit", "--instance", site.path("issuing"), "--template", "WebServer", "--out", certificate,
            request)
        let verify = { (crls: String) in
            [
                "openssl", "verify", "-crl_check_all", "-CRLfile", crls, "-CAfile", site.path("chain.pem"), certificate,
            ]
        }
        try await succeed(verify(site.crls()))
        try await self.judge(certificate, on: site)

        let serial = try await site.serial(of: "www.crt")
        try await site.operate(
            "certificate", "revoke", "--instance", site.path("issuing"), "--reason", "keyCompromise", serial)
        try await site.operate("crl", "publish", "--instance", site.path("issuing"))
        let refused = try await run(verify(site.crls()))
        #expect(refused.status == 2)
        #expect((refused.text + refused.stderr).contains("error 23 at 0 depth lookup: certificate revoked"))
        let crl = try await succeed([
            "openssl", "crl", "-inform", "DER", "-in", site.path("issuing/publish/Test Issuing CA.crl"), "-noout",
            "-text",
        ]).text
        #expect(crl.contains("Serial Number: \(serial)"))
        #expect(crl.contains("Key Compromise"))
        try await site.operate("audit", "verify", "--instance", site.path("issuing"))
    }

    /// Independent readers: openssl, GnuTLS and Python's cryptography.
    private func judge(_ certificate: String, on site: Site) async throws {
        let text = try await succeed(["openssl", "x509", "-in", certificate, "-noout", "-text"]).text
        #expect(text.contains("DNS:www.example.test"))
        #expect(text.contains("CA Issuers - URI:http://localhost:2/ca/Test%20Issuing%20CA.crt"))
        #expect(text.contains("URI:http://localhost:2/ca/Test%20Issuing%20CA.crl"))
        let chain = FileManager.default.contents(atPath: certificate).map(Array.init) ?? []
        let rest = try site.directory.read("chain.pem")
        let verdict = try await succeed(["certtool", "--verify-chain"], input: chain + rest)
        #expect(verdict.text.contains("Chain verification output: Verified."))
        let program = """
            import sys
            from cryptography import x509
            for path in sys.argv[1:3]:
                for c in x509.load_pem_x509_certificates(open(path, 'rb').read()):
                    for e in c.extensions: print(e.oid.dotted_string, e.critical)
            for path in sys.argv[3:]:
                crl = x509.load_der_x509_crl(open(path, 'rb').read())
                print(crl.signature_hash_algorithm.name, [e.oid.dotted_string for e in crl.extensions], len(crl))
            """
        let script = try site.directory.write("read.py", Array(program.utf8))
        let read = try await succeed([
            "python3", "-W", "error::UserWarning", script, certificate, site.path("chain.pem"),
            site.path("issuing/publish/Test Issuing CA.crl"), site.path("root/publish/Test Root CA.crl"),
        ])
        #expect(read.text.contains("2.5.29.35"))
    }

    @Test("CA keys are private, sensitive, never extractable and local on their tokens")
    func keyAttributes() async throws {
        let site = try await Site.issuing()
        for label in ["root", "issuing"] {
            let objects = try await site.objects(on: label)
            #expect(objects.contains("Private Key Object; EC"))
            #expect(objects.contains("Access:     sensitive, always sensitive, never extractable, local"))
            #expect(!objects.contains("Usage:      decrypt"))
        }
    }

    @Test("A key that is not on a token is refused by name and never read as a file")
    func noSoftwareKey() async throws {
        let site = try Site.empty()
        let result = try await site.signet(
            "init", "root", site.path("ca"), "--name", "X", "--subject", "CN=X", "--module", Site.softHSM, "--token",
            "/etc/passwd", "--key-algorithm", "p-256", "--publication-url", "http://localhost:1")
        #expect(result.status == 1)
        #expect(result.stderr.contains("Could not use the key reference \"/etc/passwd\": it is not a pkcs11: URI"))
        #expect(result.stderr.contains("0x80070057"))
        #expect(!FileManager.default.fileExists(atPath: site.path("ca")))
    }

    @Test("A CA without its certificate does not issue, and says what to do")
    func notInstalled() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("issuing")
        try await site.operate(
            "init", "subordinate", site.path("issuing"), "--name", "Waiting CA", "--subject", "CN=Waiting CA",
            "--token-file", token, "--key-algorithm", "p-256", "--publication-url", "http://localhost:1",
            "--request-out", site.path("issuing.req"))
        try await succeed(["openssl", "req", "-in", site.path("issuing.req"), "-noout", "-verify"])
        let result = try await site.signet("crl", "publish", "--instance", site.path("issuing"))
        #expect(result.status == 1)
        #expect(result.stderr.contains("\"Waiting CA\" has no CA certificate yet"))
        #expect(result.stderr.contains("0x80094005"))
    }

    @Test("An instance that cannot be made leaves no directory and no key behind")
    func nothingHalfMade() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("root")
        let result = try await site.signet(
            "init", "subordinate", site.path("ca"), "--name", "X", "--subject", "CN=X", "--token-file", token,
            "--key-algorithm", "p-256", "--publication-url", "http://localhost:1", "--request-out",
            "/nonexistent/request")
        #expect(result.status == 1)
        #expect(result.stderr.contains("/nonexistent/request"))
        #expect(!FileManager.default.fileExists(atPath: site.path("ca")))
        #expect(try await !site.objects(on: "root").contains("Key Object"))
    }
}
