package import SwiftASN1

/// One signature over a content (RFC 5652, section 5.3).
///
///     SignerInfo ::= SEQUENCE {
///         version CMSVersion,
///         sid SignerIdentifier,
///         digestAlgorithm DigestAlgorithmIdentifier,
///         signedAttrs [0] IMPLICIT SignedAttributes OPTIONAL,
///         signatureAlgorithm SignatureAlgorithmIdentifier,
///         signature SignatureValue,
///         unsignedAttrs [1] IMPLICIT UnsignedAttributes OPTIONAL }
package struct SignerInfo: Hashable, Sendable {
    /// 1 with an issuer and serial number, 3 with a key identifier.
    package let version: Int
    package let sid: SignerIdentifier
    package let digestAlgorithm: AlgorithmIdentifier
    /// `nil` when the signature is over the content itself, as in a PKCS #7 renewal request.
    package let signedAttributes: [CMSAttribute]?
    /// The signed attributes exactly as received, with the tag of a SET: what the signature is over.
    package let signedAttributesDER: [UInt8]?
    package let signatureAlgorithm: AlgorithmIdentifier
    package let signature: [UInt8]
    package let unsignedAttributes: [CMSAttribute]

    /// The signed attributes are given as the DER SET OF that was signed.
    init(
        sid: SignerIdentifier, digestAlgorithm: AlgorithmIdentifier, signedAttributesDER: [UInt8]?,
        signatureAlgorithm: AlgorithmIdentifier, signature: [UInt8], unsignedAttributes: [CMSAttribute]
    ) throws {
        self.version = sid.signerInfoVersion
        self.sid = sid
        self.digestAlgorithm = digestAlgorithm
        self.signedAttributes = try signedAttributesDER.map {
            try DER.elements(of: CMSAttribute.self, in: DER.parse($0), identifier: .set)
        }
        self.signedAttributesDER = signedAttributesDER
        self.signatureAlgorithm = signatureAlgorithm
        self.signature = signature
        self.unsignedAttributes = unsignedAttributes
    }

    /// The same signature with other unsigned attributes, which it does not cover.
    func replacingUnsignedAttributes(_ attributes: [CMSAttribute]) throws -> SignerInfo {
        try SignerInfo(
            sid: self.sid, digestAlgorithm: self.digestAlgorithm, signedAttributesDER: self.signedAttributesDER,
            signatureAlgorithm: self.signatureAlgorithm, signature: self.signature, unsignedAttributes: attributes)
    }
}

extension SignerIdentifier {
    /// The version that goes with this form of name (RFC 5652, section 5.3).
    var signerInfoVersion: Int {
        switch self {
        case .issuerAndSerialNumber: 1
        case .subjectKeyIdentifier: 3
        }
    }
}

extension SignerInfo: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            let version = try Int(derEncoded: &nodes)
            let sid = try SignerIdentifier(derEncoded: &nodes)
            guard version == sid.signerInfoVersion else {
                throw ASN1Error.invalidASN1Object(reason: "SignerInfo version \(version) does not fit its signer name")
            }
            let digestAlgorithm = try AlgorithmIdentifier(derEncoded: &nodes)
            let signedAttributesDER = try Self.attributeSet(&nodes, tagNumber: 0)
            let signatureAlgorithm = try AlgorithmIdentifier(derEncoded: &nodes)
            let signature = try ASN1OctetString(derEncoded: &nodes)
            let unsignedAttributesDER = try Self.attributeSet(&nodes, tagNumber: 1)
            return try SignerInfo(
                sid: sid, digestAlgorithm: digestAlgorithm, signedAttributesDER: signedAttributesDER,
                signatureAlgorithm: signatureAlgorithm, signature: Array(signature.bytes),
                unsignedAttributes: unsignedAttributesDER.map {
                    try DER.elements(of: CMSAttribute.self, in: DER.parse($0), identifier: .set)
                } ?? [])
        }
    }

    /// An implicitly tagged `SET SIZE (1..MAX) OF Attribute`, given back with the tag of a SET.
    private static func attributeSet(_ nodes: inout ASN1NodeCollection.Iterator, tagNumber: UInt) throws -> [UInt8]? {
        try DER.optionalImplicitlyTagged(&nodes, tagNumber: tagNumber, tagClass: .contextSpecific) { node in
            guard case .constructed(let attributes) = node.content, attributes.contains(where: { _ in true }) else {
                throw ASN1Error.invalidASN1Object(reason: "a set of attributes is empty or not a set")
            }
            var bytes = StrictDER.raw(node)
            bytes[0] = 0x31
            return bytes
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.version)
            try coder.serialize(self.sid)
            try coder.serialize(self.digestAlgorithm)
            if var attributes = self.signedAttributesDER {
                attributes[0] = 0xA0
                coder.serializeRawBytes(attributes)
            }
            try coder.serialize(self.signatureAlgorithm)
            try coder.serialize(ASN1OctetString(contentBytes: self.signature[...]))
            if !self.unsignedAttributes.isEmpty {
                try coder.serializeSequenceOf(self.unsignedAttributes, identifier: .contextSpecific(1))
            }
        }
    }
}
