import Foundation
import SecretMemory

/// User name and password of an `Authorization` header (HTTP Basic, RFC 7617).
///
/// The password goes into locked memory at once. The header itself, as the HTTP parser made it, is a string that
/// cannot be wiped; it lives as long as the request.
struct BasicCredentials: Sendable {
    let user: String
    let password: SecretBytes

    /// More than any user name (`DOMAIN\user` has at most 15 + 1 + 104) and any sensible password.
    static let maximumUserBytes = 256
    static let maximumPasswordBytes = 1024

    /// - Returns: `nil` for another scheme and for anything malformed: to be answered like a wrong password.
    /// - Throws: `SecretMemoryError`.
    init?(authorization header: String) throws {
        let parts = header.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "basic",
            let decoded = Data(base64Encoded: String(parts[1]))
        else { return nil }
        var bytes = Array(decoded)
        defer { SecretBytes.wipe(&bytes) }
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), (1...Self.maximumUserBytes).contains(colon),
            bytes.count - colon - 1 <= Self.maximumPasswordBytes, !bytes[..<colon].contains(where: { $0 < 0x20 })
        else { return nil }
        self.user = BasicCredentials.text(bytes[..<colon])
        self.password = try SecretBytes(copying: bytes[(colon + 1)...])
    }

    /// UTF-8 as we ask for it; ISO 8859-1, which clients without knowledge of RFC 7617 send, otherwise.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }
}
