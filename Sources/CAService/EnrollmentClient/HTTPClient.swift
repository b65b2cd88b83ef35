import Diagnostics
import Foundation
import Glibc
package import SecretMemory

/// Scheme, host, port and path of a service.
package struct HTTPAddress: Sendable, Equatable {
    package let isTLS: Bool
    package let host: String
    package let port: Int
    /// Begins with a slash and does not end with one.
    package let path: String

    /// - Throws: ``ServiceError`` with code `invalidName` for anything but `https://` or `http://` with a host.
    package init(_ text: String) throws {
        guard let url = URLComponents(string: text), let host = url.host, !host.isEmpty,
            let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme), url.user == nil,
            url.query == nil, url.fragment == nil, host.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw ServiceError.invalidName(
                "The address \"\(text)\"", "it is not https://HOST[:PORT]/PATH, without a user's name in it")
        }
        self.isTLS = scheme == "https"
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        self.port = url.port ?? (self.isTLS ? 443 : 80)
        var path = url.percentEncodedPath
        while path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    /// True for this machine, to which a password may go without TLS.
    var isLoopback: Bool { ["localhost", "127.0.0.1", "::1"].contains(self.host) }

    /// For the `Host` field.
    var authority: String {
        let host = self.host.contains(":") ? "[\(self.host)]" : self.host
        return self.port == (self.isTLS ? 443 : 80) ? host : "\(host):\(self.port)"
    }
}

/// Who asks: user name and password (RFC 7617).
package struct HTTPCredentials: Sendable {
    let user: String
    let password: SecretBytes

    package init(user: String, password: SecretBytes) {
        self.user = user
        self.password = password
    }
}

/// A small HTTP client: one request a connection, no redirects, no caches, nothing repeated.
struct HTTPClient: Sendable {
    let address: HTTPAddress
    let credentials: HTTPCredentials?
    let trust: HTTPTrust
    /// For the whole exchange; issuing may wait for a slow token.
    var limit = Duration.seconds(120)

    private static let maximumAnswerBytes = 16 << 20

    /// - Throws: ``ServiceError`` when a password would go over the network unencrypted.
    init(_ address: HTTPAddress, credentials: HTTPCredentials?, trust: HTTPTrust) throws {
        guard credentials == nil || address.isTLS || address.isLoopback else {
            throw ServiceError.invalidName("The address", "a password goes over https:// only")
        }
        self.address = address
        self.credentials = credentials
        self.trust = trust
    }

    func get(_ path: String) async throws -> HTTPAnswer {
        try await self.exchange("GET", path, [:], [])
    }

    /// Sends a form (WHATWG URL, section 5).
    func post(_ path: String, form: [(String, String)]) async throws -> HTTPAnswer {
        let body = form.map { "\(HTTPClient.encoded($0.0))=\(HTTPClient.encoded($0.1))" }.joined(separator: "&")
        return try await self.exchange(
            "POST", path, ["Content-Type": "application/x-www-form-urlencoded"], Array(body.utf8))
    }

    private func exchange(
        _ method: String, _ path: String, _ fields: [String: String], _ body: [UInt8]
    ) async throws -> HTTPAnswer {
        let head = try self.head(method, path, fields, bodyBytes: body.count)
        let deadline = ContinuousClock.now + self.limit
        // A thread of its own: the calls block.
        let answer = try await withCheckedThrowingContinuation { (done: CheckedContinuation<HTTPAnswer, any Error>) in
            Thread.detachNewThread {
                // libssl writes without MSG_NOSIGNAL: what breaks is an error here, and no signal to the program.
                var signals = sigset_t()
                sigemptyset(&signals)
                sigaddset(&signals, SIGPIPE)
                pthread_sigmask(SIG_BLOCK, &signals, nil)
                done.resume(
                    with: Result {
                        let connection = try HTTPConnection(to: self.address, trust: self.trust, deadline: deadline)
                        try connection.send(head, body)
                        return try HTTPAnswer(connection.receive(limit: HTTPClient.maximumAnswerBytes))
                    })
            }
        }
        return answer
    }

    /// In locked memory, because a password stands in it.
    private func head(
        _ method: String, _ path: String, _ fields: [String: String], bodyBytes: Int
    ) throws -> SecretBytes {
        var text = "\(method) \(self.address.path)\(path) HTTP/1.1\r\nHost: \(self.address.authority)\r\n"
        text += "Connection: close\r\nUser-Agent: signet\r\nAccept: */*\r\n"
        if method == "POST" { text += "Content-Length: \(bodyBytes)\r\n" }
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) { text += "\(name): \(value)\r\n" }
        guard let credentials else { return try SecretBytes(copying: Array((text + "\r\n").utf8)) }
        guard !credentials.user.contains(":"), credentials.user.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw ServiceError.invalidName("The user name", "it has a colon or a control character in it")
        }
        var pair = Array(credentials.user.utf8) + [0x3A] + credentials.password.withUnsafeBytes { Array($0) }
        defer { SecretBytes.wipe(&pair) }
        var base64 = Array(Data(pair).base64EncodedData())
        defer { SecretBytes.wipe(&base64) }
        return try SecretBytes(
            copying: Array("\(text)Authorization: Basic ".utf8) + base64 + Array("\r\n\r\n".utf8))
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [0x2D, 0x2E, 0x5F].contains(byte)
            let digits = String(byte, radix: 16, uppercase: true)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + digits
        }.joined()
    }
}
