import CertificateAuthority
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CAService

@Suite("Events to files, journald and syslog")
struct EventSinkTests {
    /// A Unix datagram socket that takes what the sinks send.
    private final class Receiver {
        let path: String
        private let descriptor: Int32

        init(_ path: String) throws {
            self.path = path
            self.descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(result == 0)
        }

        func receive() -> [UInt8] {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            let count = recv(self.descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            return Array(buffer.prefix(max(0, count)))
        }

        deinit { close(self.descriptor) }
    }

    private static let entry = AuditEntry(
        sequence: 17,
        event: AuditEvent(
            .keyArchived, when: Date(timeIntervalSince1970: 1_069_416_000), who: "EXAMPLE\\alice",
            details: ["Request ID": "4", "KRA Hashes": "0a 1b\n2c 3d"]),
        previousHash: [], hash: [])
    private static let line =
        "security 797: Certificate Services archived a key. who=EXAMPLE\\alice KRA Hashes=\"0a 1b\\n2c 3d\" Request ID=\"4\""

    @Test("journald gets one datagram an event, in its native protocol")
    func journald() throws {
        let directory = try TemporaryDirectory()
        let receiver = try Receiver(directory.path("j"))
        var event = OutboundEvent(Self.entry)
        try JournalSink(path: receiver.path).send([event])
        #expect(
            String(decoding: receiver.receive(), as: UTF8.self)
                == "MESSAGE=\(Self.line)\nPRIORITY=6\nSYSLOG_IDENTIFIER=signet\nSIGNET_LOG=security\nSIGNET_EVENT=797\n"
                + "SIGNET_WHO=EXAMPLE\\alice\nSIGNET_SEQUENCE=17\n")
        // A value with a line break has its length before it.
        event.who = "a\nb"
        let datagram = JournalSink.datagram(event)
        let field = Array("SIGNET_WHO\n".utf8) + [3, 0, 0, 0, 0, 0, 0, 0] + Array("a\nb\n".utf8)
        #expect(datagram.indices.contains { Array(datagram[$0...].prefix(field.count)) == field })
    }

    @Test("syslog gets RFC 5424 with facility, severity and the event's number")
    func syslog() throws {
        let directory = try TemporaryDirectory()
        let receiver = try Receiver(directory.path("s"))
        let application = try #require(
            ApplicationEvent.derived(
                from: AuditEvent(
                    .requestFailed, when: Self.entry.event.when, who: "x",
                    details: ["Request ID": "9", "Error": "It failed.", "Subject": "CN=a"])))
        let sink = SyslogSink(path: receiver.path, host: "ca1")
        try sink.send([OutboundEvent(Self.entry), OutboundEvent(application)])
        #expect(
            String(decoding: receiver.receive(), as: UTF8.self)
                == "<86>1 2003-11-21T12:00:00Z ca1 signet \(getpid()) 797 [signet@32473 sequence=\"17\"] \(Self.line)")
        #expect(
            String(decoding: receiver.receive(), as: UTF8.self)
                == "<27>1 2003-11-21T12:00:00Z ca1 signet \(getpid()) 21 - application 21: Certificate Services could not "
                + "process request 9 due to an error: It failed. The request was for CN=a.")
        #expect(throws: ServiceError.notWritten("", "")) { try SyslogSink(path: "/nonexistent", host: "h").send([]) }
    }

    @Test("What a requester has written passes for no other line or field, and for no command to a terminal")
    func foreignText() {
        var event = OutboundEvent(Self.entry)
        event.details = ["Attributes": "a:b\r\nsecurity 801: who=\"root\"\u{1B}[2J\u{85}\u{2028}\u{202E}"]
        #expect(
            event.line
                == "security 797: Certificate Services archived a key. who=EXAMPLE\\alice Attributes=\"a:b\\r\\nsecurity 801: "
                + "who=\\\"root\\\"\\u{1B}[2J\\u{85}\\u{2028}\\u{202E}\"")
    }

    @Test("The file has mode 0600, is appended to, and is made anew when it was moved away")
    func file() throws {
        let directory = try TemporaryDirectory()
        let sink = FileSink(path: directory.path("events.log"))
        try sink.send([OutboundEvent(Self.entry)])
        try sink.send([OutboundEvent(Self.entry)])
        #expect(try String(decoding: directory.read("events.log"), as: UTF8.self).split(separator: "\n").count == 2)
        try FileManager.default.moveItem(atPath: directory.path("events.log"), toPath: directory.path("events.log.1"))
        try sink.send([OutboundEvent(Self.entry)])
        #expect(
            try String(decoding: directory.read("events.log"), as: UTF8.self)
                == "2003-11-21T12:00:00Z \(Self.line)\n")
        let mode = try FileManager.default.attributesOfItem(atPath: sink.path)[.posixPermissions] as? NSNumber
        #expect(mode == 0o600)
    }

    @Test(
        "The application log says what the audit chain records of requests",
        arguments: [
            (AuditEventID.certificateIssued, 6, "issued a certificate for request 9 for CN=a."),
            (.requestDenied, 7, "denied request 9 because boss denied it. The request was for CN=a."),
            (.requestPending, 8, "left request 9 pending in the queue for CN=a."),
            (.tokenFailure, 21, "could not process request 9 due to an error: It failed. The request was for CN=a."),
            (
                .policyDenied, 53,
                "denied request 9 because It failed. The request was for CN=a. Additional information: Denied by "
                    + "Policy Module 0x80094800"
            ),
        ])
    func application(_ id: AuditEventID, _ number: Int, _ text: String) throws {
        let event = AuditEvent(
            id, when: Date(timeIntervalSince1970: 0), who: "boss",
            details: ["Request ID": "9", "Subject": "CN=a", "Error": "It failed.", "Code": "0x80094800"])
        let derived = try #require(ApplicationEvent.derived(from: event))
        #expect(derived.number == number)
        #expect(derived.text == "Certificate Services " + text)
        #expect(ApplicationEvent.derived(from: AuditEvent(id, when: event.when, who: "x", details: [:])) == nil)
    }

    /// "User Enrollment Errors" in the white paper "Key Archival and Management in Windows Server 2003".
    @Test("A key that no valid agent could open gives event 21 with the sentence of Certificate Services")
    func archivalRefused() {
        let event = AuditEvent(
            .requestFailed, when: Date(timeIntervalSince1970: 0), who: "x",
            details: [
                "Request ID": "16094", "Requester": "NWTRADERS\\User1", "Subject": "CN=user1", "Error": "It failed.",
                "Code": "0x8009400b",
            ])
        #expect(
            ApplicationEvent.derived(from: event)?.text
                == "Certificate Services could not process request 16094 due to "
                + "an error: Cannot archive private key. No valid key recovery agent is defined for this certification "
                + "authority. 0x8009400b (-2146877429). The request was for NWTRADERS\\User1. Additional information: "
                + "It failed. The request was for CN=user1.")
    }
}
