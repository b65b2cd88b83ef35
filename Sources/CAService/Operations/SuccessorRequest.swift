package import CertificateAuthority
import PKIMessages
package import SecretMemory
import X509

/// A new key and the request for the successor of a certificate: the same subject, names and kind of key.
package struct SuccessorRequest: Sendable {
    /// DER PKCS #10.
    package let requestDER: [UInt8]
    private let privateKey: SecretBytes

    init(of certificate: CertificateFields) throws {
        let kind = try SuccessorRequest.kind(of: certificate.subjectPublicKeyInfo)
        self.privateKey = try SoftwareKeys.generate(kind)
        let publicKey = try PrivateKeyInfo(derEncoded: self.privateKey).subjectPublicKeyInfo()
        let names = try ExtensionDecoding(certificate.extensions).subjectAlternativeNames()
        let extensions = try names.isEmpty ? [] : [ExtensionEncoding.subjectAlternativeName(names)]
        let info = try CertificationRequest.infoBytes(
            subject: certificate.subject, subjectPublicKeyInfo: publicKey,
            attributes: extensions.isEmpty ? [] : [PKCSAttribute.extensionRequest(extensions)])
        let algorithm = publicKey.defaultSignatureAlgorithm ?? .sha256WithRSA
        self.requestDER = try SignedObject.assemble(
            tbs: info, algorithm: algorithm,
            signature: SoftwareKeys.sign(info, with: self.privateKey, digest: algorithm.digest ?? .sha256))
    }

    /// The private key as PEM `ENCRYPTED PRIVATE KEY`.
    package func encryptedKeyPEM(password: SecretBytes) throws -> [UInt8] {
        try SoftwareKeys.encryptedPEM(self.privateKey, password: password)
    }

    /// RSA as long as the old key, at least 2048 bits; otherwise P-384 for P-384, P-256 for all others.
    private static func kind(of key: SubjectPublicKeyInfo) throws -> SoftwareKeys.Kind {
        if key.isRSA { return .rsa(bits: [2048, 3072, 4096].first { $0 >= key.keySizeBits } ?? 4096) }
        return key.namedCurve != nil && key.keySizeBits == 384 ? .p384 : .p256
    }
}

extension Instance {
    /// For whoever may replace the certificate, so that nobody else makes a key for it.
    ///
    /// - Throws: `RequestError`: `accessDenied`, `restrictedManager`, `unknownSerialNumber`.
    package func successorRequest(
        ofCertificate serialNumber: String, for who: Principal
    ) async throws -> SuccessorRequest {
        let operation = "replace certificate \(serialNumber)"
        try who.mustBeAllowed(.revokeCertificate, to: operation)
        let record = try await self.storage.read { db in
            guard let record = try db.certificate(serialNumber: serialNumber) else {
                throw RequestError.unknownSerialNumber(serialNumber, operation: operation)
            }
            try db.mustManage(who, requester: record.requesterName, template: record.templateName, to: operation)
            return record
        }
        return try SuccessorRequest(of: CertificateFields(derEncoded: record.certificateDER))
    }
}
