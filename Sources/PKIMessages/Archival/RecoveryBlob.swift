import SwiftASN1

/// What a certificate manager hands to a key recovery agent: an archived key, still encrypted, signed by the CA, with
/// the certificates that belong to it (MS-CSRA, section 3.1.4.2.9).
///
/// A SignedData whose content is the stored ContentInfo of an EnvelopedData in an OCTET STRING, with the SHA-1 of the
/// user's certificate in the signed attribute 1.3.6.1.4.1.311.21.16. As nobody documents the content type, `id-data` is
/// written, and `id-envelopedData` is read too. Reading verifies no signature: see ``verifySignature(key:)``.
package struct RecoveryBlob: Sendable {
    package let signedData: SignedData
    /// The archived key.
    package let envelopedData: EnvelopedData
    /// SHA-1 of the certificate whose key it is.
    package let userCertificateHash: [UInt8]

    private static let what = "key recovery blob"

    /// - Throws: ``PKIMessageError``: `wrongContentType`, `noSigner`, `malformed`.
    package init(derEncoded bytes: [UInt8]) throws {
        self.signedData = try SignedData(contentInfoDER: bytes)
        guard self.signedData.signerInfos.count == 1, let signerInfo = self.signedData.signerInfos.first else {
            throw self.signedData.signerInfos.isEmpty
                ? PKIMessageError.noSigner(Self.what) : PKIMessageError.malformed(Self.what, "it has several signers")
        }
        self.envelopedData = try Self.envelopedData(self.signedData.encapContentInfo)
        let attributes = signerInfo.signedAttributes ?? []
        guard let attribute = try attributes.single(OID.msArchivedKeyCertHash, in: Self.what) else {
            throw PKIMessageError.malformed(Self.what, "the hash of the user's certificate is missing")
        }
        let hash = try StrictDER.parse(
            ASN1OctetString.self, attribute.singleValue(), what: "hash of the user's certificate")
        self.userCertificateHash = Array(hash.bytes)
    }

    private static func envelopedData(_ content: EncapsulatedContentInfo) throws -> EnvelopedData {
        guard let octets = content.eContent, let element = content.eContentDER else {
            throw PKIMessageError.malformed(self.what, "it has no content")
        }
        switch (content.eContentType, content.isOctetString) {
        case (OID.data, true):
            return try EnvelopedData(contentInfoDER: octets)
        case (OID.envelopedData, let isOctetString):
            return try StrictDER.parse(
                EnvelopedData.self, isOctetString ? octets : element, what: "CMS EnvelopedData")
        default:
            throw PKIMessageError.wrongContentType(
                self.what, expected: "\(OID.data)", found: "\(content.eContentType)")
        }
    }

    /// - Parameter key: that of the CA certificate which the caller trusts.
    package func verifySignature(key: SubjectPublicKeyInfo) throws {
        try self.signedData.verifySignature(key: key)
    }

    /// The certificate whose key it is, found among the certificates by the signed hash.
    ///
    /// - Throws: ``PKIMessageError`` with `hashMismatch` when it is not there.
    package func userCertificate() throws -> [UInt8] {
        guard
            let certificate = self.signedData.certificates.first(where: {
                Digest.sha1.hash($0) == self.userCertificateHash
            })
        else { throw PKIMessageError.hashMismatch(Self.what, "the user's certificate is not in it") }
        return certificate
    }

    /// A recovery blob, complete but for the CA's signature.
    ///
    /// - Parameters:
    ///   - archivedKeyDER: the stored ContentInfo of an EnvelopedData, taken over byte for byte.
    ///   - userCertificateDER: the certificate whose key it is.
    ///   - certificates: DER: the chain of the user's certificate, that of the signing certificate, and every key
    ///     recovery agent's certificate; written in the order given.
    ///   - signer: the CA certificate whose key signs.
    /// - Throws: ``PKIMessageError`` when the archived key is not an EnvelopedData.
    package static func draft(
        archivedKeyDER: [UInt8], userCertificateDER: [UInt8], certificates: [[UInt8]], signer: IssuerAndSerialNumber,
        signatureAlgorithm: SignatureAlgorithmIdentifier
    ) throws -> SignedDataDraft {
        _ = try EnvelopedData(contentInfoDER: archivedKeyDER)
        let hash = try CMSAttribute(
            type: OID.msArchivedKeyCertHash,
            value: ASN1OctetString(contentBytes: Digest.sha1.hash(userCertificateDER)[...]))
        return try SignedDataDraft(
            eContentType: OID.data, eContent: archivedKeyDER, signer: .issuerAndSerialNumber(signer),
            signatureAlgorithm: signatureAlgorithm, signedAttributes: [hash], certificates: certificates)
    }
}
