import Crypto
import Foundation
import PKIMessages
package import SecretMemory

/// Encrypts a part as it is written, while a thread beside it writes what is encrypted. Takes a few MiB of memory whatever the
/// size.
package final class PartWriter {
    /// A file of a part.
    package struct File: Sendable {
        package let byteCount: Int64
        /// Of all its bytes.
        package let sha256: [UInt8]
    }

    private let key: SymmetricKey
    private let output: PieceThread<Data, File>
    private var buffer: [UInt8] = []
    private var number: UInt64 = 0

    /// Writes the header.
    ///
    /// - Parameter sink: takes all bytes that it is given, or throws. Called on one other thread.
    package init(
        header: PartHeader, partKey: SecretBytes,
        sink: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        self.key = header.streamKey(partKey)
        self.output = PieceThread { pieces in
            var digest = DigestState(.sha256)
            var byteCount: Int64 = 0
            while let piece = try pieces.next() {
                try piece.withUnsafeBytes { bytes in
                    digest.update(bytes)
                    try sink(bytes)
                }
                byteCount += Int64(piece.count)
            }
            return File(byteCount: byteCount, sha256: digest.finalize())
        }
        self.buffer.reserveCapacity(Chunk.plaintextBytes)
        try self.output.queue.put(Data(header.bytes))
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

    /// Writes the last chunk, and waits until the sink has everything.
    package func finish() throws -> File {
        try self.seal(isLast: true)
        self.output.queue.close()
        return try self.output.result()
    }

    private func seal(isLast: Bool) throws {
        let box = try AES.GCM.seal(
            self.buffer, using: self.key, nonce: Chunk.nonce(self.number, isLast: isLast))
        try self.output.queue.put(box.ciphertext)
        try self.output.queue.put(box.tag)
        self.buffer.removeAll(keepingCapacity: true)
        self.number += 1
    }
}
