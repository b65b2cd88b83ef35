package import SwiftASN1

/// A certificate by its issuer and serial number (RFC 5652, section 10.2.4).
///
///     IssuerAndSerialNumber ::= SEQUENCE { issuer Name, serialNumber CertificateSerialNumber }
package struct IssuerAndSerialNumber: Hashable, Sendable {
    /// The issuer's Name in DER, compared byte for byte.
    package let issuerDER: [UInt8]
    /// The content of the INTEGER, at least one byte, as in the certificate.
    package let serialNumber: [UInt8]

    package init(issuerDER: [UInt8], serialNumber: [UInt8]) {
        self.issuerDER = issuerDER
        self.serialNumber = serialNumber
    }

    package init(_ certificate: CertificateFields) {
        self.init(issuerDER: certificate.issuerDER, serialNumber: certificate.serialNumber)
    }

    package func names(_ certificate: CertificateFields) -> Bool {
        self == IssuerAndSerialNumber(certificate)
    }
}

extension IssuerAndSerialNumber: DERImplicitlyTaggable {
    package static var defaultIdentifier: ASN1Identifier { .sequence }

    package init(derEncoded node: ASN1Node, withIdentifier identifier: ASN1Identifier) throws {
        self = try DER.sequence(node, identifier: identifier) { nodes in
            guard let issuer = nodes.next(), issuer.identifier == .sequence, case .constructed = issuer.content else {
                throw ASN1Error.invalidASN1Object(reason: "IssuerAndSerialNumber has no issuer name")
            }
            return IssuerAndSerialNumber(
                issuerDER: Array(issuer.encodedBytes), serialNumber: try Self.integerContent(nodes.next()))
        }
    }

    /// The content of an INTEGER of any size and sign, refused when it is not minimal (X.690, section 8.3.2).
    private static func integerContent(_ node: ASN1Node?) throws -> [UInt8] {
        guard let node, node.identifier == .integer, case .primitive(let content) = node.content,
            let first = content.first
        else { throw ASN1Error.invalidASN1Object(reason: "IssuerAndSerialNumber has no serial number") }
        if let second = content.dropFirst().first {
            let isPadded = (first == 0x00 && second < 0x80) || (first == 0xFF && second >= 0x80)
            guard !isPadded else {
                throw ASN1Error.invalidASN1IntegerEncoding(reason: "the serial number is not minimal")
            }
        }
        return Array(content)
    }

    package func serialize(into coder: inout DER.Serializer, withIdentifier identifier: ASN1Identifier) throws {
        coder.appendConstructedNode(identifier: identifier) { coder in
            coder.serializeRawBytes(self.issuerDER)
            coder.appendPrimitiveNode(identifier: .integer) { $0.append(contentsOf: self.serialNumber) }
        }
    }
}
