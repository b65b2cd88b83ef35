package import CertificateAuthority
import Foundation

/// Sends what the audit chain records, and what the application log says of it, to the sinks of `signet.yaml`.
///
/// The chain is the source: an event reaches the sinks only after it is stored, and each sink's position is stored too,
/// so that a crash repeats events and never loses one. Whoever runs next (service or command) sends the rest.
package struct EventForwarder: Sendable {
    private static let portion = 500

    private let instance: Instance
    private let sinks: [any EventSink]

    package init(_ instance: Instance) {
        self.instance = instance
        self.sinks = instance.configuration.events.sinks(directory: instance.directory)
    }

    /// Sends what was recorded since the last time. Does nothing while another process does it.
    package func forward() async throws {
        guard !self.sinks.isEmpty, let lock = try FileLock(self.instance.directory + "/events.lock") else {
            return
        }
        defer { withExtendedLifetime(lock) {} }
        for sink in self.sinks { try await self.forward(to: sink) }
    }

    private func forward(to sink: any EventSink) async throws {
        let setting = "events.forwarded.\(sink.name)"
        while true {
            let entries = try await self.instance.storage.read { db in
                let position = try db.setting(setting).flatMap { Int64($0) } ?? 0
                return try db.auditEntries(after: position, limit: EventForwarder.portion)
            }
            guard let last = entries.last else { return }
            try sink.send(
                entries.flatMap { entry in
                    [OutboundEvent(entry)]
                        + (ApplicationEvent.derived(from: entry.event).map { [OutboundEvent($0)] } ?? [])
                })
            try await self.instance.storage.write { try $0.setSetting(setting, to: "\(last.sequence)") }
        }
    }

    /// Sends an event that the audit chain does not have.
    package func emit(_ number: Int, _ severity: ApplicationEvent.Severity, _ text: String) throws {
        let event = ApplicationEvent(
            number: number, severity: severity, text: text, when: self.instance.surroundings.now())
        for sink in self.sinks { try sink.send([OutboundEvent(event)]) }
    }
}
