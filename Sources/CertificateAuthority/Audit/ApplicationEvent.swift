import Diagnostics
package import Foundation

/// An event of the application log of Certificate Services (protocols.md 3.4): for operators, not for the audit chain.
package struct ApplicationEvent: Sendable, Equatable {
    package enum Severity: Int, Sendable {
        case error = 3
        case warning = 4
        case information = 6
    }

    package var number: Int
    package var severity: Severity
    package var text: String
    package var when: Date

    package init(number: Int, severity: Severity, text: String, when: Date) {
        self.number = number
        self.severity = severity
        self.text = text
        self.when = when
    }

    /// Ours: a backup is due.
    package static let backupIsDue = 10_060

    /// What the application log says of something that the audit chain records; `nil` for most entries.
    package static func derived(from event: AuditEvent) -> ApplicationEvent? {
        let details = event.details
        if event.id == .caCertificatePublished {
            return ApplicationEvent(
                number: self.backupIsDue, severity: .warning,
                text:
                    "Certificate Services has a new CA certificate (SHA-1 \(details["Certificate Hash"] ?? "")), which no "
                    + "backup has: back up its database, and its key where the device can.",
                when: event.when)
        }
        guard let request = details["Request ID"], !request.isEmpty else { return nil }
        let subject = details["Subject"].flatMap { $0.isEmpty ? nil : $0 } ?? "an empty subject"
        let error = details["Error"] ?? details["Code"] ?? "of an unknown cause"
        func made(_ number: Int, _ severity: Severity, _ text: String) -> ApplicationEvent {
            ApplicationEvent(number: number, severity: severity, text: "Certificate Services " + text, when: event.when)
        }
        switch event.id {
        case .certificateIssued:
            return made(6, .information, "issued a certificate for request \(request) for \(subject).")
        case .requestDenied:
            return made(
                7, .warning,
                "denied request \(request) because \(event.who) denied it. The request was for \(subject).")
        case .requestPending:
            return made(8, .information, "left request \(request) pending in the queue for \(subject).")
        case .policyDenied:
            return made(
                53, .warning,
                "denied request \(request) because \(error) The request was for \(subject). Additional information: "
                    + "Denied by Policy Module \(details["Code"] ?? "")")
        case .requestFailed, .tokenFailure, .wrongSignature:
            let text = "could not process request \(request) due to an error: "
            guard let code = HRESULT(hexadecimal: details["Code"]), let requester = details["Requester"] else {
                return made(21, .error, text + "\(error) The request was for \(subject).")
            }
            // The code's text first, as Windows has it, then what Signet knows beyond it.
            return made(
                21, .error,
                text + "\(code.eventText). The request was for \(requester). Additional information: \(error) "
                    + "The request was for \(subject).")
        default: return nil
        }
    }
}

extension HRESULT {
    fileprivate init?(hexadecimal text: String?) {
        guard let text, text.hasPrefix("0x"), let value = UInt32(text.dropFirst(2), radix: 16) else { return nil }
        self.init(rawValue: value)
    }
}
