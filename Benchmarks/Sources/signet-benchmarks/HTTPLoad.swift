import BenchmarkSupport
import Foundation
import Glibc

/// Many clients on one thread: each has a connection of its own, sends the same request, waits for the whole answer, and
/// sends it again. It only looks for what it must find, so that it costs little beside the service on the same cores.
struct HTTPLoad {
    private struct Client {
        let descriptor: Int32
        /// What came of the answer under way.
        var answer: [UInt8]
        var count = 0
        /// Of head and body; `nil` before the head is whole.
        var expected: Int?
    }

    private let request: [UInt8]
    /// Stands in every answer that counts.
    private let mark: [UInt8]
    private var clients: [Client] = []

    init(port: Int, clients: Int, request: [UInt8], mark: String) throws {
        self.request = request
        self.mark = Array(mark.utf8)
        for _ in 0..<clients {
            guard let descriptor = SocketAddress.connectToLoopback(port) else { throw BenchmarkFailure.callFailed }
            self.clients.append(Client(descriptor: descriptor, answer: [UInt8](repeating: 0, count: 64 << 10)))
        }
    }

    func close() {
        for client in self.clients { Glibc.close(client.descriptor) }
    }

    /// Goes on until `end`, of the monotonic clock in nanoseconds, and takes the answers that are due then.
    ///
    /// - Returns: how many answers came.
    mutating func run(until end: UInt64) throws -> Int {
        var polled = self.clients.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        for client in self.clients { try self.send(client.descriptor) }
        var open = self.clients.count
        var done = 0
        while open > 0 {
            guard poll(&polled, nfds_t(polled.count), 10_000) > 0 else { throw BenchmarkFailure.callFailed }
            for index in polled.indices where polled[index].revents != 0 {
                guard try self.receive(index) else { continue }
                done += 1
                if DispatchTime.now().uptimeNanoseconds < end {
                    try self.send(polled[index].fd)
                } else {
                    // poll(2) passes over negative ones.
                    polled[index].fd = -1
                    open -= 1
                }
            }
        }
        return done
    }

    private func send(_ descriptor: Int32) throws {
        var sent = 0
        while sent < self.request.count {
            let count = self.request[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw BenchmarkFailure.callFailed }
            sent += count
        }
    }

    /// - Returns: true when an answer is whole.
    /// - Throws: when it is not the one that is wanted.
    private mutating func receive(_ index: Int) throws -> Bool {
        let start = self.clients[index].count
        let descriptor = self.clients[index].descriptor
        let count = self.clients[index].answer.withUnsafeMutableBytes {
            recv(descriptor, $0.baseAddress.map { $0 + start }, $0.count - start, 0)
        }
        guard count > 0 else { throw BenchmarkFailure.callFailed }
        self.clients[index].count += count
        let client = self.clients[index]
        let expected = client.expected ?? HTTPLoad.length(client.answer[..<client.count])
        self.clients[index].expected = expected
        guard let expected, client.count >= expected else { return false }
        guard client.count == expected, HTTPLoad.find(self.mark, in: client.answer[..<expected]) != nil else {
            throw BenchmarkFailure.callFailed
        }
        self.clients[index].count = 0
        self.clients[index].expected = nil
        return true
    }

    /// Of the whole answer with status 200, by its head; `nil` while the head is not whole.
    private static func length(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.starts(with: "HTTP/1.1 200".utf8), let end = self.find(Array("\r\n\r\n".utf8), in: bytes) else {
            return nil
        }
        return HTTPConnection.contentLength(String(decoding: bytes[..<end], as: UTF8.self)).map { end + 4 + $0 }
    }

    private static func find(_ part: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBytes { whole -> Int? in
            var start = 0
            while start + part.count <= whole.count {
                let rest = UnsafeRawBufferPointer(rebasing: whole[start...])
                guard let base = rest.baseAddress, let found = memchr(base, Int32(part[0]), rest.count) else {
                    return nil
                }
                start += UnsafeRawPointer(found) - base
                if whole[start...].starts(with: part) { return start }
                start += 1
            }
            return nil
        }
    }
}
