import KeyProvider
import SecretMemory
import TestSupport
import Testing

@testable import PKCS11
@testable import PKCS11KeyProvider

@Suite struct EncodingTests {
    @Test("A certificate's fields are its own bytes, and damage is refused by code or read without a crash")
    func certificate() async throws {
        let key = try await OpenSSL.rsaKey()
        let certificate = try await OpenSSL.certificate(for: key.subjectPublicKeyInfo)
        let fields = try CertificateFields(certificate)
        #expect(fields.subjectPublicKeyInfo == key.subjectPublicKeyInfo)
        #expect(fields.serialNumber.first == 0x02)
        #expect(String(decoding: fields.subject, as: UTF8.self).contains("Subject"))
        #expect(String(decoding: fields.issuer, as: UTF8.self).contains("Throw-away CA"))
        for prefix in certificate.indices {
            #expect(throws: KeyProviderError.of(.invalidCertificate)) {
                try CertificateFields(Array(certificate[..<prefix]))
            }
        }
        #expect(throws: KeyProviderError.of(.invalidCertificate)) { try CertificateFields(certificate + [0]) }
        for damaged in certificate.damaged { self.attempt { _ = try CertificateFields(damaged) } }
    }

    @Test("An RSA SubjectPublicKeyInfo reads and writes back identically, and nothing damaged reads as the same key")
    func publicKey() async throws {
        let der = try await OpenSSL.rsaKey().subjectPublicKeyInfo
        let key = try SubjectPublicKeyInfo.rsaComponents(der, operation: "read")
        #expect(SubjectPublicKeyInfo.rsa(modulus: key.modulus, publicExponent: key.publicExponent) == der)
        for damaged in der.damaged {
            self.attempt {
                let read = try SubjectPublicKeyInfo.rsaComponents(damaged, operation: "read")
                #expect(
                    SubjectPublicKeyInfo.rsa(modulus: read.modulus, publicExponent: read.publicExponent) == damaged)
            }
        }
    }

    @Test("A private key that is cut has no numbers; a changed one has none, or as many, each of them whole")
    func privateKeyNumbers() async throws {
        for (algorithm, arguments, count) in [
            (KeyAlgorithm.rsa(modulusBits: 2048), ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], 8),
            (.p256, ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], 1),
        ] {
            let made = try await run(["openssl", "genpkey", "-outform", "DER", "-algorithm"] + arguments)
            let plain = try await run(
                ["openssl", "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-outform", "DER"], input: made.stdout)
            let der = plain.stdout
            func numbers(_ bytes: [UInt8]) throws -> [Int] {
                try PrivateKeyNumbers.lend(SecretBytes(copying: bytes), of: algorithm, operation: "read") {
                    $0.map(\.bytes.count)
                }
            }
            let sizes = try numbers(der)
            #expect(sizes.count == count)
            for damaged in [der + [0]] + der.damaged {
                do {
                    let read = try numbers(damaged)
                    #expect(damaged.count == der.count && read.count == count && read.allSatisfy { $0 > 0 })
                    #expect(read.reduce(0, +) <= der.count)
                } catch { #expect((error as? KeyProviderError)?.code == .unsupported) }
            }
        }
    }

    /// Damage may be read or refused; an error is the module's own.
    private func attempt(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            #expect(error is KeyProviderError)
        }
    }

    @Test("A raw signature becomes DER with minimal integers, and one of a wrong length none")
    func signature() throws {
        var raw = [UInt8](repeating: 0, count: 64)
        raw[31] = 0x80
        raw[32] = 0x7F
        func encoded(_ raw: [UInt8], _ curve: NamedCurve) -> [UInt8]? {
            raw.withUnsafeBufferPointer { ECDSASignature.der(rawSignature: $0, curve: curve) }
        }
        let der = try #require(encoded(raw, .p256))
        #expect(der.prefix(8) == [0x30, 0x26, 0x02, 0x02, 0x00, 0x80, 0x02, 0x20])
        #expect(ECDSASignature.isValid(der: der, curve: .p256))
        #expect(encoded(raw.dropLast(), .p256) == nil)
        #expect(encoded(raw, .p384) == nil)
        #expect(encoded([UInt8](repeating: 0, count: 64), .p256) == nil)
        for damaged in der.damaged where damaged.count < der.count {
            #expect(!ECDSASignature.isValid(der: damaged, curve: .p256))
        }
        #expect(!ECDSASignature.isValid(der: der + [0], curve: .p256))
    }

    @Test("An EC point is read as OCTET STRING and bare, and not with another length", arguments: NamedCurve.allCases)
    func point(curve: NamedCurve) {
        let point: [UInt8] = [4] + [UInt8](repeating: 9, count: 2 * curve.fieldBytes)
        #expect(curve.uncompressedPoint(attributeValue: point) == point)
        #expect(curve.uncompressedPoint(attributeValue: DERWriter.octetString(point)) == point)
        #expect(curve.uncompressedPoint(attributeValue: Array(point.dropLast())) == nil)
        #expect(curve.uncompressedPoint(attributeValue: [2] + point.dropFirst()) == nil)
        #expect(NamedCurve(parametersDER: curve.parametersDER) == curve)
    }
}
