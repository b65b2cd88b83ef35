import Foundation
import SecretMemory
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import PKIMessages

@Suite("PKCS #12 files with several keys")
struct SeveralKeysTests {
    private struct Identity {
        let privateKey: SecretBytes
        let certificate: [UInt8]

        init(_ name: String) throws {
            self.privateKey = try SoftwareKeys.generate(.p256)
            let subject = try StrictDER.serialize(DistinguishedNameText.parse("CN=\(name)"))
            let tbs = TBSCertificate(
                serialNumber: [7], signatureAlgorithm: .ecdsaWithSHA256, issuerDER: subject,
                notBefore: .init(timeIntervalSince1970: 1_700_000_000),
                notAfter: .init(timeIntervalSince1970: 2_000_000_000), subjectDER: subject,
                subjectPublicKeyInfo: try PrivateKeyInfo(derEncoded: self.privateKey).subjectPublicKeyInfo(),
                extensions: [])
            let bytes = try tbs.derEncoded()
            self.certificate = try SignedObject.assemble(
                tbs: bytes, algorithm: .ecdsaWithSHA256,
                signature: SoftwareKeys.sign(bytes, with: self.privateKey, digest: .sha256))
        }

        var entry: PKCS12.Entry {
            get { .init(privateKey: self.privateKey, certificate: self.certificate, friendlyName: "é") }
        }
    }

    @Test(
        "Every key comes back with its certificate, and openssl reads all of them",
        arguments: [PKCS12.Protection.modern(rounds: 2048), .legacy(rounds: 2048)])
    func several(_ protection: PKCS12.Protection) async throws {
        let (one, two, issuer) = (try Identity("one"), try Identity("two"), try Identity("issuer"))
        let password = try SecretBytes(copying: "several keys".utf8)
        let file = try PKCS12.make(
            [one.entry, two.entry], chain: [issuer.certificate, issuer.certificate], password: password,
            protection: protection)
        let opened = try PKCS12.openAll(file, password: password)
        #expect(opened.entries.map(\.certificate) == [one.certificate, two.certificate])
        #expect(opened.entries.map(\.friendlyName) == ["é", "é"])
        for (entry, identity) in zip(opened.entries, [one, two]) {
            #expect(entry.privateKey.matches(identity.privateKey))
        }
        #expect(opened.certificates == [issuer.certificate])
        let directory = try TemporaryDirectory()
        let path = try directory.write("keys.p12", file.withUnsafeBytes { Array($0) })
        let judged = try await run(
            ["openssl", "pkcs12", "-in", path, "-nodes", "-info", "-passin", "env:PASSWORD"],
            environment: ["PASSWORD": "several keys"])
        #expect(judged.status == 0, "\(judged.stderr)")
        #expect(judged.text.components(separatedBy: "BEGIN PRIVATE KEY").count == 3)
        #expect(judged.text.components(separatedBy: "BEGIN CERTIFICATE").count == 4)
        let expected = protection == .legacy(rounds: 2048) ? "pbeWithSHA1And3-KeyTripleDES-CBC" : "AES-256-CBC"
        #expect(judged.stderr.contains(expected), "\(judged.stderr)")
    }

    @Test("A wrong password, a key of another certificate and a changed file are refused by code")
    func refused() throws {
        let (one, two) = (try Identity("one"), try Identity("two"))
        let password = try SecretBytes(copying: "right".utf8)
        #expect(throws: PKIMessageError.self) {
            try PKCS12.make(
                [.init(privateKey: one.privateKey, certificate: two.certificate, friendlyName: nil)], chain: [],
                password: password, protection: .modern(rounds: 1000))
        }
        let file = try PKCS12.make(
            [one.entry, two.entry], chain: [], password: password, protection: .modern(rounds: 1000))
        let wrong = #expect(throws: PKIMessageError.self) {
            try PKCS12.openAll(file, password: SecretBytes(copying: "wrong".utf8))
        }
        #expect(wrong?.code == .wrongPassword)
        let bytes = file.withUnsafeBytes { Array($0) }
        for length in stride(from: 0, to: bytes.count, by: 97) {
            #expect(throws: PKIMessageError.self) {
                try PKCS12.openAll(SecretBytes(copying: bytes.prefix(length)), password: password)
            }
        }
        for position in stride(from: 0, to: bytes.count, by: 61) {
            var changed = bytes
            changed[position] ^= 0x41
            let opened = try? PKCS12.openAll(SecretBytes(copying: changed), password: password)
            // What the MAC does not cover is its own names and the version.
            #expect(opened == nil || opened?.entries.map(\.certificate) == [one.certificate, two.certificate])
        }
    }
}
