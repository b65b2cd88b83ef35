package import SwiftASN1
package import X509

/// Reads the extensions of a certificate or request. Each function gives `nil` (or nothing) when the extension is absent
/// and throws ``PKIMessageError`` with code `malformed` when its value is not what its definition says.
package struct ExtensionDecoding: Sendable {
    package let extensions: [Certificate.Extension]

    package init(_ extensions: [Certificate.Extension]) {
        self.extensions = extensions
    }

    package subscript(oid: ASN1ObjectIdentifier) -> Certificate.Extension? {
        self.extensions.first { $0.oid == oid }
    }

    /// `Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension`, none of them twice (RFC 5280, section 4.2).
    package static func list(_ node: ASN1Node) throws -> [Certificate.Extension] {
        let extensions: [Certificate.Extension] = try DER.sequence(identifier: .sequence, rootNode: node)
        guard !extensions.isEmpty else { throw ASN1Error.invalidASN1Object(reason: "the extensions are empty") }
        guard extensions.haveDistinctTypes else {
            throw ASN1Error.invalidASN1Object(reason: "an extension appears twice")
        }
        return extensions
    }

    package func subjectKeyIdentifier() throws -> [UInt8]? {
        if let found = self[OID.subjectKeyIdentifier], let content = ExtensionDecoding.octets(found.value) {
            return content
        }
        return try self.value(OID.subjectKeyIdentifier, "subjectKeyIdentifier extension") {
            Array(try ASN1OctetString(derEncoded: $0).bytes)
        }
    }

    /// The content of a value that is one OCTET STRING and nothing else, of less than 128 bytes, without the parser, which
    /// makes room for much more; `nil` for every other value, whatever is wrong with it.
    private static func octets(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        value.withUnsafeBytes { bytes in
            guard bytes.count >= 2, bytes.count < 0x82, bytes[0] == 0x04, Int(bytes[1]) == bytes.count - 2 else {
                return nil
            }
            return Array(bytes.dropFirst(2))
        }
    }

    /// The keyIdentifier field; issuer and serial number are allowed beside it and not given.
    package func authorityKeyIdentifier() throws -> [UInt8]? {
        guard let found = self[OID.authorityKeyIdentifier] else { return nil }
        try self.checkShape(found, "authorityKeyIdentifier extension")
        return try StrictDER.wrapping("authorityKeyIdentifier extension") {
            try AuthorityKeyIdentifier(found).keyIdentifier.map { Array($0) }
        }
    }

    package func keyUsage() throws -> KeyUsage? {
        guard let found = self[OID.keyUsage] else { return nil }
        try self.checkShape(found, "keyUsage extension")
        return try StrictDER.wrapping("keyUsage extension") { try KeyUsage(found) }
    }

    package func extendedKeyUsages() throws -> [ASN1ObjectIdentifier] {
        try self.value(OID.extendedKeyUsage, "extKeyUsage extension") {
            try DER.sequence(of: ASN1ObjectIdentifier.self, identifier: .sequence, rootNode: $0)
        } ?? []
    }

    package func basicConstraints() throws -> BasicConstraints? {
        guard let found = self[OID.basicConstraints] else { return nil }
        try self.checkShape(found, "basicConstraints extension")
        return try StrictDER.wrapping("basicConstraints extension") { try BasicConstraints(found) }
    }

    package func subjectAlternativeNames() throws -> [GeneralName] {
        try self.value(OID.subjectAlternativeName, "subjectAltName extension") {
            try DER.sequence(of: GeneralName.self, identifier: .sequence, rootNode: $0)
        } ?? []
    }

    /// The URLs of the distribution points' full names, in order (RFC 5280, section 4.2.1.13).
    package func crlDistributionPointURLs() throws -> [String] {
        try self.distributionPointURLs(OID.crlDistributionPoints, "cRLDistributionPoints extension")
    }

    /// The URLs of the freshest CRL extension, in order (RFC 5280, sections 4.2.1.15 and 5.2.6).
    package func freshestCRLURLs() throws -> [String] {
        try self.distributionPointURLs(OID.freshestCRL, "freshestCRL extension")
    }

    /// The addresses of the issuer's certificate, in order (RFC 5280, section 4.2.2.1: id-ad-caIssuers).
    package func issuerCertificateURLs() throws -> [String] {
        try self.value(OID.authorityInformationAccess, "authorityInfoAccess extension") { node in
            try DER.sequence(of: AccessDescription.self, identifier: .sequence, rootNode: node)
        }?.compactMap { description in
            guard description.method == OID.accessMethodCAIssuers,
                case .uniformResourceIdentifier(let url) = description.location
            else { return nil }
            return url
        } ?? []
    }

    private func distributionPointURLs(_ oid: ASN1ObjectIdentifier, _ what: String) throws -> [String] {
        try self.value(oid, what) { node in
            try DER.sequence(of: DistributionPoint.self, identifier: .sequence, rootNode: node)
        }?.flatMap(\.fullName).compactMap { name in
            if case .uniformResourceIdentifier(let url) = name { url } else { nil }
        } ?? []
    }

    /// The certificate template name, 1.3.6.1.4.1.311.20.2.
    package func microsoftTemplateName() throws -> String? {
        try self.value(OID.msCertificateTemplateName, "certificate template name extension") {
            try BMPText.decode(ASN1BMPString(derEncoded: $0).bytes, what: "certificate template name")
        }
    }

    /// The certificate template, 1.3.6.1.4.1.311.21.7.
    package func microsoftTemplate() throws -> MicrosoftTemplate? {
        try self.value(OID.msCertificateTemplate, "certificate template extension") {
            try MicrosoftTemplate(derEncoded: $0)
        }
    }

    /// The CA version, 1.3.6.1.4.1.311.21.1.
    package func caVersion() throws -> Int? {
        try self.value(OID.msCAVersion, "CA version extension") { try Int(derEncoded: $0) }
    }

    /// SHA-1 of the CA certificate before this one, 1.3.6.1.4.1.311.21.2.
    package func previousCACertificateHash() throws -> [UInt8]? {
        try self.value(OID.msPreviousCertHash, "previous CA certificate hash extension") {
            Array(try ASN1OctetString(derEncoded: $0).bytes)
        }
    }

    /// Application policies, 1.3.6.1.4.1.311.21.10; qualifiers are ignored.
    package func applicationPolicies() throws -> [ASN1ObjectIdentifier] {
        try self.value(OID.msApplicationPolicies, "application policies extension") { node in
            try DER.sequence(of: PolicyInformation.self, identifier: .sequence, rootNode: node).map(\.policy)
        } ?? []
    }

    /// Certificate policies; qualifiers are ignored.
    package func certificatePolicies() throws -> [ASN1ObjectIdentifier] {
        try self.value(OID.certificatePolicies, "certificate policies extension") { node in
            try DER.sequence(of: PolicyInformation.self, identifier: .sequence, rootNode: node).map(\.policy)
        } ?? []
    }

    /// Parses an extension's value as one whole DER element.
    ///
    /// - Parameter what: the extension's name for errors.
    package func value<R>(
        _ oid: ASN1ObjectIdentifier, _ what: String, _ read: (ASN1Node) throws -> R
    ) throws -> R? {
        guard let found = self[oid] else { return nil }
        let node = try StrictDER.node(Array(found.value), what: what)
        return try StrictDER.wrapping(what) { try read(node) }
    }

    /// The limits of ``StrictDER`` for what swift-certificates parses.
    private func checkShape(_ found: Certificate.Extension, _ what: String) throws {
        try StrictDER.checkShape(found.value, what: what)
    }
}

