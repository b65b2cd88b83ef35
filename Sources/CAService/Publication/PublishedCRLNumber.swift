import Foundation
import PKIMessages

/// Reads the number of a list in a file without its entries: a list may be larger than memory should be.
enum PublishedCRLNumber {
    /// What stands before the entries, and what after them: names and extensions, which are short.
    private static let windowBytes = 64 << 10

    /// - Returns: `nil` for a file that is no list, or whose number cannot be told.
    static func read(_ path: String) throws -> UInt64? {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw ServiceError.unreadable(path, String(cString: strerror(errno)))
        }
        defer { try? handle.close() }  // read only: nothing can be lost by a close that fails
        let length = try handle.seekToEnd()
        try handle.seek(toOffset: length - min(length, UInt64(self.windowBytes)))
        let bytes = Array(try handle.readToEnd() ?? Data())
        return CRLNumberScan.number(inTail: bytes)
    }
}
