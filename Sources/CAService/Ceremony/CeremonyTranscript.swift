import Diagnostics
import Foundation
package import KeyProvider
import PKIMessages

/// What was done at a ceremony, when and by whom: the content that the new key signs, as JSON.
package struct CeremonyTranscript: Codable, Hashable, Sendable {
    /// A device as it says of itself.
    package struct Device: Codable, Hashable, Sendable {
        package let label: String
        package let manufacturer: String
        package let model: String
        package let serialNumber: String
        package let firmware: String
    }

    /// A key pair on a token. The attributes are the token's word; what it does not say is left out.
    package struct Key: Codable, Hashable, Sendable {
        package let label: String
        package let algorithm: String
        /// Of the DER SubjectPublicKeyInfo.
        package let publicKeySHA256: String
        package let attributes: KeyAttributes
    }

    package struct File: Codable, Hashable, Sendable {
        package let path: String
        package let bytes: Int
        package let sha256: String

        /// - Throws: ``ServiceError`` with code `unreadable`, also for a file of more than 64 MiB.
        init(_ path: String, in directory: String) throws {
            let bytes = try FilePaths.read(FilePaths.resolve(path, in: directory), limit: 1 << 26)
            self.path = path
            self.bytes = bytes.count
            self.sha256 = Hexadecimal.lower(Digest.sha256.hash(bytes))
        }
    }

    package struct Confirmation: Codable, Hashable, Sendable {
        package let by: String
        package let when: String
    }

    package struct Step: Codable, Hashable, Sendable {
        /// From 1. A number that stands there twice is a step that failed and was done again.
        package let number: Int
        /// As in the script: say, ask, run, token, keys, file.
        package let kind: String
        package let text: String
        package var confirmations: [Confirmation] = []
        package var answer: String?
        /// What a command printed.
        package var output: [String]?
        package var device: Device?
        package var keys: [Key]?
        package var file: File?
        /// Why it failed; the ceremony stopped then.
        package var failure: String?
        package let started: String
        package var ended: String
    }

    /// How a transcript begins.
    package struct Head: Codable, Hashable, Sendable {
        package let version: Int
        package let ceremony: String
        /// On tokens of software that were made for the purpose.
        package let isRehearsal: Bool
        package let program: String
        package let scriptSHA256: String
        package let participants: [String: String]
        package let inputs: [File]
        package let started: String
    }

    package let head: Head
    package let steps: [Step]
    package let ended: String

    static let currentVersion = 1

    /// - Throws: ``ServiceError`` with code `unreadable` unless the bytes are exactly what ``json()`` makes.
    package init(json: [UInt8]) throws {
        let failure = ServiceError.unreadable("the transcript", "its content is no transcript of a ceremony")
        guard let read = try? JSONDecoder().decode(CeremonyTranscript.self, from: Data(json)),
            read.head.version == CeremonyTranscript.currentVersion, try read.json() == json
        else { throw failure }
        self = read
    }

    init(head: Head, steps: [Step], ended: String) {
        self.head = head
        self.steps = steps
        self.ended = ended
    }

    /// Keys in order, so that equal transcripts have equal bytes.
    package func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [0x0A]
    }

    /// Every key that was recorded, the last word on each.
    package var keys: [Key] {
        var latest: [String: Key] = [:]
        for key in self.steps.flatMap({ $0.keys ?? [] }) { latest[key.publicKeySHA256] = key }
        return latest.values.sorted { $0.publicKeySHA256 < $1.publicKeySHA256 }
    }

    /// The last record of each file.
    package var files: [File] {
        var latest: [String: File] = [:]
        for file in self.head.inputs + self.steps.compactMap(\.file) { latest[file.path] = file }
        return latest.values.sorted { $0.path < $1.path }
    }
}

extension CeremonyTranscript {
    /// For people.
    package var lines: [String] {
        var lines = ["Ceremony: \(self.head.ceremony)"]
        if self.head.isRehearsal { lines.append("THIS WAS A REHEARSAL ON SOFTWARE TOKENS") }
        lines.append("From \(self.head.started) to \(self.ended), with \(self.head.program)")
        lines.append("Script(sha256): \(self.head.scriptSHA256)")
        lines += self.head.inputs.map { "Input: \($0.path), \($0.bytes) bytes, sha256 \($0.sha256)" }
        lines += self.head.participants.sorted { $0.key < $1.key }.map { "Participant: \($0.value) (\($0.key))" }
        for step in self.steps { lines += [""] + step.lines }
        return lines
    }
}

extension CeremonyTranscript.Step {
    package var lines: [String] {
        var lines = ["\(self.number). [\(self.started)] \(self.kind): \(self.text)"]
        if let answer = self.answer { lines.append("   Answer: \(answer)") }
        lines += (self.output ?? []).map { "   | \($0)" }
        if let device = self.device {
            lines.append(
                "   \(device.manufacturer) \(device.model), serial number \(device.serialNumber), firmware \(device.firmware), "
                    + "label \(device.label)")
        }
        for key in self.keys ?? [] { lines += key.lines.map { "   \($0)" } }
        if let file = self.file { lines.append("   \(file.bytes) bytes, sha256 \(file.sha256)") }
        lines += self.confirmations.map { "   Confirmed by \($0.by) at \($0.when)" }
        if let failure = self.failure { lines.append("   FAILED: \(failure)") }
        return lines
    }
}

extension CeremonyTranscript.Key {
    /// Made on its token, and never outside of it.
    package var wasAlwaysOnToken: Bool {
        self.attributes.local == true && self.attributes.alwaysSensitive == true
            && self.attributes.neverExtractable == true
    }

    var lines: [String] {
        func said(_ value: Bool?) -> String { value.map { $0 ? "yes" : "NO" } ?? "unknown" }
        return [
            "\(self.label), \(self.algorithm), public key(sha256) \(self.publicKeySHA256)",
            "  made on the token: \(said(self.attributes.local)), always sensitive: \(said(self.attributes.alwaysSensitive)), "
                + "never extractable: \(said(self.attributes.neverExtractable))",
        ]
    }
}
