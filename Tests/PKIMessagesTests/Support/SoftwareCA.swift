import Foundation
import PKIMessages
import SecretMemory
import SwiftASN1
import Testing
import X509

/// A certification authority for tests, with a key in software. Time stands still at ``now``.
struct SoftwareCA {
    /// 2026-01-01T00:00:00Z.
    static let now = Date(timeIntervalSince1970: 1_767_225_600)
    static let day: TimeInterval = 86400

    let key: SecretBytes
    let publicKey: SubjectPublicKeyInfo
    let algorithm: SignatureAlgorithmIdentifier
    let nameDER: [UInt8]
    let certificate: CertificateFields

    init(_ kind: SoftwareKeys.Kind = .p256, name: String = "CN=Test Root CA,O=Example\\, Inc.,C=DE") throws {
        self.key = try SoftwareKeys.generate(kind)
        self.publicKey = try PrivateKeyInfo(derEncoded: self.key).subjectPublicKeyInfo()
        self.algorithm = try #require(self.publicKey.defaultSignatureAlgorithm)
        self.nameDER = try StrictDER.serialize(DistinguishedNameText.parse(name))
        let tbs = TBSCertificate(
            serialNumber: [0x01], signatureAlgorithm: self.algorithm, issuerDER: self.nameDER,
            notBefore: Self.now - 600, notAfter: Self.now + 3650 * Self.day, subjectDER: self.nameDER,
            subjectPublicKeyInfo: self.publicKey,
            extensions: [
                try ExtensionEncoding.basicConstraints(isCA: true),
                try ExtensionEncoding.keyUsage(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true)),
                try ExtensionEncoding.subjectKeyIdentifier(self.publicKey.keyIdentifier),
                try ExtensionEncoding.caVersion(0),
            ])
        self.certificate = try CertificateFields(
            derEncoded: Self.signed(tbs.derEncoded(), self.algorithm, with: self.key))
    }

    static func signed(
        _ tbs: [UInt8], _ algorithm: SignatureAlgorithmIdentifier, with key: SecretBytes
    ) throws -> [UInt8] {
        let signature = try SoftwareKeys.sign(tbs, with: key, digest: algorithm.digest ?? .sha256)
        return SignedObject.assemble(tbs: tbs, algorithm: algorithm, signature: signature)
    }

    /// A certificate with the extensions of a user's certificate, and a serial number of ten bytes.
    func issue(
        to subject: String = "CN=User,O=Example", key: SubjectPublicKeyInfo,
        serialNumber: [UInt8] = [0x61, 0x1E, 0x23, 0xC2, 0, 3, 0, 0, 0, 0x0E], notAfter: Date = now + 365 * day
    ) throws -> CertificateFields {
        let tbs = try TBSCertificate(
            serialNumber: serialNumber, signatureAlgorithm: self.algorithm, issuerDER: self.nameDER,
            notBefore: Self.now - 600, notAfter: notAfter,
            subjectDER: StrictDER.serialize(DistinguishedNameText.parse(subject)), subjectPublicKeyInfo: key,
            extensions: [
                ExtensionEncoding.subjectKeyIdentifier(key.keyIdentifier),
                ExtensionEncoding.authorityKeyIdentifier(self.publicKey.keyIdentifier),
                ExtensionEncoding.keyUsage(KeyUsage(keyEncipherment: true)),
                ExtensionEncoding.extendedKeyUsage([OID.encryptingFileSystem, OID.emailProtection]),
                ExtensionEncoding.applicationPolicies([OID.encryptingFileSystem, OID.emailProtection]),
                ExtensionEncoding.microsoftTemplateName("User"),
                ExtensionEncoding.microsoftTemplate([1, 3, 6, 1, 4, 1, 311, 21, 8, 1, 2], major: 106, minor: 0),
                ExtensionEncoding.crlDistributionPoints(["http://ca.example/ca.crl", "http://b.example/ca.crl"]),
                ExtensionEncoding.authorityInformationAccess(
                    caIssuers: ["http://ca.example/ca.cer"], ocsp: ["http://ocsp.example/"]),
                ExtensionEncoding.subjectAlternativeName([
                    .userPrincipalName("user@example.com"), .dnsName("host.example"), .rfc822Name("user@example.com"),
                ]),
            ])
        return try CertificateFields(derEncoded: Self.signed(tbs.derEncoded(), self.algorithm, with: self.key))
    }
}
