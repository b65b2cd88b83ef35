import CAService
import Foundation
import PKIMessages

/// Files that commands write. None is ever overwritten.
enum Output {
    /// Writes a certificate or a request as PEM that everybody may read.
    static func writePEM(_ der: [UInt8], label: String, to path: String) throws {
        try FilePaths.create(path, with: Array(TextEncoding.pem(der, label: label).utf8), mode: 0o644)
    }

    /// Reads a DER object from a PEM, base64 or DER file.
    static func readDER(_ path: String, what: String) throws -> [UInt8] {
        try TextEncoding.decode(FilePaths.read(path), what: what)
    }

    static func time(_ date: Date) -> String {
        date.formatted(.iso8601)
    }
}
