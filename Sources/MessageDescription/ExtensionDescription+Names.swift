import PKIMessages
import SwiftASN1
import X509

/// Extensions that hold names and addresses.
extension DescriptionText {
    mutating func generalNames(_ nodes: [ASN1Node]) throws {
        for node in nodes { try self.generalName(node) }
    }

    private mutating func generalName(_ node: ASN1Node) throws {
        let name = try GeneralName(derEncoded: node)
        if let principal = name.userPrincipalName {
            self.line("Other Name:")
            return self.indented(by: 5) { $0.line("Principal Name=\(principal)") }
        }
        switch name {
        case .otherName(let other):
            self.line("Other Name:")
            let value = other.value.flatMap { try? StrictDER.serialize($0) } ?? []
            self.indented(by: 5) { $0.line("\(other.typeID)=\(DescriptionText.octets(value))") }
        case .rfc822Name(let text): self.line("RFC822 Name=\(text)")
        case .dnsName(let text): self.line("DNS Name=\(text)")
        case .uniformResourceIdentifier(let text): self.line("URL=\(text)")
        case .ipAddress(let octets): self.line("IP Address=\(DescriptionText.address(Array(octets.bytes)))")
        case .registeredID(let oid): self.line("Registered ID=\(oid)")
        case .directoryName(let name):
            self.line("Directory Address:")
            self.indented(by: 5) { text in
                for part in name.reversed() { text.line(DistinguishedName([part]).description) }
            }
        case .x400Address, .ediPartyName: self.line("Other Address=\(DescriptionText.octets(StrictDER.raw(node)))")
        }
    }

    /// An IPv4 or IPv6 address, in a constraint with its mask.
    private static func address(_ bytes: [UInt8]) -> String {
        switch bytes.count {
        case 4: bytes.map(String.init).joined(separator: ".")
        case 8: self.address(Array(bytes[..<4])) + " Mask=" + self.address(Array(bytes[4...]))
        case 16:
            stride(from: 0, to: 16, by: 2).map { String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16) }
                .joined(separator: ":")
        case 32: self.address(Array(bytes[..<16])) + " Mask=" + self.address(Array(bytes[16...]))
        default: self.octets(bytes)
        }
    }

    /// `SEQUENCE { keyIdentifier [0], authorityCertIssuer [1] GeneralNames, authorityCertSerialNumber [2] }`, all optional.
    mutating func authorityKey(_ node: ASN1Node) throws {
        for field in try node.fields() {
            if field.isTagged(0) {
                self.line("KeyID=\(DescriptionText.octets(field.octets))")
            } else if field.isTagged(1) {
                self.line("Certificate Issuer:")
                try self.indented(by: 5) { try $0.generalNames(field.children) }
            } else {
                self.line("Certificate SerialNumber=\(SerialNumber.hex(field.octets).lowercased())")
            }
        }
    }

    /// `SEQUENCE OF SEQUENCE { accessMethod OBJECT IDENTIFIER, accessLocation GeneralName }`
    mutating func accessDescriptions(_ node: ASN1Node, title: String) throws {
        for (index, description) in try node.fields(1).enumerated() {
            let fields = try description.fields(2)
            let method = try ASN1ObjectIdentifier(derEncoded: fields[0])
            self.line("[\(index + 1)]\(title)")
            try self.indented(by: 5) { text in
                text.line("Access Method=\(ObjectIdentifierNames.purpose(method))")
                text.line("Alternative Name:")
                try text.indented(by: 5) { try $0.generalName(fields[1]) }
            }
        }
    }

    /// `SEQUENCE OF DistributionPoint` (RFC 5280, section 4.2.1.13).
    mutating func distributionPoints(_ node: ASN1Node, title: String) throws {
        for (index, point) in try node.fields(1).enumerated() {
            self.line("[\(index + 1)]\(title)")
            try self.indented(by: 5) { text in
                for field in try point.fields() {
                    if field.isTagged(0) {
                        try text.distributionPointName(field)
                    } else if field.isTagged(1) {
                        text.line("Reasons=\(DescriptionText.octets(field.octets.dropFirst()))")
                    } else {
                        text.line("CRL Issuer:")
                        try text.indented(by: 5) { try $0.generalNames(field.children) }
                    }
                }
            }
        }
    }

    private mutating func distributionPointName(_ node: ASN1Node) throws {
        let choice = try node.explicit()
        self.line("Distribution Point Name:")
        try self.indented(by: 5) { text in
            guard choice.isTagged(0) else {
                return text.line("RDN Name=\(DescriptionText.octets(StrictDER.raw(choice)))")
            }
            text.line("Full Name:")
            try text.indented(by: 5) { try $0.generalNames(choice.children) }
        }
    }

    /// `IssuingDistributionPoint` (RFC 5280, section 5.2.5).
    mutating func issuingPoint(_ node: ASN1Node) throws {
        let flags: [UInt: String] = [
            1: "Only Contains User Certs", 2: "Only Contains CA Certs", 4: "Indirect CRL",
            5: "Only Contains Attribute Certs",
        ]
        for field in try node.fields() {
            if field.isTagged(0) {
                try self.distributionPointName(field)
            } else if let title = flags[field.identifier.tagNumber] {
                self.line("\(title)=\(field.octets == [0xFF] ? "Yes" : "No")")
            } else {
                self.line("Only Some Reasons=\(DescriptionText.octets(field.octets.dropFirst()))")
            }
        }
    }

    /// `SEQUENCE { permittedSubtrees [0] OPTIONAL, excludedSubtrees [1] OPTIONAL }` (RFC 5280, section 4.2.1.10).
    mutating func nameConstraints(_ node: ASN1Node) throws {
        for field in try node.fields(1) {
            self.line(field.isTagged(0) ? "Permitted" : "Excluded")
            try self.indented(by: 5) { text in
                for (index, subtree) in field.children.enumerated() {
                    text.line("[\(index + 1)]Subtrees (0..Max):")
                    try text.indented(by: 5) { try $0.generalNames([subtree.fields(1)[0]]) }
                }
            }
        }
    }

    /// `SEQUENCE { scanDelta INTEGER OPTIONAL, SEQUENCE OF GeneralNames }`
    mutating func crossCertificatePoints(_ node: ASN1Node) throws {
        for field in try node.fields(1) {
            if field.identifier == .integer {
                self.line("Delta Sync Time=\(try field.number()) Seconds")
            } else {
                for (index, names) in field.children.enumerated() {
                    self.line("[\(index + 1)]Cross-Certificate Distribution Point")
                    try self.indented(by: 5) { try $0.generalNames(names.children) }
                }
            }
        }
    }
}
