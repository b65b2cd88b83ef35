import Foundation

/// An HTTP response, read strictly (RFC 9112), of a server that closes after it.
struct HTTPAnswer: Equatable {
    let status: Int
    /// Names in lower case; the last of several.
    let headers: [String: String]
    let body: [UInt8]

    private static let maximumHeaderBytes = 32 << 10

    /// - Throws: ``HTTPFailure`` with case `malformed`, also for a body that ends too early.
    init(_ bytes: [UInt8]) throws {
        let end: [UInt8] = Array("\r\n\r\n".utf8)
        guard let headEnd = HTTPAnswer.index(of: end, in: bytes[...]), headEnd <= HTTPAnswer.maximumHeaderBytes,
            let head = String(validating: bytes[..<headEnd], as: UTF8.self)
        else { throw HTTPFailure.malformed("it is no HTTP answer") }
        var lines = head.components(separatedBy: "\r\n")
        let statusLine = lines.removeFirst().split(separator: " ", maxSplits: 2)
        guard statusLine.count >= 2, statusLine[0].hasPrefix("HTTP/1."), statusLine[1].count == 3,
            let status = Int(statusLine[1]), (200...599).contains(status)
        else { throw HTTPFailure.malformed("its status line is none") }
        var headers: [String: String] = [:]
        for line in lines {
            let pair = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, !pair[0].isEmpty, pair[0].allSatisfy({ !$0.isWhitespace }) else {
                throw HTTPFailure.malformed("a header field is none")
            }
            headers[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces)
        }
        self.status = status
        self.headers = headers
        let rest = bytes[(headEnd + end.count)...]
        if let coding = headers["transfer-encoding"] {
            guard coding.lowercased() == "chunked", headers["content-length"] == nil else {
                throw HTTPFailure.malformed("its transfer coding is unknown")
            }
            self.body = try HTTPAnswer.joined(chunks: rest)
        } else if let text = headers["content-length"] {
            guard let length = Int(text), length == rest.count else {
                throw HTTPFailure.malformed("it has \(rest.count) bytes and announces \(text)")
            }
            self.body = Array(rest)
        } else {
            self.body = Array(rest)
        }
    }

    /// The chunked transfer coding (RFC 9112, section 7.1); a trailer is skipped.
    private static func joined(chunks: ArraySlice<UInt8>) throws -> [UInt8] {
        var body: [UInt8] = []
        var rest = chunks
        while true {
            guard let lineEnd = self.index(of: Array("\r\n".utf8), in: rest),
                let line = String(validating: rest[..<lineEnd], as: UTF8.self)
            else { throw HTTPFailure.malformed("a chunk is cut off") }
            let digits = line.split(separator: ";", omittingEmptySubsequences: false)[0]
            guard (1...7).contains(digits.utf8.count), let size = Int(digits, radix: 16), size >= 0 else {
                throw HTTPFailure.malformed("a chunk's size is none")
            }
            rest = rest[(lineEnd + 2)...]
            guard size > 0 else { return body }
            guard rest.count >= size + 2, rest[rest.startIndex + size] == 0x0D, rest[rest.startIndex + size + 1] == 0x0A
            else { throw HTTPFailure.malformed("a chunk is cut off") }
            body += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
    }

    private static func index(of pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= pattern.count else { return nil }
        return (bytes.startIndex...(bytes.endIndex - pattern.count)).first {
            bytes[$0] == pattern[0] && bytes[$0..<($0 + pattern.count)].elementsEqual(pattern)
        }
    }
}
