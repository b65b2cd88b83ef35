package import SwiftASN1

extension SignerInfo {
    /// Checks the signature over a content with a key that the caller trusts for it (RFC 5652, sections 5.4 to 5.6).
    ///
    /// With signed attributes, content type and message digest must be among them and fit; the signature is then
    /// over the attributes as received. Without, the signature is over the content, which only `id-data` may have.
    ///
    /// - Parameters:
    ///   - content: the octets of eContent, without tag and length.
    ///   - contentType: the eContentType they came with.
    ///   - key: the signer's public key; ``sid`` is not looked at.
    ///   - acceptsSHA1: true only for what a requester signs with its own key, where it can cheat nobody but itself.
    /// - Throws: ``PKIMessageError``: `hashMismatch` (0x80091007) when the content is not the one that was signed,
    ///   `badSignature` (0x80090006), `unsupportedAlgorithm`, or `malformed` when an attribute is missing or repeated.
    package func verify(
        content: [UInt8], contentType: ASN1ObjectIdentifier, key: SubjectPublicKeyInfo, acceptsSHA1: Bool = false
    ) throws {
        guard let digest = Digest(oid: self.digestAlgorithm.algorithm), self.digestAlgorithm.hasNoParameters else {
            throw PKIMessageError.unsupportedAlgorithm("CMS SignerInfo", self.digestAlgorithm.algorithm)
        }
        guard digest != .sha1 || acceptsSHA1 else {
            throw PKIMessageError.unsupportedAlgorithm("CMS SignerInfo", "\(digest)")
        }
        let algorithm = try self.signatureAlgorithm(with: digest)
        let signedBytes: [UInt8]
        if let attributes = self.signedAttributes, let attributesDER = self.signedAttributesDER {
            try self.check(attributes, content: content, contentType: contentType, digest: digest)
            signedBytes = attributesDER
        } else {
            guard contentType == OID.data else {
                throw PKIMessageError.malformed(
                    "CMS SignerInfo", "a content of type \(contentType) is signed without signed attributes")
            }
            signedBytes = content
        }
        guard try key.isValidSignature(self.signature, over: signedBytes, algorithm: algorithm) else {
            throw PKIMessageError.badSignature("CMS SignerInfo")
        }
    }

    /// Checks the no-signature mechanism (RFC 5272, section C.1): the value is the hash, so that the content is whole, and
    /// nobody has signed it.
    ///
    /// - Throws: as ``verify(content:contentType:key:acceptsSHA1:)``.
    func verifyDigestOnly(content: [UInt8], contentType: ASN1ObjectIdentifier) throws {
        guard let digest = Digest(oid: self.digestAlgorithm.algorithm), self.digestAlgorithm.hasNoParameters else {
            throw PKIMessageError.unsupportedAlgorithm("CMS SignerInfo", self.digestAlgorithm.algorithm)
        }
        if let attributes = self.signedAttributes {
            try self.check(attributes, content: content, contentType: contentType, digest: digest)
        }
        guard self.signature == digest.hash(self.signedAttributesDER ?? content) else {
            throw PKIMessageError.hashMismatch("no-signature value of a CMS SignerInfo")
        }
    }

    /// What the digest and the signature algorithm say together. `rsaEncryption` leaves the hash to the digest
    /// algorithm (RFC 3370, section 3.2); every other algorithm names its hash, which must be the same.
    private func signatureAlgorithm(with digest: Digest) throws -> SignatureAlgorithmIdentifier {
        if self.signatureAlgorithm.algorithm == OID.rsaEncryption, self.signatureAlgorithm.hasNoParameters {
            return .rsa(digest)
        }
        let algorithm = try SignatureAlgorithmIdentifier(
            derEncoded: StrictDER.serialize(self.signatureAlgorithm))
        if let own = algorithm.digest, own != digest {
            throw PKIMessageError.malformed(
                "CMS SignerInfo", "the signature is made with \(own), but the digest algorithm is \(digest)")
        }
        return algorithm
    }

    private func check(
        _ attributes: [CMSAttribute], content: [UInt8], contentType: ASN1ObjectIdentifier, digest: Digest
    ) throws {
        let what = "signed attributes of a CMS SignerInfo"
        guard let typeAttribute = try attributes.single(OID.contentType, in: what),
            let digestAttribute = try attributes.single(OID.messageDigest, in: what)
        else { throw PKIMessageError.malformed(what, "contentType or messageDigest is missing") }

        let signedType = try StrictDER.parse(
            ASN1ObjectIdentifier.self, typeAttribute.singleValue(), what: "contentType attribute")
        guard signedType == contentType else {
            throw PKIMessageError.malformed(what, "contentType says \(signedType), the content is \(contentType)")
        }
        let signedDigest = try StrictDER.parse(
            ASN1OctetString.self, digestAttribute.singleValue(), what: "messageDigest attribute")
        guard Array(signedDigest.bytes) == digest.hash(content) else {
            throw PKIMessageError.hashMismatch("messageDigest attribute of a CMS SignerInfo")
        }
    }
}
