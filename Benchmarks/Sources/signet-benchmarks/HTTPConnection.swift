import Foundation

/// One blocking HTTP/1.1 connection to the loopback.
final class HTTPConnection {
    private let descriptor: Int32

    /// `nil` when nobody listens.
    init?(port: Int) {
        guard let descriptor = SocketAddress.connectToLoopback(port) else { return nil }
        self.descriptor = descriptor
    }

    deinit {
        close(self.descriptor)
    }

    /// Sends a request and reads its answer.
    ///
    /// - Returns: head and body; `nil` unless the status is 200 and the whole answer came.
    func exchange(_ request: [UInt8]) -> String? {
        var sent = 0
        while sent < request.count {
            let count = request[sent...].withUnsafeBytes { send(self.descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return nil }
            sent += count
        }
        var answer = Data()
        while true {
            if let end = answer.range(of: Data("\r\n\r\n".utf8))?.upperBound {
                let head = String(decoding: answer[..<end], as: UTF8.self)
                guard head.hasPrefix("HTTP/1.1 200"), let length = HTTPConnection.contentLength(head) else {
                    return nil
                }
                if answer.count >= end + length { return String(decoding: answer, as: UTF8.self) }
            }
            var buffer = [UInt8](repeating: 0, count: 16 << 10)
            let count = recv(self.descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            answer.append(contentsOf: buffer[..<count])
        }
    }

    static func contentLength(_ head: String) -> Int? {
        for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix("content-length:") {
            return Int(line.drop { $0 != ":" }.dropFirst().trimmingCharacters(in: .whitespaces))
        }
        return nil
    }
}

enum SocketAddress {
    /// - Returns: a connected socket; `nil` when nobody listens.
    static func connectToLoopback(_ port: Int) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        guard self.loopback(port, { connect(descriptor, $0, $1) }) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Calls `body` with 127.0.0.1 and the port.
    static func loopback(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
