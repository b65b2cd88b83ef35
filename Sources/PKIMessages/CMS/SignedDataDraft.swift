package import SwiftASN1

/// A SignedData with one signer, complete but for the signature.
///
/// Signing takes two steps because a token signs asynchronously: ``bytesToSign`` goes to the token, and
/// ``assemble(signature:unsignedAttributes:)`` makes the message of what comes back.
package struct SignedDataDraft: Sendable {
    package let eContentType: ASN1ObjectIdentifier
    package let eContent: [UInt8]
    package let signer: SignerIdentifier
    package let digest: Digest
    /// The algorithm the token signs with, such as `sha256WithRSA` or `ecdsaWithSHA256`; its hash is ``digest``.
    package let signatureAlgorithm: SignatureAlgorithmIdentifier
    package let certificates: [[UInt8]]
    /// The DER SET OF signed attributes: the token hashes and signs exactly these bytes.
    package let bytesToSign: [UInt8]

    /// - Parameters:
    ///   - eContent: the content octets; they are put into an OCTET STRING.
    ///   - signatureAlgorithm: hash and scheme. For RSA the message names `rsaEncryption`, as RFC 3370 has it.
    ///   - signedAttributes: more attributes to sign, beside content type and message digest.
    ///   - certificates: DER; written in the order given.
    /// - Throws: ``PKIMessageError`` with `unsupportedAlgorithm` when the algorithm names no hash that CMS can use.
    package init(
        eContentType: ASN1ObjectIdentifier, eContent: [UInt8], signer: SignerIdentifier,
        signatureAlgorithm: SignatureAlgorithmIdentifier, signedAttributes: [CMSAttribute] = [],
        certificates: [[UInt8]] = []
    ) throws {
        guard let digest = signatureAlgorithm.digest else {
            throw PKIMessageError.unsupportedAlgorithm(
                "signature algorithm of a CMS message", "\(signatureAlgorithm.algorithm)")
        }
        self.eContentType = eContentType
        self.eContent = eContent
        self.signer = signer
        self.digest = digest
        self.signatureAlgorithm = signatureAlgorithm
        self.certificates = certificates
        let attributes =
            try [
                CMSAttribute(type: OID.contentType, value: eContentType),
                CMSAttribute(
                    type: OID.messageDigest, value: ASN1OctetString(contentBytes: digest.hash(eContent)[...])),
            ] + signedAttributes
        var coder = DER.Serializer()
        try coder.serializeSetOf(attributes)
        self.bytesToSign = coder.serializedBytes
    }

    /// Puts the signature in.
    ///
    /// - Parameters:
    ///   - signature: over ``bytesToSign``: PKCS #1, or the DER `ECDSA-Sig-Value`. The caller has verified it.
    ///   - unsignedAttributes: attributes that the signature does not cover.
    /// - Returns: the DER ContentInfo.
    package func assemble(signature: [UInt8], unsignedAttributes: [CMSAttribute] = []) throws -> [UInt8] {
        let signerInfo = try SignerInfo(
            sid: self.signer, digestAlgorithm: .digest(self.digest), signedAttributesDER: self.bytesToSign,
            signatureAlgorithm: self.signatureAlgorithm.inSignerInfo, signature: signature,
            unsignedAttributes: unsignedAttributes)
        // RFC 5652, section 5.1: version 3 for another content than id-data or a signer named by its key.
        let version = self.eContentType == OID.data && signerInfo.version == 1 ? 1 : 3
        return try SignedData(
            version: version, digestAlgorithms: [.digest(self.digest)],
            encapContentInfo: EncapsulatedContentInfo(eContentType: self.eContentType, eContent: self.eContent),
            certificates: self.certificates, signerInfos: [signerInfo]
        ).contentInfoDER()
    }
}

extension SignatureAlgorithmIdentifier {
    /// How a SignerInfo names the algorithm: `rsaEncryption` with NULL for RSASSA-PKCS1-v1_5 (RFC 3370, section 3.2;
    /// Windows writes nothing else), the algorithm itself for all others.
    var inSignerInfo: AlgorithmIdentifier {
        get throws {
            if let digest = self.digest, self == .rsa(digest) {
                return AlgorithmIdentifier(algorithm: OID.rsaEncryption, parametersDER: AlgorithmIdentifier.null)
            }
            return try StrictDER.parse(AlgorithmIdentifier.self, self.derBytes, what: "signature algorithm")
        }
    }
}
