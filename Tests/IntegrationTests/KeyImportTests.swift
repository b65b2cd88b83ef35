import Foundation
import TestSupport
import Testing

@Suite("The key of an old software CA, brought onto a token")
struct KeyImportTests {
    @Test(
        "The CA goes on with its key: the same certificate, no plaintext left, and the token's evidence in the audit trail",
        arguments: [("rsa-3072", "old"), ("p-256", "new")])
    func imported(algorithm: String, subject: String) async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("ca")
        try await site.makeOldCA(algorithm)
        let file = try site.directory.read("old.p12")
        let result = try await site.importCA(token)
        #expect(result.status == 0, "\(result.stderr)")
        #expect(result.stderr.contains("warning: This key existed in software."))
        #expect(result.stderr.contains("destroy it"))
        #expect(try site.directory.read("old.p12") == file)
        let published = try await succeed([
            "openssl", "x509", "-inform", "DER", "-in", site.path("ca/publish/Old CA.crt"),
        ]).text
        #expect(published == String(decoding: try site.directory.read("old.crt"), as: UTF8.self))

        let objects = try await site.objects(on: "ca")
        #expect(objects.components(separatedBy: "Private Key Object").count == 2)
        #expect(objects.contains("Access:     sensitive\n"))
        #expect(!objects.contains("local") && !objects.contains("never extractable"))
        let audit = try await site.operate("audit", "show", "--instance", site.path("ca")).text
        #expect(audit.contains(" 10012 "))
        #expect(audit.contains("CKA_LOCAL") && audit.contains("false"))
        // It signs: what it issues and revokes leads to the old certificate.
        try await site.operate("crl", "publish", "--instance", site.path("ca"))
        try await succeed([
            "openssl", "crl", "-inform", "DER", "-in", site.path("ca/publish/Old CA.crl"), "-CAfile",
            site.path("old.crt"), "-noout", "-verify",
        ])
        try await site.operate(
            "request", "submit", "--instance", site.path("ca"), "--template", "WebServer", "--out",
            site.path("www.crt"),
            try await site.makeRequest("www"))
        try await succeed(["openssl", "verify", "-CAfile", site.path("old.crt"), site.path("www.crt")])
        try await site.operate("audit", "verify", "--instance", site.path("ca"))
    }

    @Test("A wrong password, another key's certificate, a weak key and a missing confirmation leave nothing behind")
    func refused() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("ca")
        try await site.makeOldCA("p-256")
        let before = try await site.objects(on: "ca")
        let nothing = { (result: ToolResult, code: String) async throws -> Void in
            #expect(result.status == 1)
            #expect(result.stderr.contains(code), "\(result.stderr)")
            #expect(try await site.objects(on: "ca") == before)
            #expect(!FileManager.default.fileExists(atPath: site.path("ca")))
        }
        try site.secret("wrong", to: "wrong")
        try await nothing(site.importCA(token, password: "wrong"), "0x80070056")
        try await succeed([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            site.path("other.key"), "-out", site.path("other.crt"), "-subj", "/CN=Old CA",
        ])
        try await nothing(
            site.importCA(token, ["--certificate", site.path("other.crt")]), "0x80094005")
        // Nobody is there to confirm it.
        try await nothing(site.importCA(token, confirmation: nil), "it was not confirmed")
        try await site.makeOldCA("rsa-1024", name: "weak")
        try await nothing(site.importCA(token, file: "weak"), "0x80094811")
        // A certificate that is no CA's.
        try await site.makeOldCA("p-256", name: "leaf", extensions: "basicConstraints=critical,CA:FALSE")
        try await nothing(site.importCA(token, file: "leaf"), "0x80094005")
        try site.directory.write("broken.p12", Array(try site.directory.read("old.p12").dropLast(9)))
        try await nothing(site.importCA(token, file: "broken"), "0x8007000d")
    }

    @Test(
        "At a terminal the CA's name has to be typed after the warning; any other line leaves nothing behind",
        arguments: [("Old CA", true), ("old ca", false), ("yes", false)])
    func typed(answer: String, isImported: Bool) async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("ca")
        try await site.makeOldCA("p-256")
        let before = try await site.objects(on: "ca")
        let shown = try await site.onTerminal(
            after: "type the CA's name (Old CA): ", type: "\(answer)\\n",
            [Programs.signet] + site.importArguments(token, confirmation: nil))
        #expect((shown.status == 0) == isImported, "\(shown.text)")
        let warning = try #require(shown.text.firstRange(of: "warning: This key existed in software."))
        let question = try #require(shown.text.firstRange(of: "To import it, type the CA's name"))
        #expect(warning.lowerBound < question.lowerBound)
        #expect(FileManager.default.fileExists(atPath: site.path("ca")) == isImported)
        if !isImported {
            #expect(shown.text.contains("it was not confirmed"))
            #expect(try await site.objects(on: "ca") == before)
        }
    }

    @Test("A card that is too small is refused before the key is written; one that is full in the middle is cleared")
    func fullCard() async throws {
        let site = try Site.empty()
        try await site.makeOldCA("rsa-4096")
        let unknown = "profile-overrides: {capacity.bytes: unknown, capacity.max_pairs.rsa4096: unknown}"
        for (label, overrides) in [("known", ""), ("unknown", unknown)] {
            let card = try await site.makeCard(label, profile: "generic-8k-smartcard", overrides: overrides)
            let before = try await site.objects(on: label)
            let result = try await site.importCA(card)
            #expect(result.status == 1)
            #expect(result.stderr.contains("0x80100028 SCARD_E_WRITE_TOO_MANY"), "\(result.stderr)")
            #expect(try await site.objects(on: label) == before)
            #expect(!FileManager.default.fileExists(atPath: site.path("ca")))
        }
    }

    @Test("Where the device wraps no private keys, the key is created on it, and works")
    func created() async throws {
        let site = try Site.empty()
        let card = try await site.makeCard(
            "card", profile: "softhsm2", overrides: "profile-overrides: {mechanisms.rfc5649: unknown}")
        for algorithm in ["rsa-2048", "p-384"] {
            try await site.makeOldCA(algorithm, name: algorithm)
            let result = try await site.importCA(card, file: algorithm, directory: algorithm)
            #expect(result.status == 0, "\(result.stderr)")
            try await site.operate("crl", "publish", "--instance", site.path(algorithm))
            try await succeed([
                "openssl", "crl", "-inform", "DER", "-in", site.path("\(algorithm)/publish/Old CA.crl"), "-CAfile",
                site.path("\(algorithm).crt"), "-noout", "-verify",
            ])
        }
        let ledger = try String(contentsOfFile: site.path("card.ledger"), encoding: .utf8)
        #expect(!ledger.contains("C_UnwrapKey"))
    }
}
