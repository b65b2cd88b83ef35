import Foundation
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import PKIMessages

@Suite struct CertificateTests {
    @Test(
        "A certificate of ours is read by openssl, certtool and Python's cryptography",
        arguments: [
            SoftwareKeys.Kind.p256, .p384, .ed25519, .rsa(bits: 2048),
        ])
    func judges(_ kind: SoftwareKeys.Kind) async throws {
        let ca = try SoftwareCA(kind)
        let user = try PrivateKeyInfo(derEncoded: SoftwareKeys.generate(.p256)).subjectPublicKeyInfo()
        let certificate = try ca.issue(key: user)
        let directory = try TemporaryDirectory()
        try directory.write("ca.pem", Array(TextEncoding.pem(ca.certificate.derBytes, label: "CERTIFICATE").utf8))
        try directory.write("user.pem", Array(TextEncoding.pem(certificate.derBytes, label: "CERTIFICATE").utf8))
        try directory.write("user.der", certificate.derBytes)

        let verified = try await judge(
            "openssl", "verify", "-x509_strict", "-attime", "1767225600", "-CAfile", directory.path("ca.pem"),
            directory.path("user.pem"))
        #expect(verified.contains("OK"))
        let text = try await judge("openssl", "x509", "-noout", "-text", "-in", directory.path("user.pem"))
        for line in [
            "61:1e:23:c2:00:03:00:00:00:0e", "Issuer: C = DE, O = \"Example, Inc.\", CN = Test Root CA",
            "Subject: O = Example, CN = User", "Not Before: Dec 31 23:50:00 2025 GMT", "Key Encipherment",
            "E-mail Protection", "URI:http://ca.example/ca.crl", "CA Issuers - URI:http://ca.example/ca.cer",
            "DNS:host.example", "othername: UPN::user@example.com",
        ] {
            #expect(text.contains(line), "\(line) is not in \(text)")
        }
        let certtool = try await judge("certtool", "-i", "--inder", "--infile", directory.path("user.der"))
        #expect(certtool.contains("Subject: CN=User,O=Example"))
        let python = try await judge(
            "python3", "-c",
            """
            import sys; from cryptography import x509
            c = x509.load_der_x509_certificate(open(sys.argv[1], 'rb').read())
            print(hex(c.serial_number), c.version, len(list(c.extensions)), c.issuer.rfc4514_string())
            """, directory.path("user.der"))
        #expect(python == "0x611e23c200030000000e Version.v3 10 CN=Test Root CA,O=Example\\, Inc.,C=DE\n")
    }

    @Test("What was written is read back, field by field")
    func fields() throws {
        let ca = try SoftwareCA()
        let user = try PrivateKeyInfo(derEncoded: SoftwareKeys.generate(.p256)).subjectPublicKeyInfo()
        let certificate = try ca.issue(key: user)
        #expect(certificate.serialHex == "611E23C200030000000E")
        #expect(certificate.issuerDER == ca.certificate.subjectDER)
        #expect(certificate.notBefore == SoftwareCA.now - 600)
        #expect(certificate.subjectPublicKeyInfo == user)
        #expect(certificate.subjectKeyIdentifier == user.keyIdentifier)
        #expect(certificate.authorityKeyIdentifier == ca.publicKey.keyIdentifier)
        #expect(certificate.keyUsage == KeyUsage(keyEncipherment: true))
        #expect(certificate.extendedKeyUsages == [OID.encryptingFileSystem, OID.emailProtection])
        #expect(certificate.basicConstraints == nil)
        #expect(ca.certificate.basicConstraints == .isCertificateAuthority(maxPathLength: nil))
        #expect(ca.certificate.isSelfIssued && !certificate.isSelfIssued)

        let known = ExtensionDecoding(certificate.extensions)
        #expect(try known.microsoftTemplateName() == "User")
        #expect(try known.microsoftTemplate()?.majorVersion == 106)
        #expect(try known.applicationPolicies() == certificate.extendedKeyUsages)
        #expect(try known.crlDistributionPointURLs() == ["http://ca.example/ca.crl", "http://b.example/ca.crl"])
        #expect(try known.subjectAlternativeNames().compactMap(\.userPrincipalName) == ["user@example.com"])
        #expect(try ExtensionDecoding(ca.certificate.extensions).caVersion() == 0)
    }

