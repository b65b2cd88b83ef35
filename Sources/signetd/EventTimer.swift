import CAService
import Diagnostics
import Logging
import ServiceLifecycle

/// Sends new events to the sinks of `signet.yaml`.
struct EventTimer: Service {
    let forwarder: EventForwarder
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.forward()
                // Cancellation ends the sleep and with it the loop.
                try? await Task.sleep(for: self.interval)
            }
        }
    }

    private func forward() async {
        do { try await self.forwarder.forward() } catch {
            for line in ErrorReport(error).lines { self.logger.error("events not sent: \(line)") }
        }
    }
}
