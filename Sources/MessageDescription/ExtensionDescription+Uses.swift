import Foundation
import PKIMessages
import SwiftASN1

/// Extensions that say what a key may be used for, and by which policies.
extension DescriptionText {
    mutating func keyUsage(_ node: ASN1Node) throws {
        let bits = try ASN1BitString(derEncoded: node)
        let names = [
            "Digital Signature", "Non-Repudiation", "Key Encipherment", "Data Encipherment", "Key Agreement",
            "Certificate Signing", "CRL Signing", "Encipher Only", "Decipher Only",
        ]
        self.line("\(DescriptionText.bitNames(bits, names)) (\(DescriptionText.octets(bits.bytes)))")
    }

    mutating func netscapeType(_ node: ASN1Node) throws {
        let bits = try ASN1BitString(derEncoded: node)
        let names = [
            "SSL Client Authentication", "SSL Server Authentication", "SMIME", "Signature", "Unknown",
            "SSL CA", "SMIME CA", "Signature CA",
        ]
        self.line("\(DescriptionText.bitNames(bits, names)) (\(DescriptionText.octets(bits.bytes)))")
    }

    private static func bitNames(_ bits: ASN1BitString, _ names: [String]) -> String {
        let bytes = Array(bits.bytes)
        return names.indices.filter { bit in
            bit / 8 < bytes.count && bytes[bit / 8] & (0x80 >> (bit % 8)) != 0
        }.map { names[$0] }.joined(separator: ", ")
    }

    /// `BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }`
    mutating func basicConstraints(_ node: ASN1Node) throws {
        let fields = try node.fields()
        let isCA = try fields.first { $0.identifier == .boolean }.map { try Bool(derEncoded: $0) } ?? false
        let limit = try fields.first { $0.identifier == .integer }.map { try Int(derEncoded: $0) }
        self.line("Subject Type=\(isCA ? "CA" : "End Entity")")
        self.line("Path Length Constraint=\(limit.map(String.init) ?? "None")")
    }

    /// `SEQUENCE OF PolicyInformation { policyIdentifier, policyQualifiers SEQUENCE OF { id, qualifier } OPTIONAL }`
    mutating func policies(_ node: ASN1Node, title: String) throws {
        for (index, policy) in try node.fields(1).enumerated() {
            let fields = try policy.fields(1)
            let oid = try ASN1ObjectIdentifier(derEncoded: fields[0])
            self.line("[\(index + 1)]\(title):")
            try self.indented(by: 5) { text in
                text.line("Policy Identifier=\(ObjectIdentifierNames.name(oid).map { "\($0) (\(oid))" } ?? "\(oid)")")
                guard fields.count > 1 else { return }
                for (number, qualifier) in try fields[1].fields(1).enumerated() {
                    text.line("[\(index + 1),\(number + 1)]Policy Qualifier Info:")
                    try text.indented(by: 5) { try $0.qualifier(qualifier) }
                }
            }
        }
    }

    private mutating func qualifier(_ node: ASN1Node) throws {
        let fields = try node.fields(2)
        let oid = try ASN1ObjectIdentifier(derEncoded: fields[0])
        let isCPS = oid == [1, 3, 6, 1, 5, 5, 7, 2, 1]
        let isNotice = oid == [1, 3, 6, 1, 5, 5, 7, 2, 2]
        self.line("Policy Qualifier Id=\(isCPS ? "CPS" : isNotice ? "User Notice" : "\(oid)")")
        self.line("Qualifier:")
        try self.indented(by: 5) { text in
            if isCPS {
                text.line(try fields[1].text())
            } else if isNotice {
                // UserNotice ::= SEQUENCE { noticeRef SEQUENCE OPTIONAL, explicitText DisplayText OPTIONAL }
                for field in try fields[1].fields() {
                    if field.identifier == .sequence {
                        text.line("Notice Reference=\(DescriptionText.octets(StrictDER.raw(field)))")
                    } else {
                        text.line("Notice Text=\(try field.text())")
                    }
                }
            } else {
                text.dump(StrictDER.raw(fields[1]))
            }
        }
    }

    /// `SEQUENCE OF SEQUENCE { issuerDomainPolicy OBJECT IDENTIFIER, subjectDomainPolicy OBJECT IDENTIFIER }`
    mutating func policyMappings(_ node: ASN1Node) throws {
        for (index, mapping) in try node.fields(1).enumerated() {
            let fields = try mapping.fields(2)
            self.line("[\(index + 1)]Issuer Domain=\(try ASN1ObjectIdentifier(derEncoded: fields[0]))")
            let subject = try ASN1ObjectIdentifier(derEncoded: fields[1])
            self.indented(by: 5) { $0.line("Subject Domain=\(subject)") }
        }
    }

    /// `SEQUENCE { requireExplicitPolicy [0] INTEGER OPTIONAL, inhibitPolicyMapping [1] INTEGER OPTIONAL }`
    mutating func policyConstraints(_ node: ASN1Node) throws {
        for field in try node.fields(1) {
            let title =
                field.isTagged(0) ? "Required Explicit Policy Skip Certs" : "Inhibit Policy Mapping Skip Certs"
            self.line("\(title)=\(try field.number())")
        }
    }

    /// INTEGER of any length.
    mutating func listNumber(_ title: String, _ node: ASN1Node) throws {
        let content = try DERInteger.content(node)
        self.line("\(title)=\(DescriptionText.octets(content))")
    }

    mutating func date(_ node: ASN1Node) throws {
        self.line(self.style.time(try EncodedTime.read(node)))
    }
}

extension EncodedTime {
    /// GeneralizedTime under an implicit tag.
    static func read(generalized node: ASN1Node) throws -> Date {
        let content = node.octets
        guard content.count < 0x80 else { throw ASN1Error.unexpectedFieldType(node.identifier) }
        return try self.read(DER.parse([0x18, UInt8(content.count)] + content))
    }
}
