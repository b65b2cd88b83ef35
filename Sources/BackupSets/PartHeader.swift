import Crypto
import Foundation
package import PKIMessages
import SecretMemory

/// What stands before the encrypted chunks of a part:
///
///     magic      8 bytes, "SIGNETBK"
///     version    1 byte, 1
///     suite      1 byte, 1: AES-256-GCM in chunks of 1 MiB
///     backup     16 bytes, the backup's identifier
///     length     4 bytes, big-endian
///     envelope   DER ContentInfo (RFC 5652) with an EnvelopedData: the part key, for passwords and certificates
///
/// The key of the chunks is HKDF-SHA-256 (RFC 5869) of the part key, with the backup's identifier as salt and the SHA-256
/// of all these bytes as info: a header with one other bit opens nothing.
package struct PartHeader: Sendable, Equatable {
    static let magic = Array("SIGNETBK".utf8)
    static let version: UInt8 = 1
    static let suite: UInt8 = 1
    /// Of the fields before the envelope.
    static let fixedBytes = 8 + 1 + 1 + 16 + 4
    static let maximumEnvelopeBytes = 64 << 10
    package static let identifierBytes = 16
    static let keyBytes = 32

    /// 16 random bytes.
    package let backupID: [UInt8]
    package let envelope: EnvelopedData
    /// The header as it is in the file.
    package let bytes: [UInt8]

    init(backupID: [UInt8], envelope: EnvelopedData) throws {
        let der = try envelope.contentInfoDER()
        self.backupID = backupID
        self.envelope = envelope
        self.bytes =
            Self.magic + [Self.version, Self.suite] + backupID
            + withUnsafeBytes(of: UInt32(der.count).bigEndian) { Array($0) } + der
    }

    /// Reads a header from the beginning of a part.
    ///
    /// - Parameters:
    ///   - part: the file's name, for errors.
    ///   - source: gives the next bytes, as many as asked for where there are so many.
    /// - Throws: ``BackupError``.
    package init(reading part: String, from source: (Int) throws -> [UInt8]) throws {
        let fixed = try source(Self.fixedBytes)
        guard fixed.starts(with: Self.magic.prefix(fixed.count)), !fixed.isEmpty else {
            throw BackupError.notAPart(part)
        }
        guard fixed.count == Self.fixedBytes else { throw BackupError.truncated(part, at: Int64(fixed.count)) }
        guard fixed[8] == Self.version, fixed[9] == Self.suite else {
            throw BackupError.newerFormat(part, Int(fixed[8]) << 8 | Int(fixed[9]))
        }
        let length = fixed[26..<30].reduce(0) { $0 << 8 | Int($1) }
        guard (1...Self.maximumEnvelopeBytes).contains(length) else {
            throw BackupError.changed(part, "its header is too long")
        }
        let der = try source(length)
        guard der.count == length else { throw BackupError.truncated(part, at: Int64(fixed.count + der.count)) }
        self.backupID = Array(fixed[10..<26])
        do { self.envelope = try EnvelopedData(contentInfoDER: der) } catch {
            throw BackupError.changed(part, "its header cannot be read")
        }
        self.bytes = fixed + der
    }

    /// The key of the chunks.
    func streamKey(_ partKey: SecretBytes) -> SymmetricKey {
        partKey.withUnsafeBytes { key in
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: key), salt: self.backupID, info: Digest.sha256.hash(self.bytes),
                outputByteCount: Self.keyBytes)
        }
    }
}

/// Nonce and additional data of a chunk: the construction STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015), so that chunks
/// cannot be dropped, repeated, reordered, cut off or mixed with those of another part.
enum Chunk {
    static let plaintextBytes = 1 << 20
    static let tagBytes = 16

    /// Eleven bytes of the chunk's number, and one that is 1 for the last chunk. The key belongs to this part alone.
    static func nonce(_ number: UInt64, isLast: Bool) throws -> AES.GCM.Nonce {
        try AES.GCM.Nonce(
            data: [0, 0, 0] + withUnsafeBytes(of: number.bigEndian) { Array($0) } + [isLast ? 1 : 0])
    }
}
