import Diagnostics
import Foundation
import Glibc
import PKCS11
package import PKIMessages

/// Fetches a certificate by HTTP, without TLS (RFC 5280, section 4.2.2.1: it is signed). Small on purpose: one GET, no
/// redirection, nothing larger than a chain.
package enum CertificateFetch {
    private static let maximumBytes = 256 << 10

    /// - Throws: ``ServiceError``, or that the time is over.
    @Sendable
    package static func get(_ url: String, limit: Duration) async throws -> [UInt8] {
        guard let parts = URLComponents(string: url), parts.scheme == "http", let host = parts.host else {
            throw ServiceError.notFetched(url, "it is not an http address")
        }
        let path =
            (parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath)
            + (parts.percentEncodedQuery.map { "?" + $0 } ?? "")
        let port = parts.port ?? 80
        let nobody = TokenIdentification(
            label: url, manufacturer: "", model: "", serialNumber: "", firmware: "", slotID: 0)
        let deadline = ContinuousClock.now + limit
        do {
            // Looking up a name can block; the thread is left alone then.
            return try await DetachedCalls().run(limit: limit, for: nobody) {
                try CertificateFetch.get(host, port, path, until: deadline, url)
            }
        } catch is TokenWaitError {
            throw ServiceError.notFetched(url, "it did not answer in time")
        }
    }

    /// The certificates in a DER or PEM file, or in a PKCS #7 without signers.
    package static func certificates(in bytes: [UInt8]) throws -> [CertificateFields] {
        // `try?`: what is no PKCS #7 may be a certificate; if not, the error of that is told.
        if let signedData = try? SignedData(contentInfoDER: bytes) {
            return try signedData.certificates.map { try CertificateFields(derEncoded: $0) }
        }
        return try CertificateBundle.parse(bytes)
    }

    private static func get(
        _ host: String, _ port: Int, _ path: String, until deadline: ContinuousClock.Instant, _ url: String
    ) throws -> [UInt8] {
        let descriptor = try self.connect(host, port, until: deadline, url)
        defer { close(descriptor) }
        let request = Array("GET \(path) HTTP/1.0\r\nHost: \(host):\(port)\r\nConnection: close\r\n\r\n".utf8)
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            throw ServiceError.notFetched(url, String(cString: strerror(errno)))
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            try self.wait(descriptor, for: POLLIN, until: deadline, url)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count >= 0 else { throw ServiceError.notFetched(url, String(cString: strerror(errno))) }
            if count == 0 { break }
            answer += buffer[..<count]
            guard answer.count <= self.maximumBytes else { throw ServiceError.notFetched(url, "it is too large") }
        }
        return try self.body(of: answer, url)
    }

    private static func body(of answer: [UInt8], _ url: String) throws -> [UInt8] {
        let end = Array("\r\n\r\n".utf8)
        guard let headEnd = answer.indices.first(where: { answer[$0...].starts(with: end) }) else {
            throw ServiceError.notFetched(url, "its answer is not HTTP")
        }
        let status = String(decoding: answer.prefix { $0 != 0x0D }, as: UTF8.self).split(separator: " ")
        guard status.count >= 2, status[0].hasPrefix("HTTP/1."), status[1] == "200" else {
            throw ServiceError.notFetched(url, "its answer is \(status.dropFirst().first ?? "nothing")")
        }
        return Array(answer[(headEnd + end.count)...])
    }

    private static func connect(
        _ host: String, _ port: Int, until deadline: ContinuousClock.Instant, _ url: String
    ) throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let plainHost = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        guard getaddrinfo(plainHost, "\(port)", &hints, &list) == 0 else {
            throw ServiceError.notFetched(url, "its host is not known")
        }
        defer { freeaddrinfo(list) }
        var reason = "its host has no address"
        var next = list
        while let address = next?.pointee {
            next = address.ai_next
            let type = address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            let descriptor = socket(address.ai_family, type, address.ai_protocol)
            guard descriptor >= 0 else { continue }
            if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 || errno == EINPROGRESS {
                try self.wait(descriptor, for: POLLOUT, until: deadline, url, closing: true)
                var error: Int32 = 0
                var size = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
                if error == 0 { return descriptor }
                reason = String(cString: strerror(error))
            }
            close(descriptor)
        }
        throw ServiceError.notFetched(url, reason)
    }

    private static func wait(
        _ descriptor: Int32, for events: Int32, until deadline: ContinuousClock.Instant, _ url: String,
        closing: Bool = false
    ) throws {
        let rest = max(.zero, deadline - ContinuousClock.now)
        let milliseconds = rest.components.seconds * 1000 + rest.components.attoseconds / 1_000_000_000_000_000
        var wanted = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        guard poll(&wanted, 1, Int32(clamping: milliseconds)) > 0 else {
            if closing { close(descriptor) }
            throw ServiceError.notFetched(url, "it did not answer in time")
        }
    }
}

extension ServiceError {
    fileprivate static func notFetched(_ url: String, _ reason: String) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "notFetched"), headline: "Could not fetch \(url): \(reason).",
            hresult: .objectNotFound, advice: ["Add the CA certificate to the file named by --ca-certificates."])
    }
}
