package import SwiftASN1
package import X509

/// Attributes that a control adds to a request, `CMC_ADD_ATTRIBUTES` (1.3.6.1.4.1.311.10.10.1, MS-WCCE 2.2.2.7).
///
///     CmcAddAttributes ::= SEQUENCE {
///         pkiDataReference BodyPartID,  -- 0: this message
///         certReferences SEQUENCE OF BodyPartID,
///         attributes SET OF Attribute }
package struct AddAttributes: Hashable, Sendable {
    package let pkiDataReference: UInt32
    package let certReferences: [UInt32]
    package let attributes: [CMSAttribute]

    package init(pkiDataReference: UInt32 = 0, certReferences: [UInt32], attributes: [CMSAttribute]) {
        self.pkiDataReference = pkiDataReference
        self.certReferences = certReferences
        self.attributes = attributes
    }
}

extension AddAttributes: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            let reference = try UInt32(derEncoded: &nodes)
            let certReferences = try DER.elements(of: UInt32.self, in: &nodes, identifier: .sequence)
            let attributes = try DER.elements(of: CMSAttribute.self, in: &nodes, identifier: .set)
            return AddAttributes(
                pkiDataReference: reference, certReferences: certReferences, attributes: attributes)
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.pkiDataReference)
            try coder.serializeSequenceOf(self.certReferences)
            try coder.serializeSequenceOf(self.attributes, identifier: .set)
        }
    }
}

/// Extensions that a control adds to a request (RFC 5272, section 6.5.2; 1.3.6.1.5.5.7.7.8).
///
///     AddExtensions ::= SEQUENCE {
///         pkiDataReference BodyPartID,
///         certReferences SEQUENCE OF BodyPartID,
///         extensions SEQUENCE OF Extension }
package struct AddExtensions: Hashable, Sendable {
    package let pkiDataReference: UInt32
    package let certReferences: [UInt32]
    package let extensions: [Certificate.Extension]

    package init(pkiDataReference: UInt32 = 0, certReferences: [UInt32], extensions: [Certificate.Extension]) {
        self.pkiDataReference = pkiDataReference
        self.certReferences = certReferences
        self.extensions = extensions
    }
}

extension AddExtensions: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            let reference = try UInt32(derEncoded: &nodes)
            let certReferences = try DER.elements(of: UInt32.self, in: &nodes, identifier: .sequence)
            let extensions = try DER.elements(of: Certificate.Extension.self, in: &nodes, identifier: .sequence)
            return AddExtensions(
                pkiDataReference: reference, certReferences: certReferences, extensions: extensions)
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.pkiDataReference)
            try coder.serializeSequenceOf(self.certReferences)
            try coder.serializeSequenceOf(self.extensions)
        }
    }
}