extension [Certificate.Extension] {
    /// True when no type appears twice.
    var haveDistinctTypes: Bool {
        // Up to so many, comparing each with each takes less time than hashing them all.
        guard self.count <= 32 else { return Set(self.map(\.oid)).count == self.count }
        return !self.indices.contains { index in self[..<index].contains { $0.oid == self[index].oid } }
    }
}

/// `PolicyInformation ::= SEQUENCE { policyIdentifier OBJECT IDENTIFIER, policyQualifiers SEQUENCE OPTIONAL }`
private struct PolicyInformation: DERParseable {
    let policy: ASN1ObjectIdentifier

    init(derEncoded node: ASN1Node) throws {
        self.policy = try DER.sequence(node, identifier: .sequence) { nodes in
            let policy = try ASN1ObjectIdentifier(derEncoded: &nodes)
            _ = nodes.next()
            return policy
        }
    }
}

/// `DistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName OPTIONAL, reasons [1] OPTIONAL,
/// cRLIssuer [2] OPTIONAL }`, of which the full name is read.
private struct DistributionPoint: DERParseable {
    let fullName: [GeneralName]

    init(derEncoded node: ASN1Node) throws {
        let fullNameTag = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)
        self.fullName = try DER.sequence(node, identifier: .sequence) { nodes in
            let names = try DER.optionalExplicitlyTagged(&nodes, tagNumber: 0, tagClass: .contextSpecific) { choice in
                guard choice.identifier == fullNameTag else { return [GeneralName]() }
                return try DER.sequence(of: GeneralName.self, identifier: fullNameTag, rootNode: choice)
            }
            for tag in [UInt(1), 2] {
                DER.optionalImplicitlyTagged(&nodes, tagNumber: tag, tagClass: .contextSpecific) { _ in () }
            }
            return names ?? []
        }
    }
}

/// AccessDescription ::= SEQUENCE { accessMethod OBJECT IDENTIFIER, accessLocation GeneralName }
private struct AccessDescription: DERParseable {
    let method: ASN1ObjectIdentifier
    let location: GeneralName

    private init(method: ASN1ObjectIdentifier, location: GeneralName) {
        self.method = method
        self.location = location
    }

    init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            AccessDescription(
                method: try ASN1ObjectIdentifier(derEncoded: &nodes), location: try GeneralName(derEncoded: &nodes))
        }
    }
}
