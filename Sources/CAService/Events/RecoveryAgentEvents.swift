import CertificateAuthority
import Diagnostics
package import KeyArchival
import PKIMessages

/// What the application log says of key recovery agents that are not valid (protocols.md 3.4).
package struct RecoveryAgentEvents: Sendable {
    struct Event: Equatable {
        let number: Int
        let text: String
    }

    private static let services = "Certificate Services "
    private static let refused = "Requests to archive private keys will not be accepted."

    /// The events for these states, in the order in which Windows writes them: one for each agent that is not valid, then
    /// one for all. None when keys can be archived, and none when no agent was ever configured.
    static func events(for statuses: [KRAStatus], count: Int) -> [Event] {
        guard !statuses.isEmpty, count > 0 else { return [] }
        let failures = statuses.compactMap { status in status.failure.map { (status, $0) } }
        var events = failures.map { self.event(for: $0, $1) }
        let unloaded = failures.first { $1.state == .notLoaded || $1.state == .notFound }
        if let unloaded {
            events.append(self.loadingError(unloaded.1.hresult))
        } else if failures.isEmpty, count > statuses.count {
            events.append(self.loadingError(.invalidParameter))
        }
        if failures.contains(where: { $1.state != .notLoaded && $1.state != .notFound }) {
            events.append(
                Event(
                    number: 98,
                    text: self.services + "encountered errors validating configured key recovery certificates. "
                        + "Requests to archive private keys will no longer be accepted."))
        }
        if failures.count == statuses.count {
            events.append(
                Event(
                    number: 82,
                    text: self.services + "could not load any valid key recovery certificates. " + self.refused))
        }
        return events
    }

    private static func event(for status: KRAStatus, _ failure: KRAStatus.Failure) -> Event {
        guard failure.state != .notLoaded, failure.state != .notFound else {
            return Event(
                number: 85,
                text: self.services
                    + "ignored key recovery certificate \(status.index) because it could not be loaded. "
                    + failure.hresult.eventText)
        }
        let subject = status.certificate.map { "\($0.subject)" } ?? ""
        return Event(
            number: 84,
            text: self.services
                + "will not use key recovery certificate \(status.index) because it could not be verified "
                + "for use as a Key Recovery Agent. \(subject) \(failure.hresult.eventText)")
    }

    private static func loadingError(_ code: HRESULT) -> Event {
        Event(
            number: 83,
            text: self.services + "encountered an error loading key recovery certificates. " + self.refused + " "
                + code.eventText)
    }
}

/// Looks at the configured agents, and tells the sinks when what is to be said of them has changed.
package actor RecoveryAgentWatch {
    private let authority: RunningAuthority
    private let events: EventForwarder
    private var told: [RecoveryAgentEvents.Event] = []

    package init(authority: RunningAuthority, events: EventForwarder) {
        self.authority = authority
        self.events = events
    }

    /// - Returns: whether the answer to "can keys be archived" is to be logged, and that answer: the obstacle, or none.
    package func look() async throws -> (hasChanged: Bool, obstacle: ArchivalError?) {
        let authority = self.authority.current
        let statuses = try await authority.recoveryAgents()
        let count = authority.agents.count
        let events = RecoveryAgentEvents.events(for: statuses, count: count)
        let obstacle = statuses.isEmpty ? nil : KRASelection.obstacle(statuses, count: count)
        guard events != self.told else { return (false, obstacle) }
        for event in events { try self.events.emit(event.number, .error, event.text) }
        self.told = events
        return (true, obstacle)
    }
}
