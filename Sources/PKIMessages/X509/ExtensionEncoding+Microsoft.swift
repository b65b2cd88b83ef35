package import SwiftASN1
package import X509

extension ExtensionEncoding {
    /// Certificate template name, 1.3.6.1.4.1.311.20.2: a bare BMPString (MS-WCCE, section 2.2.2.7.7.1, is wrong there).
    package static func microsoftTemplateName(_ name: String) throws -> Certificate.Extension {
        let value = try BMPText.encode(name, what: "certificate template name")
        return try self.make(OID.msCertificateTemplateName) {
            try $0.serialize(ASN1BMPString(contentBytes: value[...]))
        }
    }

    /// Certificate template, 1.3.6.1.4.1.311.21.7 (MS-WCCE, section 2.2.2.7.7.2).
    ///
    ///     CertificateTemplate ::= SEQUENCE { templateID OBJECT IDENTIFIER, templateMajorVersion INTEGER OPTIONAL,
    ///         templateMinorVersion INTEGER OPTIONAL }
    package static func microsoftTemplate(
        _ template: ASN1ObjectIdentifier, major: Int?, minor: Int?
    ) throws -> Certificate.Extension {
        guard minor == nil || major != nil, (major ?? 0) >= 0, (minor ?? 0) >= 0 else {
            throw PKIMessageError.invalidValue("certificate template", "its version is not a pair of numbers")
        }
        return try self.make(OID.msCertificateTemplate) { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                try coder.serialize(template)
                try coder.serializeOptionalImplicitlyTagged(major)
                try coder.serializeOptionalImplicitlyTagged(minor)
            }
        }
    }

    /// Application policies, 1.3.6.1.4.1.311.21.10, encoded as certificate policies.
    package static func applicationPolicies(_ policies: [ASN1ObjectIdentifier]) throws -> Certificate.Extension {
        try self.policies(OID.msApplicationPolicies, policies)
    }

    /// CA version, 1.3.6.1.4.1.311.21.1: low 16 bits the index of the CA certificate, high 16 bits that of its key.
    package static func caVersion(_ version: Int) throws -> Certificate.Extension {
        try self.make(OID.msCAVersion) { try $0.serialize(version) }
    }

    /// SHA-1 of the previous CA certificate, 1.3.6.1.4.1.311.21.2, in renewed CA certificates.
    package static func previousCACertificateHash(_ sha1: [UInt8]) throws -> Certificate.Extension {
        try self.make(OID.msPreviousCertHash) { try $0.serialize(ASN1OctetString(contentBytes: sha1[...])) }
    }
}

/// The certificate template that an extension names.
package struct MicrosoftTemplate: Hashable, Sendable {
    package let oid: ASN1ObjectIdentifier
    package let majorVersion: Int?
    package let minorVersion: Int?

    package init(oid: ASN1ObjectIdentifier, majorVersion: Int?, minorVersion: Int?) {
        self.oid = oid
        self.majorVersion = majorVersion
        self.minorVersion = minorVersion
    }
}

extension MicrosoftTemplate: DERParseable {
    package init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            let oid = try ASN1ObjectIdentifier(derEncoded: &nodes)
            let major: Int? = try DER.optionalImplicitlyTagged(&nodes)
            let minor: Int? = try DER.optionalImplicitlyTagged(&nodes)
            return MicrosoftTemplate(oid: oid, majorVersion: major, minorVersion: minor)
        }
    }
}

extension GeneralName {
    /// A user principal name: otherName 1.3.6.1.4.1.311.20.2.3 with a UTF8String.
    package static func userPrincipalName(_ name: String) throws -> GeneralName {
        .otherName(.init(typeID: OID.msUserPrincipalName, value: try ASN1Any(erasing: ASN1UTF8String(name))))
    }

    /// The user principal name, when this is one.
    package var userPrincipalName: String? {
        guard case .otherName(let other) = self, other.typeID == OID.msUserPrincipalName, let value = other.value
        else { return nil }
        // `try?`: another string type is not a user principal name.
        return (try? ASN1UTF8String(asn1Any: value)).flatMap { String(validating: $0.bytes, as: UTF8.self) }
    }
}

/// BMPString (X.680, section 41.15): two octets a character, big-endian, nothing outside the basic plane.
package enum BMPText {
    /// Content octets.
    package static func encode(_ text: String, what: String) throws -> [UInt8] {
        guard text.unicodeScalars.allSatisfy({ $0.value <= 0xFFFF }) else {
            throw PKIMessageError.invalidValue(what, "it has a character that a BMPString cannot hold")
        }
        return text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    }

    /// - Throws: ``PKIMessageError`` with code `malformed` for an odd number of octets or a surrogate.
    package static func decode(_ content: ArraySlice<UInt8>, what: String) throws -> String {
        let octets = Array(content)
        guard octets.count.isMultiple(of: 2) else { throw PKIMessageError.malformed(what, "a BMPString is cut off") }
        var text = String.UnicodeScalarView()
        for index in stride(from: 0, to: octets.count, by: 2) {
            guard let scalar = Unicode.Scalar(UInt16(octets[index]) << 8 | UInt16(octets[index + 1])) else {
                throw PKIMessageError.malformed(what, "a BMPString has a surrogate")
            }
            text.append(scalar)
        }
        return String(text)
    }
}
