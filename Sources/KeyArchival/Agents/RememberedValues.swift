import Synchronization

/// Values that are made once and found again. Where there are too many all are forgotten, and made again when they are wanted.
final class RememberedValues<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// More than an instance has agents and exchange certificates, and than a recovery meets authorities and groups of agents.
    private static var maximumCount: Int { 256 }

    private let known = Mutex<[Key: Value]>([:])

    /// - Parameter make: makes the value; one that cannot be made is not remembered.
    func value(of key: Key, _ make: () throws -> Value) rethrows -> Value {
        if let value = self.known.withLock({ $0[key] }) { return value }
        let value = try make()
        self.known.withLock { known in
            if known.count >= Self.maximumCount { known.removeAll() }
            known[key] = value
        }
        return value
    }
}

/// Bytes by which something is looked up: an array of bytes hashes one after another, these all at once.
struct ExactBytes: Hashable {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    func hash(into hasher: inout Hasher) {
        self.bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}
