#if canImport(Glibc)
    import Glibc
#endif

/// Bytes that must not outlive their use: memory of its own pages, locked against swapping, kept out of core
/// dumps, and wiped when the last reference goes.
///
/// Where the system refuses the lock (`RLIMIT_MEMLOCK`), ``isLocked`` is false and the caller decides whether
/// that is acceptable; the bytes are kept out of core dumps and wiped all the same.
///
/// `@unchecked Sendable`: the buffer is written only inside the initialisers, before the reference is shared,
/// and read-only afterwards.
public final class SecretBytes: @unchecked Sendable {
    private let memory: LockedMemory
    /// The number of secret bytes.
    public let count: Int
    /// True when the pages cannot be swapped out.
    public var isLocked: Bool { self.memory.isLocked }

    /// Makes room for `capacity` bytes and lets `initialize` fill them.
    ///
    /// - Parameter initialize: writes into the buffer and returns how many bytes it wrote; the rest is wiped.
    /// - Throws: ``SecretMemoryError`` when the system gives no memory, and whatever `initialize` throws, after
    ///   the memory is wiped.
    public init(capacity: Int, initialize: (UnsafeMutableRawBufferPointer) throws -> Int) throws {
        let memory = try LockedMemory.take(capacity: capacity)
        self.memory = memory
        do {
            let written = try initialize(UnsafeMutableRawBufferPointer(start: memory.base, count: capacity))
            precondition(written >= 0 && written <= capacity, "the initialiser wrote past the secret buffer")
            explicit_bzero(memory.base + written, memory.size - written)
            self.count = written
        } catch {
            memory.giveBack()
            throw error
        }
    }

    /// Moves `bytes` in, and wipes the caller's array.
    public convenience init(moving bytes: inout [UInt8]) throws {
        defer { SecretBytes.wipe(&bytes) }
        try self.init(copying: bytes)
    }

    /// Copies `bytes`; the caller's copy is the caller's to wipe.
    public convenience init(copying bytes: some Collection<UInt8>) throws {
        try self.init(capacity: bytes.count) { buffer in
            buffer.copyBytes(from: bytes)
            return bytes.count
        }
    }

    /// Lends the bytes for the time of `body`. A pointer must not escape.
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(UnsafeRawBufferPointer(start: self.memory.base, count: self.count))
    }

    /// Overwrites an array with zeros in place, where it is uniquely referenced.
    public static func wipe(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            explicit_bzero(start, buffer.count)
        }
        bytes.removeAll(keepingCapacity: false)
    }

    /// Compares in time that depends on the lengths only.
    public func matches(_ other: SecretBytes) -> Bool {
        guard self.count == other.count else { return false }
        return self.withUnsafeBytes { mine in
            other.withUnsafeBytes { theirs in
                zip(mine, theirs).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
            }
        }
    }

    deinit {
        self.memory.giveBack()
    }
}

extension SecretBytes: CustomStringConvertible {
    /// Says how many bytes there are and nothing else.
    public var description: String { "SecretBytes(\(self.count) bytes)" }
}

/// The system gave no memory for a secret.
public struct SecretMemoryError: Error, Equatable {
    public let requestedBytes: Int
    public let errno: Int32
}
