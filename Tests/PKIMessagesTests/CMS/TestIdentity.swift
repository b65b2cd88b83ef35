import Foundation
import SecretMemory
import X509

@testable import PKIMessages

/// A software key and its self-signed certificate.
struct TestIdentity: Sendable {
    let key: PrivateKeyInfo
    let certificate: CertificateFields

    init(_ kind: SoftwareKeys.Kind, name: String) throws {
        self.key = try PrivateKeyInfo(derEncoded: SoftwareKeys.generate(kind))
        let publicKey = try self.key.subjectPublicKeyInfo()
        let algorithm: SignatureAlgorithmIdentifier = publicKey.isRSA ? .sha256WithRSA : .ecdsaWithSHA256
        let nameDER = try StrictDER.serialize(DistinguishedNameText.parse("CN=\(name),O=Test"))
        let tbs = try TBSCertificate(
            serialNumber: [0x00] + [0x80] + LibCrypto.randomBytes(9), signatureAlgorithm: algorithm, issuerDER: nameDER,
            notBefore: Date(timeIntervalSinceNow: -600), notAfter: Date(timeIntervalSinceNow: 86400),
            subjectDER: nameDER, subjectPublicKeyInfo: publicKey,
            extensions: [
                ExtensionEncoding.basicConstraints(isCA: true),
                ExtensionEncoding.subjectKeyIdentifier(publicKey.keyIdentifier),
            ])
        let tbsBytes = try tbs.derEncoded()
        self.certificate = try CertificateFields(
            derEncoded: SignedObject.assemble(
                tbs: tbsBytes, algorithm: algorithm,
                signature: SoftwareKeys.sign(tbsBytes, with: self.key.derBytes, digest: .sha256)))
    }

    /// PKCS #8, DER.
    var keyDER: [UInt8] { self.key.derBytes.exposed }
    var certificateDER: [UInt8] { self.certificate.derBytes }
    var publicKey: SubjectPublicKeyInfo { self.certificate.subjectPublicKeyInfo }
    var name: IssuerAndSerialNumber { IssuerAndSerialNumber(self.certificate) }

    /// Puts `key.pem` and `certificate.pem` into the judge's directory.
    func place(in openssl: OpenSSLJudge) throws {
        try openssl.write(Array(TextEncoding.pem(self.keyDER, label: "PRIVATE KEY").utf8), to: "key.pem")
        try openssl.write(
            Array(TextEncoding.pem(self.certificateDER, label: "CERTIFICATE").utf8), to: "certificate.pem")
    }

    /// Signs as a token would: PKCS #1 1.5 or DER ECDSA-Sig-Value.
    func sign(_ bytes: [UInt8], _ digest: Digest = .sha256) throws -> [UInt8] {
        try SoftwareKeys.sign(bytes, with: self.key.derBytes, digest: digest)
    }

    /// Decrypts a content-encryption key as a token would.
    func decrypt(_ encryptedKey: [UInt8], _ padding: TransportPadding) throws -> [UInt8] {
        try self.key.decrypt(encryptedKey, transport: padding).exposed
    }
}

/// Identities that all suites share, made once.
enum TestIdentities {
    static let rsa = Result { try TestIdentity(.rsa(bits: 2048), name: "RSA signer") }
    static let ec = Result { try TestIdentity(.p256, name: "EC signer") }
    static let recipient = Result { try TestIdentity(.rsa(bits: 2048), name: "Recipient") }
    static let user = Result { try TestIdentity(.rsa(bits: 1024), name: "User") }
}
