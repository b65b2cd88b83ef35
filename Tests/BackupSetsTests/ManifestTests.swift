import BackupSets
import Foundation
import PKIMessages
import SecretMemory
import TestSupport
import Testing

@Suite("The manifest of a backup")
struct ManifestTests {
    static func manifest(
        link: BackupManifest.Link? = nil, certificates: [[UInt8]] = []
    ) -> BackupManifest {
        BackupManifest(
            backupID: String(repeating: "ab", count: 16), kind: link == nil ? .full : .incremental, link: link,
            changeNumber: 7, authority: "Test CA", authoritySHA256: String(repeating: "cd", count: 32),
            certificates: certificates.map { Hexadecimal.lower(Digest.sha256.hash($0)) },
            createdWhen: Date(timeIntervalSince1970: 1_800_000_000), program: "0.1.0", migrations: ["one", "two"],
            state: .init(crlNumber: 3, requestID: 4, intentID: 5, auditSequence: 6, auditHash: "ef"),
            // The second as it was written before manifests said how keys are kept.
            keys: [
                .init(
                    role: .authority, reference: "pkcs11:token=ca", publicKeySHA256: "01", subject: "CN=Test CA",
                    keeping: .init(.copied, "spare")),
                .init(role: .exchange, reference: "pkcs11:token=ca", publicKeySHA256: "02", subject: "CN=Test CA-Xchg"),
            ],
            files: [.init(path: "Database/Test CA.edb", byteCount: 100, sha256: "23")],
            entries: [.init(kind: .database, name: "signet.sqlite", byteCount: 50, sha256: "45")])
    }

    @Test("It is read as it was written", arguments: [nil, BackupManifest.Link(base: "ab", position: 1, after: 5)])
    func roundTrip(_ link: BackupManifest.Link?) throws {
        let manifest = Self.manifest(link: link)
        #expect(try BackupManifest(json: manifest.json(), name: "manifest") == manifest)
    }

    @Test("Cut anywhere, or with blanks, unknown or repeated keys, it is refused")
    func strictness() throws {
        let json = try Self.manifest().json()
        for length in json.indices {
            #expect(throws: BackupError.changed("", ""), "cut to \(length)") {
                try BackupManifest(json: Array(json.prefix(length)), name: "manifest")
            }
        }
        let text = String(decoding: json, as: UTF8.self)
        for other in [
            " " + text, text + "\n", text.replacing("{\"authority\"", with: "{\"aaa\":1,\"authority\""),
            text.replacing("\"format\":1", with: "\"format\":1,\"format\":1"),
            text.replacing("Database/Test CA.edb", with: "../Test CA.edb"),
            text.replacing("\"kind\":\"full\"", with: "\"kind\":\"incremental\""),
        ] {
            #expect(other != text)
            #expect(throws: BackupError.changed("", "")) {
                try BackupManifest(json: Array(other.utf8), name: "manifest")
            }
        }
    }

    @Test("A manifest of a newer format is told as such")
    func newer() throws {
        let text = String(decoding: try Self.manifest().json(), as: UTF8.self)
            .replacing("\"format\":1", with: "\"format\":2,\"new\":true")
        let error = #expect(throws: BackupError.self) {
            try BackupManifest(json: Array(text.utf8), name: "manifest")
        }
        #expect(error?.code == .newerFormat)
    }

    @Test("A manifest signed by another key, or with any byte changed or missing, is refused")
    func signature() async throws {
        let directory = try TemporaryDirectory()
        let made = try await run([
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory.path("key.pem"), "-out",
            directory.path("certificate.pem"), "-subj", "/CN=Test CA",
        ])
        #expect(made.status == 0, "\(made.stderr)")
        let key = try SecretBytes(copying: TextEncoding.decode(directory.read("key.pem"), what: "key"))
        let certificate = try CertificateFields(
            derEncoded: TextEncoding.decode(directory.read("certificate.pem"), what: "certificate"))
        let draft = try SignedDataDraft(
            eContentType: OID.data, eContent: Self.manifest(certificates: [certificate.derBytes]).json(),
            signer: .issuerAndSerialNumber(IssuerAndSerialNumber(certificate)), signatureAlgorithm: .rsa(.sha256),
            certificates: [certificate.derBytes])
        let message = try draft.assemble(
            signature: SoftwareKeys.sign(draft.bytesToSign, with: key, digest: .sha256))
        func check(_ bytes: [UInt8], _ key: SubjectPublicKeyInfo) throws {
            try SignedManifest(bytes: bytes, name: "manifest").verify(with: [key], name: "manifest")
        }
        try check(message, certificate.subjectPublicKeyInfo)
        let other = try PrivateKeyInfo(derEncoded: SoftwareKeys.generate(.p256)).subjectPublicKeyInfo()
        let error = #expect(throws: BackupError.self) { try check(message, other) }
        #expect(error?.code == .foreign)
        for length in stride(from: 0, to: message.count, by: 3) {
            #expect(throws: BackupError.self, "cut to \(length)") {
                try check(Array(message.prefix(length)), certificate.subjectPublicKeyInfo)
            }
        }
        for index in message.indices {
            for mask in [UInt8(0x01), 0x80] {
                var damaged = message
                damaged[index] ^= mask
                #expect(throws: BackupError.self, "byte \(index) flipped by \(mask)") {
                    try check(damaged, certificate.subjectPublicKeyInfo)
                }
            }
        }
    }
}
