import CertificateAuthority
import Foundation
import Glibc

/// Where events go. Sending is quick: a local file or a local socket.
protocol EventSink: Sendable {
    /// Names the position up to which events were sent.
    var name: String { get }
    func send(_ events: [OutboundEvent]) throws
}

/// Standard error, a line an event.
struct StandardErrorSink: EventSink {
    let name = "standard-error"

    func send(_ events: [OutboundEvent]) throws {
        for event in events {
            FileHandle.standardError.write(Data("\(event.when.ISO8601Format()) \(event.line)\n".utf8))
        }
    }
}

/// A file of mode 0600, opened for each portion, so that one that was moved away is made anew.
struct FileSink: EventSink {
    let path: String
    var name: String { "file" }

    func send(_ events: [OutboundEvent]) throws {
        let file = try AppendedFile(appending: self.path)
        let text = events.map { "\($0.when.ISO8601Format()) \($0.line)\n" }.joined()
        try file.append(Array(text.utf8))
        try file.synchronize()
    }
}

/// journald by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram an event.
struct JournalSink: EventSink {
    let path: String
    var name: String { "journald" }

    func send(_ events: [OutboundEvent]) throws {
        let socket = try DatagramSocket(to: self.path)
        for event in events { try socket.send(JournalSink.datagram(event)) }
    }

    static func datagram(_ event: OutboundEvent) -> [UInt8] {
        var fields = [
            ("MESSAGE", event.line), ("PRIORITY", "\(event.severity.rawValue)"), ("SYSLOG_IDENTIFIER", "signet"),
            ("SIGNET_LOG", event.log.rawValue), ("SIGNET_EVENT", "\(event.number)"),
        ]
        if !event.who.isEmpty { fields.append(("SIGNET_WHO", event.who)) }
        if let sequence = event.sequence { fields.append(("SIGNET_SEQUENCE", "\(sequence)")) }
        return fields.flatMap { JournalSink.field($0.0, $0.1) }
    }

    /// `NAME=value`, or for a value with a line break its name, its length as 64 bits little-endian, and the value.
    private static func field(_ name: String, _ value: String) -> [UInt8] {
        let bytes = Array(value.utf8)
        guard bytes.contains(UInt8(ascii: "\n")) else { return Array("\(name)=".utf8) + bytes + [0x0A] }
        let length = withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { Array($0) }
        return Array("\(name)\n".utf8) + length + bytes + [0x0A]
    }
}

/// syslog by RFC 5424 over a local datagram socket.
struct SyslogSink: EventSink {
    let path: String
    let host: String
    var name: String { "syslog" }

    func send(_ events: [OutboundEvent]) throws {
        let socket = try DatagramSocket(to: self.path)
        for event in events { try socket.send(Array(self.message(event).utf8)) }
    }

    /// Facility 10 (security) for the security log, 3 (daemon) for the application log; the event's number as MSGID.
    func message(_ event: OutboundEvent) -> String {
        let priority = (event.log == .security ? 10 : 3) * 8 + event.severity.rawValue
        let sequence = event.sequence.map { "[signet@32473 sequence=\"\($0)\"]" } ?? "-"
        return "<\(priority)>1 \(event.when.ISO8601Format()) \(self.host) signet \(getpid()) \(event.number) "
            + "\(sequence) \(event.line)"
    }
}

/// A connected Unix datagram socket.
final class DatagramSocket {
    private let path: String
    private let descriptor: Int32

    init(to path: String) throws {
        self.path = path
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { field in
            guard bytes.count < field.count, !bytes.contains(0) else { return false }
            field.copyBytes(from: bytes)
            return true
        }
        guard fits else { throw ServiceError.notWritten(path, "it is too long for a socket's path") }
        self.descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard self.descriptor >= 0 else { throw ServiceError.notWritten(path, String(cString: strerror(errno))) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw ServiceError.notWritten(path, String(cString: strerror(errno))) }
    }

    func send(_ bytes: [UInt8]) throws {
        // Without MSG_DONTWAIT: a full queue makes us wait instead of losing an event.
        let count = Glibc.send(self.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        guard count == bytes.count else {
            throw ServiceError.notWritten(self.path, String(cString: strerror(errno)))
        }
    }

    deinit {
        close(self.descriptor)
    }
}
