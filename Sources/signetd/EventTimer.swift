import CAService
import Logging
import ServiceLifecycle

/// Sends new events to the sinks of `signet.yaml`.
struct EventTimer: Service {
    let forwarder: EventForwarder
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await repeatedly(every: self.interval) { await self.forward() }
    }

    private func forward() async {
        do { try await self.forwarder.forward() } catch { self.logger.report(error, "events not sent") }
    }
}
