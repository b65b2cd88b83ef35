import Foundation
import PKIMessages

/// The attributes of MS-CRTD as numbers and texts: how Windows stores a template in its directory.
package struct TemplateBits: Sendable, Equatable {
    /// Attribute names and values in a fixed order; numbers in decimal, periods and key usage in hexadecimal.
    package let attributes: [(name: String, values: [String])]

    package static func == (lhs: TemplateBits, rhs: TemplateBits) -> Bool {
        lhs.attributes.elementsEqual(rhs.attributes) { $0.name == $1.name && $0.values == $1.values }
    }

    package init(_ template: CertificateTemplate) {
        let flags = TemplateFlags(template)
        let usage = TemplateBits.keyUsageOctets(template.keyUsage)
        var attributes: [(String, [String])] = [
            ("cn", [template.name]), ("displayName", [template.displayName]),
            ("flags", ["\(Int32(bitPattern: flags.general))"]), ("revision", ["\(template.majorVersion)"]),
            ("pKIDefaultKeySpec", [template.client.keySpecification == .exchange ? "1" : "2"]),
            ("pKIKeyUsage", [Hexadecimal.lower(usage)]),
            ("pKIMaxIssuingDepth", ["\(template.certificationAuthority.map { $0.pathLength ?? -1 } ?? 0)"]),
            ("pKICriticalExtensions", template.criticalExtensions.map { ObjectIdentifierText.text(of: $0.oid) }),
            ("pKIExpirationPeriod", [Hexadecimal.lower(template.validity.fileTimeOctets)]),
            ("pKIOverlapPeriod", [Hexadecimal.lower(template.overlap.fileTimeOctets)]),
            ("pKIExtendedKeyUsage", template.extendedKeyUsages.map { ObjectIdentifierText.text(of: $0.oid) }),
            ("pKIDefaultCSPs", template.client.providers.enumerated().map { "\($0 + 1),\($1)" }),
            ("msPKI-RA-Signature", ["\(template.requiredSignatures.count)"]),
            ("msPKI-Enrollment-Flag", ["\(Int32(bitPattern: flags.enrollment))"]),
            ("msPKI-Private-Key-Flag", ["\(Int32(bitPattern: flags.privateKey))"]),
            ("msPKI-Certificate-Name-Flag", ["\(Int32(bitPattern: flags.name))"]),
            ("msPKI-Minimal-Key-Size", ["\(template.minimumKeyBits.rsa)"]),
            ("msPKI-Template-Schema-Version", ["\(template.schemaVersion)"]),
            ("msPKI-Template-Minor-Revision", ["\(template.minorVersion)"]),
            ("msPKI-Cert-Template-OID", [template.oid]),
            ("msPKI-Supersede-Templates", template.supersedes),
            (
                "msPKI-RA-Application-Policies",
                template.requiredSignatures.applicationPolicies.map { ObjectIdentifierText.text(of: $0.oid) }
            ),
            ("msPKI-RA-Policies", template.requiredSignatures.issuancePolicies),
            ("msPKI-Certificate-Policy", template.issuancePolicies.map(\.oid)),
        ]
        if let policies = template.applicationPolicies {
            attributes.append(
                ("msPKI-Certificate-Application-Policy", policies.map { ObjectIdentifierText.text(of: $0.oid) }))
        }
        self.attributes = attributes.filter { !$0.1.isEmpty }
    }

    /// One `name: value` a line, as LDIF has it (RFC 2849); ``TemplateImport`` reads it back. Octets are in base64 there
    /// and follow as a comment in hexadecimal.
    package var ldif: String {
        self.attributes.flatMap { name, values in
            values.map { value in
                guard TemplateBits.octetAttributes.contains(name), let octets = Hexadecimal.bytes(value) else {
                    return "\(name): \(value)"
                }
                return "# \(name) = \(value)\n\(name):: \(Data(octets).base64EncodedString())"
            }
        }.joined(separator: "\n") + "\n"
    }

    static let octetAttributes: Set<String> = ["pKIKeyUsage", "pKIExpirationPeriod", "pKIOverlapPeriod"]

    /// Two octets, the bits of the extension from the left.
    static func keyUsageOctets(_ usage: [KeyUsageBit]) -> [UInt8] {
        var octets: [UInt8] = [0, 0]
        for (index, bit) in KeyUsageBit.allCases.enumerated() where usage.contains(bit) {
            octets[0] |= 0x80 >> UInt8(index)
        }
        return octets
    }

    static func keyUsage(_ octets: [UInt8]) -> [KeyUsageBit] {
        KeyUsageBit.allCases.enumerated().filter { (octets.first ?? 0) & (0x80 >> UInt8($0.offset)) != 0 }
            .map(\.element)
    }
}

extension TemplatePeriod {
    /// The int64 of Windows, little-endian: a negative number of 100 nanoseconds.
    var fileTimeOctets: [UInt8] {
        withUnsafeBytes(of: (-Int64(self.timeInterval) * 10_000_000).littleEndian) { Array($0) }
    }

    /// The same read back, in the largest unit that divides it.
    init?(fileTimeOctets octets: [UInt8]) {
        guard octets.count == 8 else { return nil }
        let ticks = octets.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let value = Int64(bitPattern: ticks)
        guard value <= 0, value > -(1 << 60) else { return nil }
        let seconds = Int(-value / 10_000_000)
        let units: [Unit] = [.years, .weeks, .days, .hours, .minutes]
        guard let unit = units.first(where: { seconds % $0.seconds == 0 }) else { return nil }
        self.init("\(seconds / unit.seconds) \(unit.rawValue)")
    }
}
