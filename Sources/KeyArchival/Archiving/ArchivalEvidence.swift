import Diagnostics
import Foundation
package import KeyProvider
import PKIMessages

/// What is kept beside an archived key about the way it took.
package struct ArchivalEvidence: Codable, Sendable, Equatable {
    package enum Path: String, Codable, Sendable {
        /// Neither key nor plaintext left the token.
        case onToken = "on-token"
        /// The plaintext was in the host's memory for the time of re-encryption.
        case hostMemory = "host-memory"
    }

    package struct TokenName: Codable, Sendable, Equatable {
        package var label: String
        package var serialNumber: String
        package var manufacturer: String
        package var model: String
        package var firmware: String
    }

    /// That several agents have to open the key together.
    package struct Threshold: Codable, Sendable, Equatable {
        package var required: Int
        package var agents: Int
        /// Made and shared in the host's locked memory: it seals what is encrypted to the agents already, and neither the
        /// private key nor its content-encryption key was seen for it.
        package var sealingKey = "host-memory"
    }

    /// That the key came without a request, from a file.
    package struct Imported: Codable, Sendable, Equatable {
        package enum Source: String, Codable, Sendable {
            /// The key was in the memory of the CA's host before it was encrypted to the exchange key.
            case pkcs12 = "pkcs12-file"
            /// The key came encrypted to the exchange key.
            case container = "key-container"
        }

        package var source: Source
        package var by: String
        /// ISO 8601, UTC.
        package var when: String
    }

    /// What was recorded of the key before it was encrypted to other agents.
    package struct Previous: Codable, Sendable, Equatable {
        /// Without those before it, which stand before it in the list. `nil` in records of older versions, which took over
        /// what could not be read as text.
        package var evidence: ArchivalEvidence?
        package var unread: String?
        /// SHA-256 of the evidence as it was stored: the audit chain has the same.
        package var evidenceSHA256: String
        package var kraHashes: [String]
        /// ISO 8601, UTC.
        package var until: String
        package var by: String
        /// Of the agents who opened it, in the order of their use.
        package var cards: [String]
        /// Whether the key was in the memory of the CA's host on its way to the other agents.
        package var wasInHostMemory: Bool
    }

    package var path: Path
    package var token: TokenName
    /// The device profile in force.
    package var profile: String
    /// The exchange certificate's serial number.
    package var exchangeCertificate: String
    /// PKCS #11 mechanisms in the order of their use.
    package var mechanisms: [String]
    /// What the token said of the unwrapped private key; only on the token's path.
    package var privateKeyAttributes: KeyAttributes?
    /// Whether the memory with the plaintext was locked against swapping; only on the host's path.
    package var memoryLocked: Bool?
    /// SHA-256 of the public key that the private key was proven to belong to. `nil` in records of older versions.
    package var publicKeySHA256: String?
    /// SHA-256 of the stored EnvelopedData. `nil` in records of older versions.
    package var envelopedDataSHA256: String?
    /// Only where several agents have to act together.
    package var threshold: Threshold?
    /// Only of keys that came without a request.
    package var imported: Imported?
    /// Oldest first; only of keys that were encrypted to other agents later.
    package var previous: [Previous]?
    /// ISO 8601, UTC.
    package var archivedWhen: String

    /// Whether the private key was ever in the memory of the CA's host, as far as was recorded.
    package var wasInHostMemory: Bool {
        self.path != .onToken || self.imported?.source == .pkcs12
            || (self.previous ?? []).contains { $0.wasInHostMemory || $0.evidence?.wasInHostMemory != false }
    }

    init(
        path: Path, token: any KeyToken, sent: ReceivedKey, mechanisms: [String],
        privateKeyAttributes: KeyAttributes? = nil, memoryLocked: Bool? = nil, at date: Date
    ) {
        let identification = token.identification
        self.path = path
        self.token = TokenName(
            label: identification.label, serialNumber: identification.serialNumber,
            manufacturer: identification.manufacturer, model: identification.model, firmware: identification.firmware)
        self.profile = token.profileName
        self.exchangeCertificate = sent.exchangeCertificate.serialHex
        self.publicKeySHA256 = Hexadecimal.lower(sent.publicKey.sha256)
        self.mechanisms = mechanisms
        self.privateKeyAttributes = privateKeyAttributes
        self.memoryLocked = memoryLocked
        self.archivedWhen = date.ISO8601Format()
    }

    /// Reads what ``json()`` made.
    package init(json: String) throws {
        self = try JSONDecoder().decode(ArchivalEvidence.self, from: Data(json.utf8))
    }

    /// - Returns: the same bytes for the same evidence.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
