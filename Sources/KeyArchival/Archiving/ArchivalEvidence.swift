import Diagnostics
import Foundation
import KeyProvider

/// What is kept beside an archived key about the way it took.
struct ArchivalEvidence: Encodable {
    enum Path: String, Encodable {
        /// Neither key nor plaintext left the token.
        case onToken = "on-token"
        /// The plaintext was in the host's memory for the time of re-encryption.
        case hostMemory = "host-memory"
    }

    struct TokenName: Encodable {
        var label: String
        var serialNumber: String
        var manufacturer: String
        var model: String
        var firmware: String
    }

    /// That several agents have to open the key together.
    struct Threshold: Encodable {
        var required: Int
        var agents: Int
        /// Made and shared in the host's locked memory: it seals what is encrypted to the agents already, and neither the
        /// private key nor its content-encryption key was seen for it.
        var sealingKey = "host-memory"
    }

    var path: Path
    var token: TokenName
    /// The device profile in force.
    var profile: String
    /// The exchange certificate's serial number.
    var exchangeCertificate: String
    /// PKCS #11 mechanisms in the order of their use.
    var mechanisms: [String]
    /// What the token said of the unwrapped private key; only on the token's path.
    var privateKeyAttributes: KeyAttributes?
    /// Whether the memory with the plaintext was locked against swapping; only on the host's path.
    var memoryLocked: Bool?
    /// Only where several agents have to act together.
    var threshold: Threshold?
    /// ISO 8601, UTC.
    var archivedWhen: String

    init(
        path: Path, token: any KeyToken, exchangeCertificate: String, mechanisms: [String],
        privateKeyAttributes: KeyAttributes? = nil, memoryLocked: Bool? = nil, at date: Date
    ) {
        let identification = token.identification
        self.path = path
        self.token = TokenName(
            label: identification.label, serialNumber: identification.serialNumber,
            manufacturer: identification.manufacturer, model: identification.model, firmware: identification.firmware)
        self.profile = token.profileName
        self.exchangeCertificate = exchangeCertificate
        self.mechanisms = mechanisms
        self.privateKeyAttributes = privateKeyAttributes
        self.memoryLocked = memoryLocked
        self.archivedWhen = date.ISO8601Format()
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
