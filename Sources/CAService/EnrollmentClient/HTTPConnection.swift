import CLibCrypto
import CoreFoundation
import Glibc
import SecretMemory

/// One HTTP/1.1 exchange on a connection of its own, blocking: for the thread of ``HTTPClient``.
struct HTTPConnection: ~Copyable {
    private let socket: Int32
    private let tls: TLSSession?
    private let deadline: ContinuousClock.Instant

    /// A system call takes this long at most before the deadline is looked at.
    private static let patience = timeval(tv_sec: 5, tv_usec: 0)

    /// - Throws: ``HTTPFailure``.
    init(to address: HTTPAddress, trust: HTTPTrust, deadline: ContinuousClock.Instant) throws {
        self.deadline = deadline
        let socket = try HTTPConnection.connect(to: address)
        do {
            self.tls =
                address.isTLS ? try TLSSession(socket, host: address.host, trust: trust, deadline: deadline) : nil
        } catch {
            close(socket)
            throw error
        }
        self.socket = socket
    }

    deinit {
        close(self.socket)
    }

    /// Sends the head, which may hold a password, and the body.
    func send(_ head: SecretBytes, _ body: [UInt8]) throws {
        try head.withUnsafeBytes { try self.send($0) }
        try body.withUnsafeBytes { try self.send($0) }
    }

    private func send(_ bytes: UnsafeRawBufferPointer) throws {
        var sent = 0
        while sent < bytes.count {
            guard ContinuousClock.now < self.deadline else { throw HTTPFailure.timedOut }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
            let count =
                if let tls {
                    tls.write(rest)
                } else {
                    Glibc.send(self.socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                }
            if count > 0 { sent += count } else if !self.mayRetry(count) { throw HTTPFailure.broken("sending") }
        }
    }

    /// Reads until the other end closes.
    func receive(limit: Int) throws -> [UInt8] {
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            guard ContinuousClock.now < self.deadline else { throw HTTPFailure.timedOut }
            let count = buffer.withUnsafeMutableBytes { bytes in
                if let tls { tls.read(bytes) } else { recv(self.socket, bytes.baseAddress, bytes.count, 0) }
            }
            if count == 0 { return answer }
            if count < 0 {
                guard self.mayRetry(count) else { throw HTTPFailure.broken("reading the answer") }
                continue
            }
            answer += buffer.prefix(count)
            guard answer.count <= limit else { throw HTTPFailure.malformed("the answer is larger than \(limit) bytes") }
        }
    }

    /// A call that was interrupted or waited for too long may go on until the deadline.
    private func mayRetry(_ count: Int) -> Bool {
        if let tls { return tls.wantsMore(count) }
        return errno == EINTR || errno == EAGAIN
    }

    private static func connect(to address: HTTPAddress) throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(address.host, String(address.port), &hints, &found)
        guard result == 0 else { throw HTTPFailure.unreachable(String(cString: gai_strerror(result))) }
        defer { freeaddrinfo(found) }
        var reason = "it has no address"
        var next = found
        while let candidate = next {
            let descriptor = Glibc.socket(
                candidate.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var patience = HTTPConnection.patience
            let size = socklen_t(MemoryLayout<timeval>.size)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
            if Glibc.connect(descriptor, candidate.pointee.ai_addr, candidate.pointee.ai_addrlen) == 0 {
                return descriptor
            }
            reason = String(cString: strerror(errno))
            close(descriptor)
            next = candidate.pointee.ai_next
        }
        throw HTTPFailure.unreachable(reason)
    }
}

/// Why there is no answer.
enum HTTPFailure: Error, Equatable {
    /// Nothing was sent.
    case unreachable(String)
    /// Nothing was sent: the server is not who it should be, or speaks no TLS.
    case notTrusted(String)
    /// Part of the request may have arrived.
    case broken(String)
    case timedOut
    case malformed(String)
}
