package import SwiftASN1

/// The content of a CMC full request, `id-cct-PKIData` (RFC 5272, section 3.2.1).
///
///     PKIData ::= SEQUENCE {
///         controlSequence SEQUENCE OF TaggedAttribute,
///         reqSequence SEQUENCE OF TaggedRequest,
///         cmsSequence SEQUENCE OF TaggedContentInfo,
///         otherMsgSequence SEQUENCE OF OtherMsg }
package struct PKIData: Hashable, Sendable {
    package let controls: [TaggedAttribute]
    package let requests: [TaggedRequest]
    /// The DER of each nested CMS message, not understood here.
    package let cmsSequence: [[UInt8]]
    /// The DER of each other message, not understood here.
    package let otherMessages: [[UInt8]]

    package init(
        controls: [TaggedAttribute], requests: [TaggedRequest], cmsSequence: [[UInt8]] = [],
        otherMessages: [[UInt8]] = []
    ) {
        self.controls = controls
        self.requests = requests
        self.cmsSequence = cmsSequence
        self.otherMessages = otherMessages
    }
}

extension PKIData: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            let controls = try DER.elements(of: TaggedAttribute.self, in: &nodes, identifier: .sequence)
            let requests = try DER.elements(of: TaggedRequest.self, in: &nodes, identifier: .sequence)
            let cmsSequence = try DER.elements(of: RawDER.self, in: &nodes, identifier: .sequence)
            let otherMessages = try DER.elements(of: RawDER.self, in: &nodes, identifier: .sequence)
            return PKIData(
                controls: controls, requests: requests, cmsSequence: cmsSequence.map(\.bytes),
                otherMessages: otherMessages.map(\.bytes))
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serializeSequenceOf(self.controls)
            try coder.serializeSequenceOf(self.requests)
            try coder.serializeSequenceOf(self.cmsSequence.map(RawDER.init))
            try coder.serializeSequenceOf(self.otherMessages.map(RawDER.init))
        }
    }
}
