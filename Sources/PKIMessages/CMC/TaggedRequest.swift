package import SwiftASN1

/// A request for a certificate inside a CMC message (RFC 5272, section 3.2.1.2).
///
///     TaggedRequest ::= CHOICE {
///         tcr [0] IMPLICIT SEQUENCE { bodyPartID BodyPartID, certificationRequest CertificationRequest },
///         crm [1] CertReqMsg,
///         orm [2] IMPLICIT SEQUENCE { ... } }
package enum TaggedRequest: Hashable, Sendable {
    /// A PKCS #10 request as received.
    case certificationRequest(bodyPartID: UInt32, derBytes: [UInt8])
    /// A CRMF or other request, which is kept and not understood.
    case other([UInt8])
}

extension TaggedRequest: DERParseable, DERSerializable {
    package init(derEncoded node: ASN1Node) throws {
        switch node.identifier {
        case .contextSpecific(0):
            self = try DER.sequence(node, identifier: .contextSpecific(0)) { nodes in
                let bodyPartID = try UInt32(derEncoded: &nodes)
                guard let request = nodes.next() else {
                    throw ASN1Error.invalidASN1Object(reason: "TaggedCertificationRequest has no request")
                }
                return .certificationRequest(bodyPartID: bodyPartID, derBytes: Array(request.encodedBytes))
            }
        case .contextSpecific(1), .contextSpecific(2):
            self = .other(StrictDER.raw(node))
        default:
            throw ASN1Error.unexpectedFieldType(node.identifier)
        }
    }

    package func serialize(into coder: inout DER.Serializer) throws {
        switch self {
        case .certificationRequest(let bodyPartID, let derBytes):
            try coder.appendConstructedNode(identifier: .contextSpecific(0)) { coder in
                try coder.serialize(bodyPartID)
                coder.serializeRawBytes(derBytes)
            }
        case .other(let bytes):
            coder.serializeRawBytes(bytes)
        }
    }
}
