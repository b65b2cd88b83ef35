import Crypto
import Foundation
import PKIMessages
package import SecretMemory

/// Encrypts a part as it is written. Takes a few MiB of memory whatever the size.
package final class PartWriter {
    private let sink: (UnsafeRawBufferPointer) throws -> Void
    private let key: SymmetricKey
    private var buffer: [UInt8] = []
    private var number: UInt64 = 0
    private var digest = DigestState(.sha256)
    /// How many bytes went to the sink.
    package private(set) var byteCount: Int64 = 0

    /// Writes the header.
    ///
    /// - Parameter sink: takes all bytes that it is given, or throws.
    package init(
        header: PartHeader, partKey: SecretBytes, sink: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        self.sink = sink
        self.key = header.streamKey(partKey)
        self.buffer.reserveCapacity(Chunk.plaintextBytes)
        try header.bytes.withUnsafeBytes { try self.put($0) }
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            // A full chunk is sealed when more follows: until then it may be the last.
            if self.buffer.count == Chunk.plaintextBytes { try self.seal(isLast: false) }
            let taken = rest.prefix(Chunk.plaintextBytes - self.buffer.count)
            self.buffer.append(contentsOf: UnsafeRawBufferPointer(rebasing: taken))
            rest = rest.dropFirst(taken.count)
        }
    }

    package func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try self.write($0) }
    }

    /// Writes the last chunk.
    ///
    /// - Returns: the SHA-256 of all bytes that went to the sink.
    package func finish() throws -> [UInt8] {
        try self.seal(isLast: true)
        return self.digest.finalize()
    }

    private func seal(isLast: Bool) throws {
        let box = try AES.GCM.seal(
            self.buffer, using: self.key, nonce: Chunk.nonce(self.number, isLast: isLast))
        try box.ciphertext.withUnsafeBytes { try self.put($0) }
        try box.tag.withUnsafeBytes { try self.put($0) }
        self.buffer.removeAll(keepingCapacity: true)
        self.number += 1
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws {
        self.digest.update(bytes)
        try self.sink(bytes)
        self.byteCount += Int64(bytes.count)
    }
}
