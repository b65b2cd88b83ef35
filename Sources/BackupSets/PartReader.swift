import Crypto
import Foundation
import PKIMessages
package import SecretMemory

/// Decrypts a part, while a thread beside it reads what follows. What it gives was written so, in this order, for this part; that nothing was cut off is
/// known when the end has been read.
package final class PartReader {
    private let part: String
    private let input: PieceThread<[UInt8], [UInt8]>
    private let key: SymmetricKey
    private var number: UInt64 = 0
    private var plaintext = Data()
    private var position = 0
    private var next: [UInt8]
    private var isAtEnd = false
    /// Of the ciphertext that was read.
    private var bytesRead: Int64

    /// - Parameters:
    ///   - part: the file's name, for errors.
    ///   - source: gives what follows the header, as many bytes as asked for where there are so many. Called on one other
    ///     thread.
    /// - Throws: ``BackupError``.
    package init(
        _ part: String, header: PartHeader, partKey: SecretBytes,
        source: @escaping @Sendable (Int) throws -> [UInt8]
    ) throws {
        self.part = part
        self.key = header.streamKey(partKey)
        self.bytesRead = Int64(header.bytes.count)
        self.input = PieceThread { pieces in
            var digest = DigestState(.sha256)
            header.bytes.withUnsafeBytes { digest.update($0) }
            while true {
                let piece = try source(Chunk.plaintextBytes + Chunk.tagBytes)
                guard !piece.isEmpty else { return digest.finalize() }
                piece.withUnsafeBytes { digest.update($0) }
                try pieces.put(piece)
            }
        }
        self.next = try self.input.queue.next() ?? []
        self.bytesRead += Int64(self.next.count)
        try self.decrypt()
    }

    /// Lends the next bytes, at most `count`, to `body`.
    ///
    /// - Returns: how many there were; 0 at the end, which is then known to be the end.
    /// - Throws: ``BackupError`` with code `truncated` or `changed`.
    package func read(_ count: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Int {
        if self.position == self.plaintext.count {
            guard !self.isAtEnd else { return 0 }
            try self.decrypt()
        }
        let taken = min(count, self.plaintext.count - self.position)
        guard taken > 0 else { return 0 }
        try self.plaintext.withUnsafeBytes { bytes in
            try body(UnsafeRawBufferPointer(rebasing: bytes[self.position..<self.position + taken]))
        }
        self.position += taken
        return taken
    }

    /// The file that was read, when its end was. To be asked once.
    package func file() throws -> PartWriter.File {
        PartWriter.File(byteCount: self.bytesRead, sha256: try self.input.result())
    }

    /// Exactly `count` bytes.
    func bytes(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let taken = try self.read(count - bytes.count) { bytes.append(contentsOf: $0) }
            guard taken > 0 else { throw BackupError.changed(self.part, "its content ends within an entry") }
        }
        return bytes
    }

    private func decrypt() throws {
        let chunk = self.next
        self.next = try self.input.queue.next() ?? []
        self.bytesRead += Int64(self.next.count)
        let isLast = self.next.isEmpty
        guard chunk.count >= Chunk.tagBytes else { throw BackupError.truncated(self.part, at: self.bytesRead) }
        guard let opened = self.open(chunk, isLast: isLast) else {
            // A whole chunk that is good, but not the last one: what followed is gone.
            if isLast, self.open(chunk, isLast: false) != nil {
                throw BackupError.truncated(self.part, at: self.bytesRead)
            }
            throw BackupError.changed(self.part, "chunk \(self.number) is not the one that was written")
        }
        // Only a part without content has an empty chunk.
        guard !opened.isEmpty || self.number == 0 else {
            throw BackupError.changed(self.part, "chunk \(self.number) is empty")
        }
        self.plaintext = opened
        self.position = 0
        self.isAtEnd = isLast
        self.number += 1
    }

    private func open(_ chunk: [UInt8], isLast: Bool) -> Data? {
        // `try?`: whatever fails, the chunk does not authenticate.
        guard
            let box = try? AES.GCM.SealedBox(
                nonce: Chunk.nonce(self.number, isLast: isLast), ciphertext: chunk.dropLast(Chunk.tagBytes),
                tag: chunk.suffix(Chunk.tagBytes))
        else { return nil }
        return try? AES.GCM.open(box, using: self.key)
    }
}
