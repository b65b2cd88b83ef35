import Foundation
import TestSupport
import Testing

@Suite("Qualified subordination, cross-certificates and existing keys")
struct SubordinationTests {
    @Test("A policy file's extensions stand in the certificate, at installation and at renewal")
    func policyFile() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("root")
        let policy = try site.directory.write(
            "CAPolicy.inf",
            Array(
                """
                [Version]
                Signature = "$Windows NT$"
                [PolicyStatementExtension]
                Policies = Legal
                [Legal]
                OID = 1.3.6.1.4.1.311.21.43
                Notice = "Legal policy"
                URL = http://www.example.test/legal
                [CRLDistributionPoint]
                URL = http://pki.example.test/%3%8.crl
                [BasicConstraintsExtension]
                PathLength = 1
                [Certsrv_Server]
                RenewalValidityPeriod = Years
                RenewalValidityPeriodUnits = 8
                RenewalKeyLength = 384
                CRLPeriod = Weeks
                CRLPeriodUnits = 4
                LoadDefaultTemplates = False

                """.utf8))
        let root = site.path("root")
        try await site.operate(
            "init", "root", root, "--name", "Test Root CA", "--subject", "CN=Test Root CA,O=Test", "--token-file",
            token, "--key-algorithm", "p-256", "--publication-url", "http://localhost:1", "--policy", policy)
        #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/templates").isEmpty)
        let configuration = try String(contentsOfFile: root + "/signet.yaml", encoding: .utf8)
        #expect(configuration.contains("period-days: 28"))
        try await site.operate("ca", "renew", "--instance", root, "--new-key")
        for (name, suffix, curve) in [("Test Root CA.crt", "", "P-256"), ("Test Root CA(1).crt", "(1)", "P-384")] {
            let text = try await site.text(ofCertificate: "root/publish/\(name)")
            #expect(text.contains("CA:TRUE, pathlen:1"))
            #expect(text.contains("Policy: 1.3.6.1.4.1.311.21.43"))
            #expect(text.contains("CPS: http://www.example.test/legal"))
            #expect(text.contains("Explicit Text: Legal policy"))
            #expect(text.contains("URI:http://pki.example.test/Test%20Root%20CA\(suffix).crl"))
            #expect(text.contains("NIST CURVE: \(curve)"))
            let path = site.path("root/publish/\(name)")
            let end = try await succeed([
                "openssl", "x509", "-inform", "DER", "-in", path, "-noout", "-checkend", "252288000",
            ])
            #expect(end.status == 0)
        }
    }

    @Test("A cross-certificate lets in what its constraints allow, for every judge, and nothing else")
    func crossCertificate() async throws {
        let site = try await Site.issuing()
        // Another company's root and what it issues.
        let token = try await site.makeToken("other")
        let other = site.path("other")
        try await site.operate(
            "init", "root", other, "--name", "Other CA", "--subject", "CN=Other CA,O=Other", "--token-file", token,
            "--key-algorithm", "p-256", "--publication-url", "http://localhost:1")
        let limits = try site.directory.write(
            "limits.yaml", Array("path-length: 0\nname-constraints: {permitted: {dns: [allowed.example.test]}}\n".utf8))
        let cross = site.path("cross.crt")
        try await site.operate(
            "ca", "cross-certify", "--instance", site.path("root"), "--constraints", limits, "--validity-days", "100",
            "--out", cross, other + "/publish/Other CA.crt")
        for name in ["allowed", "forbidden"] {
            try await site.operate(
                "request", "submit", "--instance", other, "--template", "WebServer", "--out", site.path("\(name).crt"),
                try await site.makeRequest(name))
        }
        let root = try await site.pem(["root/publish/Test Root CA.crt"], "trusted")
        let verify = { (leaf: String) in
            try await run(["openssl", "verify", "-x509_strict", "-CAfile", root, "-untrusted", cross, site.path(leaf)])
        }
        #expect(try await verify("allowed.crt").status == 0)
        let refused = try await verify("forbidden.crt")
        #expect(refused.status == 2)
        #expect((refused.text + refused.stderr).contains("permitted subtree violation"))
        #expect(try await site.certtool(["allowed.crt", "cross.crt", "trusted.pem"]))
        #expect(try await !site.certtool(["forbidden.crt", "cross.crt", "trusted.pem"]))
        #expect(
            try await site.cryptography(leaf: "allowed.crt", between: "cross.crt", root: "trusted.pem", host: "allowed")
        )
        #expect(
            try await !site.cryptography(
                leaf: "forbidden.crt", between: "cross.crt", root: "trusted.pem", host: "forbidden"))
        // It has its row, and can be revoked.
        let serial = try await site.serial(of: "cross.crt")
        try await site.operate(
            "certificate", "revoke", "--instance", site.path("root"), "--reason", "superseded", serial)
        try await site.operate("crl", "publish", "--instance", site.path("root"))
        let crl = try await succeed([
            "openssl", "crl", "-inform", "DER", "-in", site.path("root/publish/Test Root CA.crl"), "-noout", "-text",
        ]).text
        #expect(crl.contains("Serial Number: \(serial)"))
        try await site.operate("audit", "verify", "--instance", site.path("root"))
    }

    @Test("A CA is made again from its key on the token and its certificate; broken keys are not offered")
    func existingKey() async throws {
        let site = try Site.empty()
        try await site.makeRoot()
        let token = site.path("root.yaml")
        try await site.breakKey(on: "root")
        let listed = try await site.operate("ca", "keys", "--token-file", token)
        let uris = listed.text.split(separator: "\n").filter { $0.hasPrefix("pkcs11:") }.map(String.init)
        #expect(uris.count == 1)
        #expect(listed.text.contains("Label: Test Root CA"))
        #expect(listed.stderr.contains("not offered: broken (p-256): Could not sign with the key pkcs11:"))
        let uri = try #require(uris.first)
        try await site.operate(
            "init", "root", site.path("again"), "--name", "Test Root CA", "--subject", "CN=Test Root CA,O=Test",
            "--token-file", token, "--existing-key", uri, "--certificate", site.path("root/publish/Test Root CA.crt"),
            "--publication-url", "http://localhost:1")
        #expect(
            try site.directory.read("again/publish/Test Root CA.crt")
                == site.directory.read("root/publish/Test Root CA.crt"))
        try await site.operate("crl", "publish", "--instance", site.path("again"))
        // A new certificate for the key is possible, too; another key's certificate is not, and the key stays.
        let wrong = try await site.signet(
            "init", "root", site.path("wrong"), "--name", "X", "--subject", "CN=X", "--token-file", token,
            "--existing-key", "pkcs11:object=broken", "--certificate",
            site.path("root/publish/Test Root CA.crt"), "--publication-url", "http://localhost:1")
        #expect(wrong.status == 1)
        #expect(wrong.stderr.contains("the signature that the token returned does not verify"))
        #expect(!FileManager.default.fileExists(atPath: site.path("wrong")))
        let foreign = try await site.makeToken("foreign")
        try await site.operate(
            "init", "root", site.path("foreign-ca"), "--name", "F", "--subject", "CN=F", "--token-file", foreign,
            "--key-algorithm", "p-256", "--publication-url", "http://localhost:1")
        let mismatch = try await site.signet(
            "init", "root", site.path("wrong"), "--name", "X", "--subject", "CN=X", "--token-file", token,
            "--existing-key", uri, "--certificate", site.path("foreign-ca/publish/F.crt"), "--publication-url",
            "http://localhost:1")
        #expect(mismatch.stderr.contains("its public key is not that of the key on the token"))
        #expect(mismatch.stderr.contains("0x80094005"))
        #expect(try await site.objects(on: "root").components(separatedBy: "Private Key Object").count == 3)
    }
}
