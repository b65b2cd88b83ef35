package import Foundation

/// Something of an instance that ends, or has ended.
package struct ExpiryNotice: Sendable, Equatable, Codable {
    package enum Kind: String, Sendable, Codable {
        case certificate
        case caCertificate = "ca-certificate"
        case crl
        case deltaCRL = "delta-crl"
        case exchangeCertificate = "exchange-certificate"
        case agentCertificate = "kra-certificate"
    }

    /// As monitoring plug-ins number it.
    package enum Level: Int, Sendable, Codable, Comparable {
        case ok = 0
        case warning = 1
        case critical = 2

        package static func < (lhs: Level, rhs: Level) -> Bool { lhs.rawValue < rhs.rawValue }
    }

    package var kind: Kind
    /// Serial number; for CRLs the number, 0 when there is none.
    package var identifier: String
    /// Subject; for CRLs key and shard.
    package var name: String
    /// `nil` for something that is missing.
    package var expires: Date?
    package var level: Level
    /// In one sentence.
    package var reason: String
    /// Of a certificate that this CA issued.
    package var requester: String?
    package var template: String?

    package init(
        kind: Kind, identifier: String, name: String, expires: Date?, level: Level, reason: String,
        requester: String? = nil, template: String? = nil
    ) {
        self.kind = kind
        self.identifier = identifier
        self.name = name
        self.expires = expires
        self.level = level
        self.reason = reason
        self.requester = requester
        self.template = template
    }

    /// JSON for programs: an object with `instance`, `level`, `generated` and `notices`.
    package static func json(_ notices: [ExpiryNotice], instance: String, generated: Date) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        encoder.dateEncodingStrategy = .iso8601
        let message = Message(
            instance: instance, generated: generated, level: notices.map(\.level).max() ?? .ok, notices: notices)
        return Array(try encoder.encode(message)) + [UInt8(ascii: "\n")]
    }

    private struct Message: Encodable {
        let instance: String
        let generated: Date
        let level: Level
        let notices: [ExpiryNotice]
    }
}
