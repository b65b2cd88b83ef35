package import SwiftASN1

/// A SignedData with any number of signers over one content, complete but for the signatures.
///
/// For requests: a requester's new key, the old one on renewal, a registration authority's.
package struct CosignedDataDraft: Sendable {
    package struct Signer: Sendable {
        package let identifier: SignerIdentifier
        /// Hash and scheme.
        package let algorithm: SignatureAlgorithmIdentifier
        /// More attributes to sign beside content type and message digest; `nil` signs the content itself, as PKCS #7
        /// renewal requests have it, which only id-data may.
        package let signedAttributes: [CMSAttribute]?

        package init(
            _ identifier: SignerIdentifier, algorithm: SignatureAlgorithmIdentifier,
            signedAttributes: [CMSAttribute]? = []
        ) {
            self.identifier = identifier
            self.algorithm = algorithm
            self.signedAttributes = signedAttributes
        }
    }

    /// What each signer's key signs, in their order.
    package let bytesToSign: [[UInt8]]
    private let eContentType: ASN1ObjectIdentifier
    private let eContent: [UInt8]
    private let signers: [Signer]
    private let digests: [Digest]
    private let certificates: [[UInt8]]

    /// - Parameters:
    ///   - eContent: the content octets; they are put into an OCTET STRING.
    ///   - certificates: DER; written in the order given.
    /// - Throws: ``PKIMessageError`` with `unsupportedAlgorithm` for an algorithm without a hash that CMS can name.
    package init(
        eContentType: ASN1ObjectIdentifier, eContent: [UInt8], signers: [Signer], certificates: [[UInt8]] = []
    ) throws {
        let digests = try signers.map { signer in
            guard let digest = signer.algorithm.digest else {
                throw PKIMessageError.unsupportedAlgorithm(
                    "signature algorithm of a CMS message", "\(signer.algorithm.algorithm)")
            }
            return digest
        }
        self.eContentType = eContentType
        self.eContent = eContent
        self.signers = signers
        self.digests = digests
        self.certificates = certificates
        self.bytesToSign = try zip(signers, digests).map { signer, digest in
            guard let more = signer.signedAttributes else { return eContent }
            let attributes =
                try [
                    CMSAttribute(type: OID.contentType, value: eContentType),
                    CMSAttribute(
                        type: OID.messageDigest, value: ASN1OctetString(contentBytes: digest.hash(eContent)[...])),
                ] + more
            var coder = DER.Serializer()
            try coder.serializeSetOf(attributes)
            return coder.serializedBytes
        }
    }

    /// Puts the signatures in, in the order of the signers.
    ///
    /// - Parameter unsignedAttributes: of the first signer.
    /// - Returns: the DER ContentInfo.
    package func assemble(signatures: [[UInt8]], unsignedAttributes: [CMSAttribute] = []) throws -> [UInt8] {
        guard signatures.count == self.signers.count else {
            throw PKIMessageError.invalidValue("CMS SignedData", "it needs \(self.signers.count) signatures")
        }
        let signerInfos = try self.signers.indices.map { index in
            let signer = self.signers[index]
            return try SignerInfo(
                sid: signer.identifier, digestAlgorithm: .digest(self.digests[index]),
                signedAttributesDER: signer.signedAttributes == nil ? nil : self.bytesToSign[index],
                signatureAlgorithm: signer.algorithm.inSignerInfo, signature: signatures[index],
                unsignedAttributes: index == 0 ? unsignedAttributes : [])
        }
        // RFC 5652, section 5.1: version 3 for another content than id-data or a signer named by its key.
        let isPlain = self.eContentType == OID.data && signerInfos.allSatisfy { $0.version == 1 }
        var digestAlgorithms: [Digest] = []
        for digest in self.digests where !digestAlgorithms.contains(digest) { digestAlgorithms.append(digest) }
        return try SignedData(
            version: isPlain ? 1 : 3, digestAlgorithms: digestAlgorithms.map { .digest($0) },
            encapContentInfo: EncapsulatedContentInfo(eContentType: self.eContentType, eContent: self.eContent),
            certificates: self.certificates, signerInfos: signerInfos
        ).contentInfoDER()
    }
}
