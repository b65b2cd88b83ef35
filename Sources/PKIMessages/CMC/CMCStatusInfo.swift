package import SwiftASN1

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// What became of a request (RFC 5272, section 6.1.1).
package struct CMCStatus: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Issued; also revoked and foreign certificates.
    package static let success = CMCStatus(rawValue: 0)
    /// Denied, or an error.
    package static let failed = CMCStatus(rawValue: 2)
    /// Taken under submission.
    package static let pending = CMCStatus(rawValue: 3)
    package static let noSupport = CMCStatus(rawValue: 4)
    package static let confirmRequired = CMCStatus(rawValue: 5)
}

/// Where to ask again for a pending request (RFC 5272, section 6.1.1).
///
///     PendInfo ::= SEQUENCE { pendToken OCTET STRING, pendTime GeneralizedTime }
package struct PendInfo: Hashable, Sendable {
    package let pendToken: [UInt8]
    /// When to ask again, whole seconds.
    package let pendTime: Date

    package init(pendToken: [UInt8], pendTime: Date) {
        self.pendToken = pendToken
        self.pendTime = pendTime
    }

    /// A token that names a request by its number, as four bytes little-endian. The bytes are not documented
    /// (MS-WCCE section 8.2 only says that it holds the request id).
    package init(requestID: UInt32, pendTime: Date) {
        self.init(
            pendToken: (0..<4).map { UInt8(truncatingIfNeeded: requestID >> (8 * $0)) }, pendTime: pendTime)
    }

    /// The request's number, `nil` when the token is not four bytes long.
    package var requestID: UInt32? {
        guard self.pendToken.count == 4 else { return nil }
        return self.pendToken.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// The status of the body parts of a request (RFC 5272, section 6.1.1).
///
///     CMCStatusInfo ::= SEQUENCE {
///         cMCStatus CMCStatus,
///         bodyList SEQUENCE SIZE (1..MAX) OF BodyPartID,
///         statusString UTF8String OPTIONAL,
///         otherInfo CHOICE { failInfo CMCFailInfo, pendInfo PendInfo } OPTIONAL }
package struct CMCStatusInfo: Hashable, Sendable {
    package enum OtherInfo: Hashable, Sendable {
        case failInfo(Int)
        case pendInfo(PendInfo)
    }

    package let status: CMCStatus
    package let bodyList: [UInt32]
    package let statusString: String?
    package let otherInfo: OtherInfo?

    package init(status: CMCStatus, bodyList: [UInt32], statusString: String?, otherInfo: OtherInfo? = nil) {
        self.status = status
        self.bodyList = bodyList
        self.statusString = statusString
        self.otherInfo = otherInfo
    }

    package var pendInfo: PendInfo? {
        if case .pendInfo(let info) = self.otherInfo { info } else { nil }
    }
}

extension CMCStatusInfo: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            let status = try Int(derEncoded: &nodes)
            let bodyList = try DER.elements(of: UInt32.self, in: &nodes, identifier: .sequence)
            let text: ASN1UTF8String? = try DER.optionalImplicitlyTagged(&nodes)
            let statusString = try text.map { text in
                guard let string = String(validating: text.bytes, as: UTF8.self) else {
                    throw ASN1Error.invalidASN1Object(reason: "statusString is not UTF-8")
                }
                return string
            }
            return CMCStatusInfo(
                status: CMCStatus(rawValue: status), bodyList: bodyList, statusString: statusString,
                otherInfo: try nodes.next().map(OtherInfo.init(derEncoded:)))
        }
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            try coder.serialize(self.status.rawValue)
            try coder.serializeSequenceOf(self.bodyList)
            if let text = self.statusString {
                try coder.serialize(ASN1UTF8String(text))
            }
            switch self.otherInfo {
            case .failInfo(let code): try coder.serialize(code)
            case .pendInfo(let info): try coder.serialize(info)
            case nil: break
            }
        }
    }
}

extension CMCStatusInfo.OtherInfo {
    fileprivate init(derEncoded node: ASN1Node) throws {
        switch node.identifier {
        case .integer: self = .failInfo(try Int(derEncoded: node))
        case .sequence: self = .pendInfo(try PendInfo(derEncoded: node))
        default: throw ASN1Error.unexpectedFieldType(node.identifier)
        }
    }
}

extension PendInfo: DERParseable, DERSerializable {
    package init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            let token = try ASN1OctetString(derEncoded: &nodes)
            let time = try StrictDER.next(&nodes, "pendTime")
            guard time.identifier == .generalizedTime else { throw ASN1Error.unexpectedFieldType(time.identifier) }
            return PendInfo(pendToken: Array(token.bytes), pendTime: try EncodedTime.read(time))
        }
    }

    package func serialize(into coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(ASN1OctetString(contentBytes: self.pendToken[...]))
            try EncodedTime.writeGeneralized(self.pendTime, into: &coder)
        }
    }
}
