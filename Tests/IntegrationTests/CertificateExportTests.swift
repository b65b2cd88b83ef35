import Foundation
import TestSupport
import Testing

@Suite("Certificates in the formats of other programs")
struct CertificateExportTests {
    @Test("Java, NSS, Debian, Windows Mobile and PKCS #7 readers find the root or the chain")
    func formats() async throws {
        let site = try await Site.issuing()
        try site.secret("trust password", to: "pin")
        func export(_ format: String, _ out: String) async throws {
            try await site.operate(
                "certificate", "export", "--instance", site.path("issuing"), "--ca", "--format", format, "--password",
                "file:\(site.path("pin"))", "--out", site.path(out))
        }
        try await export("java", "trust.p12")
        try await self.judgeTrustStore(site)

        try await export("windows-mobile", "root.xml")
        let judged = try await succeed([
            "python3", "-c",
            """
            import base64, hashlib, sys, xml.etree.ElementTree as e
            root = e.parse(sys.argv[1]).getroot()
            assert root.tag == 'wap-provisioningdoc'
            stores = root.find("characteristic[@type='CertificateStore']")
            print([s.get('type') for s in stores])
            for store in stores:
                for c in store:
                    der = base64.b64decode(c.find('parm').get('value'), validate=True)
                    assert hashlib.sha1(der).hexdigest() == c.get('type')
            """, site.path("root.xml"),
        ])
        #expect(judged.text == "['ROOT', 'CA']\n")

        try await export("pkcs7", "chain.p7b")
        let chain = try await succeed([
            "openssl", "pkcs7", "-inform", "DER", "-print_certs", "-noout", "-in", site.path("chain.p7b"),
        ]).text.split(separator: "\n").filter { $0.hasPrefix("subject=") }
        #expect(chain.count == 2 && chain[0].contains("Test Issuing CA") && chain[1].contains("Test Root CA"))

        try await export("nss", "nss")
        try FileManager.default.createDirectory(atPath: site.path("db"), withIntermediateDirectories: false)
        try await succeed(["certutil", "-N", "-d", "sql:\(site.path("db"))", "--empty-password"])
        try await succeed(["sh", site.path("nss/import.sh"), "sql:\(site.path("db"))"])
        let trusted = try await succeed(["certutil", "-L", "-d", "sql:\(site.path("db"))"])
        #expect(trusted.text.contains("test-root-ca-") && trusted.text.contains("C,C,C"))

        try await export("debian", "debian")
        let files = try FileManager.default.contentsOfDirectory(atPath: site.path("debian"))
        #expect(files.count == 1 && files[0].hasSuffix(".crt"))
        try await succeed([
            "openssl", "verify", "-CAfile", site.path("debian/\(files[0])"), site.path("issuing.crt"),
        ])
        let again = try await site.signet(
            "certificate", "export", "--instance", site.path("issuing"), "--ca", "--out", site.path("root.xml"))
        #expect(again.status == 1, "nothing is overwritten")
    }

    /// OpenSSL shows the attribute that Java looks for; where there is a Java, it lists the entry.
    private func judgeTrustStore(_ site: Site) async throws {
        let shown = try await succeed([
            "openssl", "pkcs12", "-in", site.path("trust.p12"), "-nokeys", "-passin", "file:\(site.path("pin"))",
        ])
        #expect(shown.text.contains("2.16.840.1.113894.746875.1.1"), "\(shown.text)")
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/keytool") else { return }
        let listed = try await succeed([
            "keytool", "-list", "-keystore", site.path("trust.p12"), "-storetype", "PKCS12", "-storepass",
            "trust password",
        ])
        #expect(listed.text.contains("trustedCertEntry") && listed.text.contains("contains 1 entry"), "\(listed.text)")
    }

    @Test("A key that is not in a PKCS #12 cannot be exported, and one that is gets a new password")
    func keys() async throws {
        let site = try await Site.issuing()
        let refused = try await site.signet(
            "certificate", "export", "--instance", site.path("issuing"), "--ca", "--format", "pkcs12", "--out",
            site.path("ca.p12"))
        #expect(refused.status != 0 && refused.stderr.contains("never leaves it"))
        try site.secret("old", to: "old")
        try site.secret("new", to: "new")
        try await succeed([
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a", "-keyout", site.path("a.key"),
            "-out", site.path("a.crt"),
        ])
        try await succeed([
            "openssl", "pkcs12", "-export", "-in", site.path("a.crt"), "-inkey", site.path("a.key"), "-passout",
            "pass:old", "-out", site.path("a.p12"),
        ])
        try await site.operate(
            "certificate", "export", "--pkcs12", site.path("a.p12"), "--pkcs12-password", "file:\(site.path("old"))",
            "--format", "pkcs12", "--password", "file:\(site.path("new"))", "--out", site.path("b.p12"))
        let key = try await succeed([
            "openssl", "pkcs12", "-in", site.path("b.p12"), "-passin", "pass:new", "-nodes", "-nocerts",
        ])
        #expect(key.text.contains("PRIVATE KEY"))
        let shown = try await site.operate("show", "--password", "file:\(site.path("new"))", site.path("b.p12"))
        #expect(shown.text.contains("Private key matches Public Key"))
    }
}
