import SecretMemory
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import PKIMessages

/// The parsers that no other suite damages: keys, algorithms, single extensions, names, texts and key blobs.
@Suite("Damaged keys, algorithms, extensions, names and texts")
struct ParserSweepTests {
    @Test("A public key or algorithm that is cut is refused; a changed one is refused or kept as it is")
    func keysAndAlgorithms() throws {
        for kind in [SoftwareKeys.Kind.rsa(bits: 2048), .p256] {
            let der = try PrivateKeyInfo(derEncoded: SoftwareKeys.generate(kind)).subjectPublicKeyInfo().derBytes
            Sweep.truncation(der) { _ = try SubjectPublicKeyInfo(derEncoded: $0) }
            Sweep.byteFlips(der) { damaged in
                let key = try SubjectPublicKeyInfo(derEncoded: damaged)
                // Reading on must not crash either.
                _ = (key.namedCurve, key.rsaPublicKey, key.defaultSignatureAlgorithm)
                return key.derBytes
            }
        }
        // RSASSA-PSS with SHA-256 and a salt of 32 bytes (RFC 4055, section 3.1).
        for der in [SignatureAlgorithmIdentifier.sha256WithRSA.derBytes, Self.pss] {
            Sweep.truncation(der) { _ = try SignatureAlgorithmIdentifier(derEncoded: $0) }
            Sweep.byteFlips(der) { damaged in
                let algorithm = try SignatureAlgorithmIdentifier(derEncoded: damaged)
                if algorithm.algorithm == OID.rsaPSS { _ = try PSSParameters(algorithm) }
                return algorithm.derBytes
            }
        }
    }

    private static let pss: [UInt8] = {
        let hash: [UInt8] = [0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0]
        let mask: [UInt8] =
            [0x30, 26, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 8] + hash
        let parameters: [UInt8] = [0xA0, 15] + hash + [0xA1, 28] + mask + [0xA2, 3, 2, 1, 32]
        return [0x30, UInt8(13 + parameters.count), 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 10]
            + [0x30, UInt8(parameters.count)] + parameters
    }()

    @Test("An extension's value that is cut is refused; a changed one is refused or read, and nothing crashes")
    func extensions() throws {
        let policy: ASN1ObjectIdentifier = [1, 2, 3, 4]
        let samples: [(Certificate.Extension, (ExtensionDecoding) throws -> Void)] = [
            (try ExtensionEncoding.keyUsage(KeyUsage(digitalSignature: true)), { _ = try $0.keyUsage() }),
            (try ExtensionEncoding.extendedKeyUsage([OID.serverAuth]), { _ = try $0.extendedKeyUsages() }),
            (try ExtensionEncoding.subjectKeyIdentifier([1, 2, 3]), { _ = try $0.subjectKeyIdentifier() }),
            (try ExtensionEncoding.authorityKeyIdentifier([1, 2, 3]), { _ = try $0.authorityKeyIdentifier() }),
            (
                try ExtensionEncoding.subjectAlternativeName([.dnsName("a.test"), .userPrincipalName("a@b.test")]),
                { _ = try $0.subjectAlternativeNames() }
            ),
            (try ExtensionEncoding.microsoftTemplateName("User"), { _ = try $0.microsoftTemplateName() }),
            (
                try ExtensionEncoding.microsoftTemplate(policy, major: 100, minor: 2),
                { _ = try $0.microsoftTemplate() }
            ),
            (try ExtensionEncoding.caVersion(0x1_0002), { _ = try $0.caVersion() }),
            (
                try ExtensionEncoding.previousCACertificateHash(Array(1...20)),
                { _ = try $0.previousCACertificateHash() }
            ),
            (try ExtensionEncoding.applicationPolicies([policy]), { _ = try $0.applicationPolicies() }),
            (try ExtensionEncoding.freshestCRL(["http://a.test/b.crl"]), { _ = try $0.freshestCRLURLs() }),
        ]
        for (sample, read) in samples {
            func decoding(_ value: [UInt8]) -> ExtensionDecoding {
                ExtensionDecoding([Certificate.Extension(oid: sample.oid, critical: false, value: value[...])])
            }
            try read(decoding(Array(sample.value)))
            for damaged in Array(sample.value).damaged {
                let isCut = damaged.count < sample.value.count
                do {
                    try read(decoding(damaged))
                    #expect(!isCut, "\(sample.oid) cut to \(damaged.count)")
                } catch { #expect(error is PKIMessageError, "\(sample.oid): \(error)") }
            }
        }
    }

    @Test("A distinguished name with damage is refused, or is a name whose text reads back as the same text")
    func names() throws {
        let text = "CN=Alice\\, Example+OU=\\23People,1.2.3.4=#04020102,DC=example,E=alice@example.test"
        for damaged in [Array(text.utf8)] + Array(text.utf8).damaged {
            do {
                let name = try DistinguishedNameText.parse(String(decoding: damaged, as: UTF8.self))
                let printed = DistinguishedNameText.text(of: name)
                #expect(try DistinguishedNameText.text(of: DistinguishedNameText.parse(printed)) == printed)
            } catch { #expect(error is PKIMessageError, "\(String(decoding: damaged, as: UTF8.self)): \(error)") }
        }
    }

    @Test("Damaged PEM, base64 and UTF-16 text is refused by the module's own error, or is what it stands for")
    func texts() {
        let pem = TextEncoding.pem(Array(0...99), label: "CERTIFICATE")
        let utf16: [UInt8] = [0xFF, 0xFE] + pem.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        for text in [Array(pem.utf8), [0xEF, 0xBB, 0xBF] + Array(pem.utf8), utf16] {
            for damaged in text.damaged {
                do {
                    _ = try TextEncoding.decode(damaged, what: "text")
                } catch { #expect(error is PKIMessageError) }
            }
        }
    }

    @Test("A private key blob that is cut is refused; a changed one is refused or another key in the same form")
    func blobs() throws {
        let blob = try PrivateKeyBlob(privateKeyInfo: SoftwareKeys.generate(.rsa(bits: 1024))).bytes
        let bytes = blob.withUnsafeBytes { Array($0) }
        Sweep.truncation(bytes) { _ = try PrivateKeyBlob(SecretBytes(copying: $0)) }
        Sweep.byteFlips(bytes, step: 5) { damaged in
            try PrivateKeyBlob(SecretBytes(copying: damaged)).bytes.withUnsafeBytes { Array($0) }
        }
    }
}
