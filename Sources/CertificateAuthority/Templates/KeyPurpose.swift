import PKIMessages
package import SwiftASN1

/// A bit of the key usage extension, by its name in RFC 5280, section 4.2.1.3.
package enum KeyUsageBit: String, Sendable, Codable, CaseIterable {
    case digitalSignature, nonRepudiation, keyEncipherment, dataEncipherment, keyAgreement, keyCertSign, cRLSign

    /// True for the uses that only a key which encrypts can have; a certificate for an elliptic-curve key must not
    /// name them (RFC 8813, section 3).
    var needsEncryptingKey: Bool { self == .keyEncipherment || self == .dataEncipherment }
}

/// An extended key usage (RFC 5280, section 4.2.1.12), written by its name where it has one, else in dots.
package struct ExtendedKeyPurpose: Sendable, Hashable, Codable, LosslessStringConvertible {
    package let oid: ASN1ObjectIdentifier

    private static let names: [(name: String, purpose: ExtendedKeyPurpose)] = [
        ("serverAuth", .serverAuth),
        ("clientAuth", .clientAuth),
        ("codeSigning", .codeSigning),
        ("emailProtection", .emailProtection),
        ("timeStamping", .timeStamping),
        ("ocspSigning", .ocspSigning),
        ("encryptingFileSystem", .encryptingFileSystem),
        ("fileRecovery", .fileRecovery),
        ("qualifiedSubordination", .qualifiedSubordination),
        ("certificateRequestAgent", .certificateRequestAgent),
        ("smartCardLogon", .smartCardLogon),
        ("caExchange", .caExchange),
        ("keyRecoveryAgent", .keyRecoveryAgent),
        ("anyPurpose", .anyPurpose),
    ]

    package static let serverAuth = ExtendedKeyPurpose(oid: OID.serverAuth)
    package static let clientAuth = ExtendedKeyPurpose(oid: OID.clientAuth)
    package static let codeSigning = ExtendedKeyPurpose(oid: [1, 3, 6, 1, 5, 5, 7, 3, 3])
    package static let emailProtection = ExtendedKeyPurpose(oid: OID.emailProtection)
    package static let timeStamping = ExtendedKeyPurpose(oid: [1, 3, 6, 1, 5, 5, 7, 3, 8])
    package static let ocspSigning = ExtendedKeyPurpose(oid: [1, 3, 6, 1, 5, 5, 7, 3, 9])
    package static let encryptingFileSystem = ExtendedKeyPurpose(oid: OID.encryptingFileSystem)
    package static let fileRecovery = ExtendedKeyPurpose(oid: [1, 3, 6, 1, 4, 1, 311, 10, 3, 4, 1])
    package static let qualifiedSubordination = ExtendedKeyPurpose(oid: [1, 3, 6, 1, 4, 1, 311, 10, 3, 10])
    package static let certificateRequestAgent = ExtendedKeyPurpose(oid: [1, 3, 6, 1, 4, 1, 311, 20, 2, 1])
    package static let smartCardLogon = ExtendedKeyPurpose(oid: [1, 3, 6, 1, 4, 1, 311, 20, 2, 2])
    package static let caExchange = ExtendedKeyPurpose(oid: OID.caExchange)
    package static let keyRecoveryAgent = ExtendedKeyPurpose(oid: OID.keyRecoveryAgent)
    package static let anyPurpose = ExtendedKeyPurpose(oid: [2, 5, 29, 37, 0])

    package init(oid: ASN1ObjectIdentifier) {
        self.oid = oid
    }

    /// `nil` for a name that is not known and not a dotted identifier.
    package init?(_ text: String) {
        if let known = ExtendedKeyPurpose.names.first(where: { $0.name == text }) {
            self = known.purpose
        } else if let oid = ObjectIdentifierText.parse(text) {
            self.oid = oid
        } else {
            return nil
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let purpose = ExtendedKeyPurpose(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text)\" is no extended key usage: name it or write its identifier"
            )
        }
        self = purpose
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }

    package var description: String {
        ExtendedKeyPurpose.names.first { $0.purpose == self }?.name ?? ObjectIdentifierText.text(of: self.oid)
    }
}

/// Object identifiers in dots, checked (X.660: the first arc is 0, 1 or 2, and below 0 and 1 there are 40).
package enum ObjectIdentifierText {
    package static func parse(_ text: String) -> ASN1ObjectIdentifier? {
        let arcs = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt($0) }
        let numbers = arcs.compactMap { $0 }
        guard arcs.count >= 2, numbers.count == arcs.count, numbers.count <= 32, numbers[0] <= 2,
            numbers[0] == 2 || numbers[1] < 40, numbers[1] < UInt(UInt32.max)
        else { return nil }
        // The elements are checked above; what the encoder still refuses is no identifier, whatever its reason.
        return try? ASN1ObjectIdentifier(elements: numbers)
    }

    static func text(of oid: ASN1ObjectIdentifier) -> String {
        "\(oid)"
    }
}