    @Test("A certificate is signed by its issuer's key and by no other")
    func signatures() throws {
        let ca = try SoftwareCA()
        let certificate = try ca.issue(key: ca.publicKey)
        #expect(certificate.isSigned(by: ca.publicKey))
        #expect(try !certificate.isSigned(by: SoftwareCA().publicKey))
        #expect(try !certificate.isSigned(by: SoftwareCA(.ed25519).publicKey))
        var damaged = certificate.derBytes
        damaged[damaged.count - 1] ^= 1
        #expect(try !CertificateFields(derEncoded: damaged).isSigned(by: ca.publicKey))
    }

    @Test("A certificate signed with SHA-1 is read, and its signature is not believed")
    func sha1() async throws {
        let directory = try TemporaryDirectory()
        try await judge(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha1", "-subj", "/CN=Old", "-keyout",
            directory.path("key"), "-outform", "DER", "-out", directory.path("cert"))
        let old = try CertificateFields(derEncoded: directory.read("cert"))
        #expect(old.signatureAlgorithm == .sha1WithRSA)
        #expect(!old.isSigned(by: old.subjectPublicKeyInfo))
    }

    @Test(
        "Serial numbers must be positive, minimal and at most 20 octets long",
        arguments: [
            [], [0], [0x80], [0, 1], [UInt8](repeating: 1, count: 21),
        ] as [[UInt8]])
    func serialNumbers(_ serialNumber: [UInt8]) throws {
        let ca = try SoftwareCA()
        #expect(throws: PKIMessageError.invalidValue("", "")) {
            try ca.issue(key: ca.publicKey, serialNumber: serialNumber)
        }
    }

    @Test("Serial numbers print as openssl prints them")
    func serialHex() {
        #expect(SerialNumber.hex([0x61, 0x0E]) == "610E")
        #expect(SerialNumber.hex([0x00, 0x80]) == "80")
        #expect(SerialNumber.hex([0x00]) == "00")
        #expect(SerialNumber.hex([0xFF]) == "-01")
        #expect(SerialNumber.content(hex: "80") == [0x00, 0x80])
        #expect(SerialNumber.content(hex: "0f") == [0x0F])
        #expect(SerialNumber.content(hex: "f") == nil)
        #expect(SerialNumber.content(hex: "0x") == nil)
    }

    @Test("A validity that ends before it begins, and a repeated extension, cannot be written")
    func inconsistentFields() throws {
        let ca = try SoftwareCA()
        #expect(throws: PKIMessageError.invalidValue("", "")) {
            try ca.issue(key: ca.publicKey, notAfter: SoftwareCA.now - 601)
        }
        let twice = try ExtensionEncoding.caVersion(1)
        let tbs = TBSCertificate(
            serialNumber: [1], signatureAlgorithm: .ecdsaWithSHA256, issuerDER: ca.nameDER,
            notBefore: SoftwareCA.now, notAfter: SoftwareCA.now, subjectDER: ca.nameDER,
            subjectPublicKeyInfo: ca.publicKey, extensions: [twice, twice])
        #expect(throws: PKIMessageError.invalidValue("", "")) { try tbs.derEncoded() }
    }

    @Test("A name that is no DER, or not one whole sequence, cannot be written")
    func namesThatAreNone() throws {
        let ca = try SoftwareCA()
        let cut = Array(ca.nameDER.dropLast())
        for name: [UInt8] in [[], cut, [0x05, 0x00], [0x31] + ca.nameDER.dropFirst()] {
            for (issuer, subject) in [(name, ca.nameDER), (ca.nameDER, name)] {
                let tbs = TBSCertificate(
                    serialNumber: [1], signatureAlgorithm: .ecdsaWithSHA256, issuerDER: issuer,
                    notBefore: SoftwareCA.now, notAfter: SoftwareCA.now, subjectDER: subject,
                    subjectPublicKeyInfo: ca.publicKey, extensions: [])
                #expect(throws: PKIMessageError.malformed("", "")) { try tbs.derEncoded() }
            }
        }
        let longer = TBSCertificate(
            serialNumber: [1], signatureAlgorithm: .ecdsaWithSHA256, issuerDER: ca.nameDER + [0],
            notBefore: SoftwareCA.now, notAfter: SoftwareCA.now, subjectDER: ca.nameDER,
            subjectPublicKeyInfo: ca.publicKey, extensions: [])
        #expect(throws: PKIMessageError.trailingBytes("", count: 0)) { try longer.derEncoded() }
    }

    @Test("Another serial number of the same length changes that in the bytes to sign, and nothing else")
    func settingSerialNumber() throws {
        let ca = try SoftwareCA()
        var tbs = TBSCertificate(
            serialNumber: [0x61, 2, 3], signatureAlgorithm: .ecdsaWithSHA256, issuerDER: ca.nameDER,
            notBefore: SoftwareCA.now, notAfter: SoftwareCA.now, subjectDER: ca.nameDER,
            subjectPublicKeyInfo: ca.publicKey, extensions: [try ExtensionEncoding.caVersion(1)])
        let bytes = try tbs.derEncoded()
        tbs.serialNumber = [0x61, 0xFF, 0]
        let other = try tbs.derEncoded()
        #expect(try TBSCertificate.settingSerialNumber([0x61, 0xFF, 0], in: bytes) == other)
        for serial: [UInt8] in [[0x61, 2], [0x61, 2, 3, 4], [0x81, 2, 3], [0, 1, 2], []] {
            #expect(throws: PKIMessageError.invalidValue("", "")) {
                try TBSCertificate.settingSerialNumber(serial, in: bytes)
            }
        }
        for length in 0..<12 {
            #expect(throws: PKIMessageError.invalidValue("", "")) {
                try TBSCertificate.settingSerialNumber([0x61, 2, 3], in: Array(bytes[..<length]))
            }
        }
    }

    @Test("What the bytes to sign say is what the certificate made of them says")
    func toBeSigned() throws {
        let ca = try SoftwareCA()
        let certificate = try ca.issue(key: ca.publicKey)
        let unsigned = try CertificateFields(
            toBeSigned: certificate.tbsBytes, algorithm: certificate.signatureAlgorithm)
        #expect(unsigned.derBytes.isEmpty)
        #expect(!unsigned.isSigned(by: ca.publicKey))
        let signed = unsigned.signed(certificate.signature)
        #expect(signed.derBytes == certificate.derBytes)
        #expect(signed.serialNumber == certificate.serialNumber)
        #expect(signed.extensions == certificate.extensions)
        #expect(signed.isSigned(by: ca.publicKey))
        #expect(throws: PKIMessageError.malformed("", "")) {
            try CertificateFields(toBeSigned: certificate.tbsBytes, algorithm: .rsa(.sha256))
        }
        for damaged in certificate.tbsBytes.damaged {
            do {
                _ = try CertificateFields(toBeSigned: damaged, algorithm: certificate.signatureAlgorithm)
                #expect(damaged.count == certificate.tbsBytes.count)
            } catch {
                #expect(error is PKIMessageError)
            }
        }
    }

    @Test("What was read before is taken for the same bytes only")
    func knownParts() throws {
        let ca = try SoftwareCA()
        let certificate = try ca.issue(key: ca.publicKey)
        let other = try SoftwareCA()
        let foreign = try other.issue(key: other.publicKey)
        for parts in [
            KnownParts(names: [certificate.subjectName], keys: [certificate.subjectPublicKeyInfo]),
            KnownParts(names: [foreign.subjectName], keys: [foreign.subjectPublicKeyInfo, other.publicKey]),
        ] {
            let read = try CertificateFields(
                toBeSigned: certificate.tbsBytes, algorithm: certificate.signatureAlgorithm, known: parts)
            #expect(read.signed(certificate.signature).derBytes == certificate.derBytes)
            #expect(read.subject == certificate.subject && read.subjectDER == certificate.subjectDER)
            #expect(read.issuer == certificate.issuer && read.issuerDER == certificate.issuerDER)
            #expect(read.subjectPublicKeyInfo.keyBits == certificate.subjectPublicKeyInfo.keyBits)
            for damaged in certificate.tbsBytes.damaged {
                let plain = try? CertificateFields(toBeSigned: damaged, algorithm: certificate.signatureAlgorithm)
                let known = try? CertificateFields(
                    toBeSigned: damaged, algorithm: certificate.signatureAlgorithm, known: parts)
                #expect((plain == nil) == (known == nil) && plain?.subject == known?.subject)
                #expect(plain?.subjectPublicKeyInfo == known?.subjectPublicKeyInfo && plain?.issuer == known?.issuer)
            }
        }
    }

    @Test("No truncation and no flipped bit of a certificate crashes; every error is the module's own")
    func damage() throws {
        let ca = try SoftwareCA()
        let certificate = try ca.issue(key: ca.publicKey)
        for damaged in certificate.derBytes.damaged {
            do {
                let read = try CertificateFields(derEncoded: damaged)
                #expect(damaged.count == certificate.derBytes.count)
                #expect(!read.isSigned(by: ca.publicKey))
            } catch {
                #expect(error is PKIMessageError)
            }
        }
    }
}
