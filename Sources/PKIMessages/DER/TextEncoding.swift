#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// PEM (RFC 7468) and the looser texts in which requests arrive.
///
/// Tolerated, and nothing else: UTF-16 or UTF-8 with a byte order mark, as Windows writes text files; any label; a header or footer glued to the base64 body; CRLF, LF or CR line ends
/// and blanks anywhere in the body; text before the header and after the footer; base64 without header and footer;
/// DER, passed through as it is. Not tolerated: a second PEM block, a footer with another label or none, characters
/// that are not base64, an encrypted body (`Proc-Type`).
package enum TextEncoding {
    /// - Throws: ``PKIMessageError`` with code `malformed`, `trailingBytes` for a second block, `tooLarge`.
    package static func decode(
        _ text: [UInt8], what: String, maximumBytes: Int = 2 * DERLimits.maximumMessageBytes
    ) throws -> [UInt8] {
        guard text.count <= maximumBytes else {
            throw PKIMessageError.tooLarge(what, bytes: text.count, limit: maximumBytes)
        }
        // A DER structure starts with a SEQUENCE, 0x30, which is the character "0"; no text starts with a "0" that
        // is followed by a DER length, because those octets (0x80 and above) are not ASCII, and a short element of
        // less than 128 bytes has exactly the length that its second octet says.
        if text.first == 0x30, text.count >= 2, text[1] >= 0x80 || Int(text[1]) == text.count - 2 { return text }
        let text = try self.withoutByteOrderMark(text, what: what)
        guard text.allSatisfy({ $0 < 0x80 }) else {
            throw PKIMessageError.malformed(what, "it is neither DER nor ASCII text")
        }
        return try self.decode(String(decoding: text, as: UTF8.self), what: what, maximumBytes: maximumBytes)
    }

    /// Every message of a file that may have several PEM blocks; one that is no PEM has one message.
    ///
    /// - Throws: as ``decode(_:what:maximumBytes:)-([UInt8],_,_)``.
    package static func decodeAll(
        _ bytes: [UInt8], what: String, maximumBytes: Int = 2 * DERLimits.maximumMessageBytes
    ) throws -> [[UInt8]] {
        // DER passes through, whatever characters are in it.
        guard bytes.first != 0x30 || bytes.count < 2 || (bytes[1] < 0x80 && Int(bytes[1]) != bytes.count - 2),
            bytes.allSatisfy({ $0 < 0x80 })
        else { return [try self.decode(bytes, what: what, maximumBytes: maximumBytes)] }
        let text = String(decoding: bytes, as: UTF8.self)
        let blocks = text.components(separatedBy: "-----BEGIN ").dropFirst()
        guard blocks.count > 1 else { return [try self.decode(bytes, what: what, maximumBytes: maximumBytes)] }
        return try blocks.map { try self.decode("-----BEGIN " + $0, what: what, maximumBytes: maximumBytes) }
    }

    package static func decode(
        _ text: String, what: String, maximumBytes: Int = 2 * DERLimits.maximumMessageBytes
    ) throws -> [UInt8] {
        guard text.utf8.count <= maximumBytes else {
            throw PKIMessageError.tooLarge(what, bytes: text.utf8.count, limit: maximumBytes)
        }
        return try self.base64(self.body(of: text[...], what: what), what: what)
    }

    /// Text that begins with a byte order mark, as UTF-8; anything else as it is.
    private static func withoutByteOrderMark(_ text: [UInt8], what: String) throws -> [UInt8] {
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { return Array(text.dropFirst(3)) }
        let isLittleEndian = text.starts(with: [0xFF, 0xFE])
        guard isLittleEndian || text.starts(with: [0xFE, 0xFF]) else { return text }
        guard text.count % 2 == 0 else {
            throw PKIMessageError.malformed(what, "its UTF-16 text ends within a character")
        }
        let units = stride(from: 2, to: text.count, by: 2).map { index in
            isLittleEndian
                ? UInt16(text[index]) | UInt16(text[index + 1]) << 8
                : UInt16(text[index]) << 8 | UInt16(text[index + 1])
        }
        guard let decoded = String(validating: units, as: UTF16.self) else {
            throw PKIMessageError.malformed(what, "it is not UTF-16 text")
        }
        return Array(decoded.utf8)
    }

    /// RFC 7468: 64 characters a line, LF, a newline at the end.
    package static func pem(_ der: [UInt8], label: String) -> String {
        var text = "-----BEGIN \(label)-----\n"
        let encoded = Array(Data(der).base64EncodedString().utf8)
        for start in stride(from: 0, to: encoded.count, by: 64) {
            text += String(decoding: encoded[start..<min(start + 64, encoded.count)], as: UTF8.self)
            text += "\n"
        }
        return text + "-----END \(label)-----\n"
    }

    /// What stands between header and footer, or the whole text when there is no header.
    private static func body(of text: Substring, what: String) throws -> Substring {
        guard let begin = self.firstRange(of: "-----BEGIN ", in: text) else {
            guard self.firstRange(of: "-----", in: text) == nil else {
                throw PKIMessageError.malformed(what, "the PEM header is missing or damaged")
            }
            return text
        }
        let afterBegin = text[begin.upperBound...]
        guard let labelEnd = self.firstRange(of: "-----", in: afterBegin) else {
            throw PKIMessageError.malformed(what, "the PEM header does not end")
        }
        let label = afterBegin[..<labelEnd.lowerBound]
        let afterHeader = afterBegin[labelEnd.upperBound...]
        guard let end = self.firstRange(of: "-----END \(label)-----", in: afterHeader) else {
            throw PKIMessageError.malformed(what, "the PEM footer is missing, or it has another label")
        }
        let rest = afterHeader[end.upperBound...]
        guard self.firstRange(of: "-----BEGIN ", in: rest) == nil else {
            throw PKIMessageError.trailingBytes(what, count: rest.utf8.count)
        }
        return afterHeader[..<end.lowerBound]
    }

    private static func firstRange(of needle: String, in text: Substring) -> Range<Substring.Index>? {
        let pattern = Array(needle.utf8)
        var candidates = text.utf8[...]
        while let start = candidates.firstIndex(of: pattern[0]) {
            let window = candidates[start...].prefix(pattern.count)
            if window.elementsEqual(pattern) { return window.startIndex..<window.endIndex }
            candidates = candidates[candidates.index(after: start)...]
        }
        return nil
    }

    private static func base64(_ body: Substring, what: String) throws -> [UInt8] {
        let characters = body.utf8.filter { byte in
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: false
            default: true
            }
        }
        guard !characters.isEmpty else { throw PKIMessageError.malformed(what, "it is empty") }
        guard let data = Data(base64Encoded: Data(characters)) else {
            throw PKIMessageError.malformed(what, "it is not valid base64")
        }
        return Array(data)
    }
}
