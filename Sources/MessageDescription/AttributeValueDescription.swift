import PKIMessages
import SwiftASN1
import X509

extension DescriptionText {
    /// One value of an attribute.
    mutating func attributeValue(_ type: ASN1ObjectIdentifier, _ der: [UInt8]) {
        let isKnown = AttributeDescription.names[type] != nil
        if let note = self.style.attributeNote, !isKnown || AttributeDescription.withoutFormatter.contains(type) {
            self.line(note)
        }
        switch type {
        case OID.msEncryptedKey: self.nestedMessage(der)
        case OID.msRenewalCertificate: self.nestedMessage(der)
        case OID.extensionRequest, OID.msCertExtensions:
            self.value(der, what: "extension request") { node, text in
                text.certificateExtensions("Certificate Extensions", try ExtensionDecoding.list(node))
            }
        default:
            guard let read = DescriptionText.attributeValues[type] else {
                return self.indented { $0.dump(der) }
            }
            self.value(der, what: "attribute", read)
        }
    }

    /// A message inside this one; one that cannot be read is shown as bytes, with the reason.
    mutating func nestedMessage(_ der: [UInt8], title: String? = nil) {
        guard self.nesting < DescriptionText.maximumNesting else {
            self.line("Messages are nested too deeply to be read")
            return self.dump(der)
        }
        self.nested { text in
            if let title { text.line(title) }
            var attempt = text
            do {
                try MessageDescription.describe(der, into: &attempt)
                text = attempt
            } catch {
                text.line("Not readable: \((error as? PKIMessageError)?.reason ?? "\(error)")")
                text.dump(der)
            }
        }
    }

    private typealias Reading = (ASN1Node, inout DescriptionText) throws -> Void

    private static let attributeValues:
        [ASN1ObjectIdentifier: @Sendable (ASN1Node, inout DescriptionText) throws -> Void] = [
            OID.contentType: { node, text in
                let type = try ASN1ObjectIdentifier(derEncoded: node)
                text.indented { $0.line(ObjectIdentifierNames.named(type)) }
            },
            OID.messageDigest: { try $1.titledOctets("Message Digest", $0) },
            OID.msEncryptedKeyHash: { try $1.titledOctets("Encrypted Key Hash", $0) },
            OID.msIssuedCertHash: { try $1.titledOctets("Issued Certificate Hash", $0) },
            OID.msArchivedKeyCertHash: { try $1.titledOctets("Archived Key Certificate Hash", $0) },
            OID.signingTime: { node, text in
                let time = try EncodedTime.read(node)
                text.indented { $0.line($0.style.time(time)) }
            },
            OID.msOSVersion: { node, text in
                let version = try node.text()
                text.indented { $0.line(version) }
            },
            // A password that somebody has set to revoke the certificate with.
            OID.challengePassword: { node, text in
                let count = try node.text().count
                text.indented { $0.line("(\(count) characters, not shown)") }
            },
            OID.msEnrollmentNameValuePair: { node, text in
                let pair = try CertificationRequest.NameValuePair(derEncoded: node)
                text.indented { $0.line("\(pair.name): \(pair.value)") }
            },
            OID.msEnrollmentCSP: { node, text in
                let fields = try node.fields(3)
                let (specification, name) = (try fields[0].number(), try fields[1].text())
                text.indented { text in
                    text.line("Provider = \(name)")
                    text.line("KeySpec = \(specification)")
                }
            },
            OID.msRequestClientInfo: { try $1.clientInformation($0) },
            [1, 2, 840, 113549, 1, 9, 15]: { try $1.capabilities($0) },
        ]

    private mutating func titledOctets(_ title: String, _ node: ASN1Node) throws {
        let octets = Array(try ASN1OctetString(derEncoded: node).bytes)
        self.line("\(title):")
        self.indented { $0.line(DescriptionText.octets(octets)) }
    }

    /// `SEQUENCE { clientId INTEGER, machine UTF8String, user UTF8String, process UTF8String }`, the strings optional.
    private mutating func clientInformation(_ node: ASN1Node) throws {
        let fields = try node.fields(1)
        let number = try fields[0].number()
        let texts = try fields.dropFirst().map { try $0.text() }
        self.line("Client Id: = \(number)")
        self.line(
            "\(AttributeDescription.clients[number] ?? (number >= 1000 ? "ClientIdUserStart" : "Unknown")) -- \(number)"
        )
        for (title, index) in [("User", 1), ("Machine", 0), ("Process", 2)] where texts.indices.contains(index) {
            self.line("\(title): \(texts[index])")
        }
    }

    /// `SMIMECapabilities ::= SEQUENCE OF SEQUENCE { capabilityID OBJECT IDENTIFIER, parameters ANY OPTIONAL }` (RFC 8551,
    /// section 2.5.2).
    mutating func capabilities(_ node: ASN1Node) throws {
        for (index, capability) in try node.fields().enumerated() {
            let fields = try capability.fields(1)
            let oid = try ASN1ObjectIdentifier(derEncoded: fields[0])
            self.line("[\(index + 1)]SMIME Capability")
            self.indented(by: 5) { text in
                text.line("Object ID=\(ObjectIdentifierNames.named(oid))")
                if fields.count > 1 {
                    text.line("Parameters=\(DescriptionText.octets(StrictDER.raw(fields[1])))")
                }
            }
        }
    }
}
