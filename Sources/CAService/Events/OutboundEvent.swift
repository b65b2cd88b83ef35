import CertificateAuthority
import Foundation

/// An event on its way out of the instance: to a file, to journald, to syslog.
struct OutboundEvent: Sendable {
    enum Log: String, Sendable {
        case security
        case application
    }

    var log: Log
    var number: Int
    var severity: ApplicationEvent.Severity
    var text: String
    var who: String
    var details: [String: String]
    var when: Date
    /// Of the audit chain.
    var sequence: Int64?

    init(_ entry: AuditEntry) {
        self.log = .security
        self.number = entry.event.id.rawValue
        self.severity = OutboundEvent.isFault(entry.event.id) ? .error : .information
        self.text = AuditEventKind.of(entry.event.id)?.text ?? "Event \(entry.event.id.rawValue)."
        self.who = entry.event.who
        self.details = entry.event.details
        self.when = entry.event.when
        self.sequence = entry.sequence
    }

    init(_ event: ApplicationEvent) {
        self.log = .application
        self.number = event.number
        self.severity = event.severity
        self.text = event.text
        self.who = ""
        self.details = [:]
        self.when = event.when
        self.sequence = nil
    }

    private static func isFault(_ id: AuditEventID) -> Bool {
        [.tokenFailure, .wrongSignature, .requestFailed].contains(id)
    }

    /// One line of text: number, sentence, and data with its names. Line breaks are written as \n, quotation marks of the
    /// data as \".
    var line: String {
        var parts = ["\(self.log.rawValue) \(self.number):", self.text]
        if !self.who.isEmpty { parts.append("who=\(self.who)") }
        parts += self.details.sorted { $0.key < $1.key }.map { name, value in
            "\(name)=\"\(value.replacing("\"", with: "\\\""))\""
        }
        return LogText.onOneLine(parts.joined(separator: " "))
    }
}
