package import SwiftASN1
package import X509

/// What a CA below may certify (RFC 5280, section 4.2.1.10).
package struct NameConstraintSubtrees: Sendable, Equatable {
    /// The names of each kind that are allowed, when any of the kind is named.
    package var permitted: [GeneralName]
    package var excluded: [GeneralName]

    package init(permitted: [GeneralName] = [], excluded: [GeneralName] = []) {
        self.permitted = permitted
        self.excluded = excluded
    }

    package var isEmpty: Bool { self.permitted.isEmpty && self.excluded.isEmpty }
}

/// That a policy of one domain is worth as much as one of another (RFC 5280, section 4.2.1.5).
package struct PolicyMapping: Sendable, Equatable {
    package var issuerPolicy: ASN1ObjectIdentifier
    package var subjectPolicy: ASN1ObjectIdentifier

    package init(issuerPolicy: ASN1ObjectIdentifier, subjectPolicy: ASN1ObjectIdentifier) {
        self.issuerPolicy = issuerPolicy
        self.subjectPolicy = subjectPolicy
    }
}

/// After how many certificates of a path policies must be explicit or cannot be mapped (RFC 5280, section 4.2.1.11).
package struct PolicyConstraints: Sendable, Equatable {
    package var requireExplicitPolicy: Int?
    package var inhibitPolicyMapping: Int?

    package init(requireExplicitPolicy: Int? = nil, inhibitPolicyMapping: Int? = nil) {
        self.requireExplicitPolicy = requireExplicitPolicy
        self.inhibitPolicyMapping = inhibitPolicyMapping
    }
}

/// The extensions of qualified subordination.
extension ExtensionEncoding {
    private static let anyPolicy: ASN1ObjectIdentifier = [2, 5, 29, 32, 0]

    ///     NameConstraints ::= SEQUENCE { permittedSubtrees [0] GeneralSubtrees OPTIONAL,
    ///         excludedSubtrees [1] GeneralSubtrees OPTIONAL }
    ///     GeneralSubtree ::= SEQUENCE { base GeneralName, minimum [0] DEFAULT 0, maximum [1] OPTIONAL }
    ///
    /// - Parameter critical: RFC 5280 wants it so.
    package static func nameConstraints(
        _ subtrees: NameConstraintSubtrees, critical: Bool = true
    ) throws -> Certificate.Extension {
        guard !subtrees.isEmpty else { throw PKIMessageError.invalidValue("nameConstraints", "there is none") }
        return try self.make(OID.nameConstraints, critical: critical) { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                for (tag, names) in [(UInt(0), subtrees.permitted), (1, subtrees.excluded)] where !names.isEmpty {
                    let identifier = ASN1Identifier(tagWithNumber: tag, tagClass: .contextSpecific)
                    try coder.appendConstructedNode(identifier: identifier) { coder in
                        for name in names {
                            try coder.appendConstructedNode(identifier: .sequence) { try $0.serialize(name) }
                        }
                    }
                }
            }
        }
    }

    /// - Throws: ``PKIMessageError`` with code `invalidValue` for anyPolicy, which cannot be mapped.
    package static func policyMappings(
        _ mappings: [PolicyMapping], critical: Bool = true
    ) throws -> Certificate.Extension {
        let named = mappings.flatMap { [$0.issuerPolicy, $0.subjectPolicy] }
        guard !mappings.isEmpty, !named.contains(self.anyPolicy) else {
            throw PKIMessageError.invalidValue("policyMappings", "there is none, or anyPolicy among them")
        }
        return try self.make(OID.policyMappings, critical: critical) { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                for mapping in mappings {
                    try coder.serializeSequenceOf([mapping.issuerPolicy, mapping.subjectPolicy])
                }
            }
        }
    }

    ///     PolicyConstraints ::= SEQUENCE { requireExplicitPolicy [0] SkipCerts OPTIONAL,
    ///         inhibitPolicyMapping [1] SkipCerts OPTIONAL }
    package static func policyConstraints(
        _ constraints: PolicyConstraints, critical: Bool = true
    ) throws -> Certificate.Extension {
        let skips = [constraints.requireExplicitPolicy, constraints.inhibitPolicyMapping]
        guard skips.contains(where: { $0 != nil }), skips.allSatisfy({ ($0 ?? 0) >= 0 }) else {
            throw PKIMessageError.invalidValue("policyConstraints", "both are missing, or one is negative")
        }
        return try self.make(OID.policyConstraints, critical: critical) { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                for (tag, skip) in skips.enumerated() {
                    try coder.serializeOptionalImplicitlyTagged(
                        skip, withIdentifier: .init(tagWithNumber: UInt(tag), tagClass: .contextSpecific))
                }
            }
        }
    }

    /// `InhibitAnyPolicy ::= SkipCerts` (RFC 5280, section 4.2.1.14); always critical.
    package static func inhibitAnyPolicy(_ skip: Int) throws -> Certificate.Extension {
        guard skip >= 0 else { throw PKIMessageError.invalidValue("inhibitAnyPolicy", "it is negative") }
        return try self.make(OID.inhibitAnyPolicy, critical: true) { try $0.serialize(skip) }
    }

    /// Cross-certificate distribution points, 1.3.6.1.4.1.311.10.9.1:
    /// `SEQUENCE { syncDeltaTime INTEGER OPTIONAL, crossCertDistPointNames SEQUENCE OF GeneralNames }`.
    ///
    /// - Parameter interval: seconds between two look-ups.
    package static func crossCertificateDistributionPoints(
        _ urls: [String], interval: Int?, critical: Bool = false
    ) throws -> Certificate.Extension {
        guard !urls.isEmpty else {
            throw PKIMessageError.invalidValue("cross-certificate distribution points", "there is no URL")
        }
        return try self.make(OID.msCrossCertificateDistributionPoints, critical: critical) { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                if let interval { try coder.serialize(interval) }
                try coder.appendConstructedNode(identifier: .sequence) { coder in
                    try coder.serializeSequenceOf(urls.map { GeneralName.uniformResourceIdentifier($0) })
                }
            }
        }
    }
}
