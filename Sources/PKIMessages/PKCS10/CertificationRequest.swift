import SwiftASN1
package import X509

/// A PKCS #10 certification request with the bytes as received (RFC 2986).
///
///     CertificationRequest ::= SEQUENCE { certificationRequestInfo, signatureAlgorithm, signature BIT STRING }
///     CertificationRequestInfo ::= SEQUENCE { version INTEGER { v1(0) }, subject Name, subjectPKInfo
///         SubjectPublicKeyInfo, attributes [0] IMPLICIT SET OF Attribute }
///
/// Two deviations of real clients are taken: attributes that are left out altogether, and attributes that are not in the
/// order of a DER set. Neither can change a meaning, because the signature is over the bytes as received.
package struct CertificationRequest: Sendable {
    package let derBytes: [UInt8]
    /// DER of CertificationRequestInfo: what is signed.
    package let infoBytes: [UInt8]
    package let subject: DistinguishedName
    package let subjectDER: [UInt8]
    package let subjectPublicKeyInfo: SubjectPublicKeyInfo
    package let attributes: [PKCSAttribute]
    package let signatureAlgorithm: SignatureAlgorithmIdentifier
    package let signature: [UInt8]
    /// What the requester asks for: attribute 1.2.840.113549.1.9.14, or Microsoft's 1.3.6.1.4.1.311.2.1.14, or both.
    package let requestedExtensions: [Certificate.Extension]

    static let what = "PKCS #10 certification request"

    /// - Throws: ``PKIMessageError``: `malformed` (0x8007000D) when it is not whole or not DER, `trailingBytes`,
    ///   `tooLarge`, `tooDeep`. The signature is not checked: see ``verifyProofOfPossession()``.
    package init(derEncoded bytes: [UInt8]) throws {
        let parts = try StrictDER.parse(SignedObject.Parts.self, bytes, what: Self.what)
        let info = try StrictDER.wrapping(Self.what) { try CertificationRequestInfo(derEncoded: parts.tbs) }
        self.derBytes = bytes
        self.infoBytes = parts.tbsBytes
        (self.subject, self.subjectDER) = (info.subject.name, info.subject.derBytes)
        self.subjectPublicKeyInfo = info.subjectPublicKeyInfo
        self.attributes = info.attributes
        self.signatureAlgorithm = parts.algorithm
        self.signature = parts.signature
        self.requestedExtensions = try Self.requestedExtensions(info.attributes)
    }

    /// Checks that the requester has the private key: the request is signed with it (RFC 2986, section 3).
    ///
    /// SHA-1 is accepted: clients of 2003 know nothing else, and a requester can only cheat itself.
    ///
    /// - Throws: ``PKIMessageError``: `badSignature` (0x80090006) when the signature is not that of the key in the
    ///   request, `unsupportedAlgorithm` (0x80091002) when it cannot be checked.
    package func verifyProofOfPossession() throws {
        guard
            try self.subjectPublicKeyInfo.isValidSignature(
                self.signature, over: self.infoBytes, algorithm: self.signatureAlgorithm)
        else {
            throw PKIMessageError.badSignature(
                Self.what, "its signature does not verify with the public key in the request")
        }
    }

    /// The bytes to sign for a new request; ``SignedObject/assemble(tbs:algorithm:signature:)`` puts the signature to them.
    package static func infoBytes(
        subject: DistinguishedName, subjectPublicKeyInfo: SubjectPublicKeyInfo, attributes: [PKCSAttribute]
    ) throws -> [UInt8] {
        try StrictDER.serialize { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                try coder.serialize(0)
                try coder.serialize(subject)
                coder.serializeRawBytes(subjectPublicKeyInfo.derBytes)
                try coder.serializeSetOf(
                    attributes, identifier: .init(tagWithNumber: 0, tagClass: .contextSpecific))
            }
        }
    }

    private static func requestedExtensions(_ attributes: [PKCSAttribute]) throws -> [Certificate.Extension] {
        let extensions = try attributes.filter { $0.type == OID.extensionRequest || $0.type == OID.msCertExtensions }
            .flatMap { attribute in
                guard attribute.values.count == 1 else {
                    throw PKIMessageError.malformed(what, "an extension request has \(attribute.values.count) values")
                }
                let node = try StrictDER.node(attribute.values[0], what: "extension request")
                return try StrictDER.wrapping("extension request") { try ExtensionDecoding.list(node) }
            }
        guard extensions.haveDistinctTypes else {
            throw PKIMessageError.malformed(what, "it asks for an extension twice")
        }
        return extensions
    }
}

private struct CertificationRequestInfo: DERParseable {
    let subject: NameWithBytes
    let subjectPublicKeyInfo: SubjectPublicKeyInfo
    let attributes: [PKCSAttribute]

    init(derEncoded node: ASN1Node) throws {
        let attributesTag = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)
        (self.subject, self.subjectPublicKeyInfo, self.attributes) = try DER.sequence(
            node, identifier: .sequence
        ) { nodes in
            guard try Int(derEncoded: &nodes) == 0 else {
                throw ASN1Error.invalidASN1Object(reason: "unknown version")
            }
            let subject = try NameWithBytes(derEncoded: &nodes)
            let key = try SubjectPublicKeyInfo(derEncoded: &nodes)
            let attributes = try nodes.next().map {
                try DER.sequence(of: PKCSAttribute.self, identifier: attributesTag, rootNode: $0)
            }
            return (subject, key, attributes ?? [])
        }
    }
}
