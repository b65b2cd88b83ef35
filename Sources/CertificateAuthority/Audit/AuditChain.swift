import Crypto
package import Foundation

/// One link of the audit chain.
package struct AuditEntry: Sendable, Equatable {
    /// 1, 2, 3 ... without a gap.
    package var sequence: Int64
    package var event: AuditEvent
    /// The hash of the entry before, 32 bytes; zeros for the first.
    package var previousHash: [UInt8]
    /// SHA-256 over previous hash, sequence and event; see ``AuditChain/hash(of:sequence:previousHash:)``.
    package var hash: [UInt8]

    package init(sequence: Int64, event: AuditEvent, previousHash: [UInt8], hash: [UInt8]) {
        self.sequence = sequence
        self.event = event
        self.previousHash = previousHash
        self.hash = hash
    }
}

/// What the next entry of the chain has to know of the newest one.
package struct AuditTip: Sendable, Equatable {
    package var sequence: Int64
    package var hash: [UInt8]

    package init(sequence: Int64, hash: [UInt8]) {
        self.sequence = sequence
        self.hash = hash
    }
}

/// The rule that links audit entries: whoever changes, removes or reorders one breaks every later hash.
package enum AuditChain {
    package static let firstPreviousHash = [UInt8](repeating: 0, count: 32)

    /// The entry that follows `head`.
    package static func entry(for event: AuditEvent, after head: AuditEntry?) -> AuditEntry {
        self.entry(for: event, after: head.map { AuditTip(sequence: $0.sequence, hash: $0.hash) })
    }

    /// The entry that follows the newest one.
    package static func entry(for event: AuditEvent, after head: AuditTip?) -> AuditEntry {
        let sequence = (head?.sequence ?? 0) + 1
        let previous = head?.hash ?? AuditChain.firstPreviousHash
        return AuditEntry(
            sequence: sequence, event: event, previousHash: previous,
            hash: AuditChain.hash(of: event, sequence: sequence, previousHash: previous))
    }

    /// SHA-256 over: previous hash (32 bytes), sequence (8 bytes, big-endian), milliseconds since 1970 (8), event
    /// number (4), then name, and each detail sorted by key, every text as 4-byte length and UTF-8.
    package static func hash(of event: AuditEvent, sequence: Int64, previousHash: [UInt8]) -> [UInt8] {
        var bytes = previousHash
        // More than most need, and less than what the C library has to search for.
        bytes.reserveCapacity(768)
        AuditChain.append(sequence, to: &bytes)
        AuditChain.append(AuditChain.milliseconds(event.when), to: &bytes)
        AuditChain.append(Int32(truncatingIfNeeded: event.id.rawValue), to: &bytes)
        AuditChain.append(event.who, to: &bytes)
        for (key, value) in event.details.sorted(by: { $0.key < $1.key }) {
            AuditChain.append(key, to: &bytes)
            AuditChain.append(value, to: &bytes)
        }
        return SHA256.hash(data: bytes).withUnsafeBytes { Array($0) }
    }

    /// The precision in which times are stored and hashed.
    package static func milliseconds(_ date: Date) -> Int64 {
        Int64((date.timeIntervalSince1970 * 1000).rounded())
    }

    /// The first entry that does not follow from the one before it, or `nil` when all do.
    ///
    /// - Parameter head: the entry before the first one given, `nil` at the beginning of the chain.
    package static func firstBreak(in entries: [AuditEntry], after head: AuditEntry?) -> AuditEntry? {
        var head = head
        for entry in entries {
            guard entry == AuditChain.entry(for: entry.event, after: head) else { return entry }
            head = entry
        }
        return nil
    }

    private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        AuditChain.append(UInt32(text.utf8.count), to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }
}
