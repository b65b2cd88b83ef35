package import SwiftASN1
package import X509

/// A certificate policy with its qualifiers (RFC 5280, section 4.2.1.4).
package struct PolicyStatement: Sendable, Equatable {
    package var oid: ASN1ObjectIdentifier
    /// Address of the certification practice statement (id-qt-cps).
    package var cps: String?
    /// Text of the user notice (id-qt-unotice), at most 200 characters.
    package var notice: String?
    /// Further addresses and notices.
    package var furtherCPS: [String] = []
    package var furtherNotices: [String] = []

    package init(oid: ASN1ObjectIdentifier, cps: String? = nil, notice: String? = nil) {
        self.oid = oid
        self.cps = cps
        self.notice = notice
    }
}

extension ExtensionEncoding {
    private static let cpsQualifier: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 2, 1]
    private static let noticeQualifier: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 2, 2]

    /// Certificate policies with qualifiers.
    ///
    ///     PolicyInformation ::= SEQUENCE { policyIdentifier OBJECT IDENTIFIER,
    ///         policyQualifiers SEQUENCE SIZE (1..MAX) OF SEQUENCE { policyQualifierId OBJECT IDENTIFIER, qualifier ANY } OPTIONAL }
    ///     UserNotice ::= SEQUENCE { noticeRef NoticeReference OPTIONAL, explicitText DisplayText OPTIONAL }
    ///
    /// - Throws: ``PKIMessageError`` with `invalidValue` for no policy, or a notice that is too long.
    package static func certificatePolicies(
        _ statements: [PolicyStatement], critical: Bool
    ) throws -> Certificate.Extension {
        guard !statements.isEmpty else { throw PKIMessageError.invalidValue("policies", "there is none") }
        guard statements.allSatisfy({ ($0.furtherNotices + [$0.notice ?? ""]).allSatisfy { $0.count <= 200 } }) else {
            throw PKIMessageError.invalidValue("user notice", "it has more than 200 characters")
        }
        return try self.make(OID.certificatePolicies, critical: critical) { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                for statement in statements { try self.write(statement, into: &coder) }
            }
        }
    }

    private static func write(_ statement: PolicyStatement, into coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(statement.oid)
            let cps = (statement.cps.map { [$0] } ?? []) + statement.furtherCPS
            let notices = (statement.notice.map { [$0] } ?? []) + statement.furtherNotices
            guard !cps.isEmpty || !notices.isEmpty else { return }
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                for cps in cps {
                    try coder.appendConstructedNode(identifier: .sequence) { coder in
                        try coder.serialize(self.cpsQualifier)
                        try coder.serialize(ASN1IA5String(cps))
                    }
                }
                for notice in notices {
                    try coder.appendConstructedNode(identifier: .sequence) { coder in
                        try coder.serialize(self.noticeQualifier)
                        try coder.appendConstructedNode(identifier: .sequence) {
                            try $0.serialize(ASN1UTF8String(notice))
                        }
                    }
                }
            }
        }
    }
}
