package import SwiftASN1
package import X509

/// Writes the extensions of certificates and revocation lists (RFC 5280, sections 4.2 and 5.2).
///
/// Where RFC 5280 fixes it, criticality is fixed here: key usage and CA basic constraints are critical, identifiers,
/// access information and distribution points are not.
package enum ExtensionEncoding {
    package static func keyUsage(_ usage: KeyUsage, critical: Bool = true) throws -> Certificate.Extension {
        try self.wrap("keyUsage") { try Certificate.Extension(usage, critical: critical) }
    }

    package static func extendedKeyUsage(
        _ usages: [ASN1ObjectIdentifier], critical: Bool = false
    ) throws -> Certificate.Extension {
        guard !usages.isEmpty else { throw PKIMessageError.invalidValue("extendedKeyUsage", "it is empty") }
        return try self.make(OID.extendedKeyUsage, critical: critical) { try $0.serializeSequenceOf(usages) }
    }

    /// - Parameter pathLength: for a CA how many CA certificates may follow; `nil` for any number.
    package static func basicConstraints(
        isCA: Bool, pathLength: Int? = nil, critical: Bool = true
    ) throws -> Certificate.Extension {
        if let pathLength, !isCA || pathLength < 0 {
            throw PKIMessageError.invalidValue("basicConstraints", "a path length needs a CA, and is not negative")
        }
        let constraints: BasicConstraints =
            isCA ? .isCertificateAuthority(maxPathLength: pathLength) : .notCertificateAuthority
        return try self.wrap("basicConstraints") { try Certificate.Extension(constraints, critical: critical) }
    }

    package static func subjectKeyIdentifier(_ identifier: [UInt8]) throws -> Certificate.Extension {
        let header = DERHeader.encoded(identifier: 0x04, contentBytes: identifier.count)
        return Certificate.Extension(
            oid: OID.subjectKeyIdentifier, critical: false, value: (header + identifier)[...])
    }

    /// Only the keyIdentifier, as Windows and most CAs write it.
    package static func authorityKeyIdentifier(_ keyIdentifier: [UInt8]) throws -> Certificate.Extension {
        try self.make(OID.authorityKeyIdentifier) { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                try ASN1OctetString(contentBytes: keyIdentifier[...])
                    .serialize(into: &coder, withIdentifier: .init(tagWithNumber: 0, tagClass: .contextSpecific))
            }
        }
    }

    /// One distribution point with all URLs as its full name (RFC 5280, section 4.2.1.13).
    package static func crlDistributionPoints(_ urls: [String]) throws -> Certificate.Extension {
        guard !urls.isEmpty else { throw PKIMessageError.invalidValue("cRLDistributionPoints", "it has no URL") }
        let context0 = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)
        return try self.make(OID.crlDistributionPoints) { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                try coder.appendConstructedNode(identifier: .sequence) { coder in
                    // DistributionPointName is a CHOICE, so [0] is explicit; fullName [0] within it is implicit.
                    try coder.appendConstructedNode(identifier: context0) { coder in
                        try coder.serializeSequenceOf(self.urlNames(urls), identifier: context0)
                    }
                }
            }
        }
    }

    /// Authority information access (RFC 5280, section 4.2.2.1).
    ///
    /// - Parameters:
    ///   - caIssuers: where the issuer's certificate is.
    ///   - ocsp: responders.
    package static func authorityInformationAccess(
        caIssuers: [String], ocsp: [String]
    ) throws -> Certificate.Extension {
        let descriptions =
            caIssuers.map { (OID.accessMethodCAIssuers, $0) } + ocsp.map { (OID.accessMethodOCSP, $0) }
        guard !descriptions.isEmpty else {
            throw PKIMessageError.invalidValue("authorityInfoAccess", "it has no URL")
        }
        return try self.make(OID.authorityInformationAccess) { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                for (method, url) in descriptions {
                    try coder.appendConstructedNode(identifier: .sequence) { coder in
                        try coder.serialize(method)
                        try coder.serialize(GeneralName.uniformResourceIdentifier(url))
                    }
                }
            }
        }
    }

    /// - Parameter critical: true when the subject is empty (RFC 5280, section 4.2.1.6).
    package static func subjectAlternativeName(
        _ names: [GeneralName], critical: Bool = false
    ) throws -> Certificate.Extension {
        guard !names.isEmpty else { throw PKIMessageError.invalidValue("subjectAltName", "it is empty") }
        return try self.make(OID.subjectAlternativeName, critical: critical) { try $0.serializeSequenceOf(names) }
    }

    /// Certificate policies without qualifiers (RFC 5280, section 4.2.1.4).
    package static func certificatePolicies(_ policies: [ASN1ObjectIdentifier]) throws -> Certificate.Extension {
        try self.policies(OID.certificatePolicies, policies)
    }

    /// Extensions as a request asks for them: DER of `Extensions`, the value of attribute 1.2.840.113549.1.9.14.
    package static func list(_ extensions: [Certificate.Extension]) throws -> [UInt8] {
        try StrictDER.serialize { try $0.serializeSequenceOf(extensions) }
    }

    /// `SEQUENCE OF SEQUENCE { OBJECT IDENTIFIER }`.
    static func policies(
        _ oid: ASN1ObjectIdentifier, _ policies: [ASN1ObjectIdentifier]
    ) throws -> Certificate.Extension {
        guard !policies.isEmpty else { throw PKIMessageError.invalidValue("policies", "there is none") }
        return try self.make(oid) { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                for policy in policies {
                    try coder.serializeSequenceOf([policy])
                }
            }
        }
    }

    static func make(
        _ oid: ASN1ObjectIdentifier, critical: Bool = false, _ write: (inout DER.Serializer) throws -> Void
    ) throws -> Certificate.Extension {
        Certificate.Extension(oid: oid, critical: critical, value: try StrictDER.serialize(write)[...])
    }

    private static func urlNames(_ urls: [String]) -> [GeneralName] {
        urls.map { .uniformResourceIdentifier($0) }
    }

    private static func wrap(
        _ what: String, _ body: () throws -> Certificate.Extension
    ) throws -> Certificate.Extension {
        do {
            return try body()
        } catch {
            throw PKIMessageError.invalidValue(what, "it cannot be encoded")
        }
    }
}
