import CAService
import Diagnostics
import Logging
import ServiceLifecycle

/// Has the operator's program told what will expire. A failure is logged and tried again at the next look.
struct NotificationTimer: Service {
    let notifier: Notifier
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.notify()
                // Cancellation ends the sleep and with it the loop.
                try? await Task.sleep(for: self.interval)
            }
        }
    }

    private func notify() async {
        do {
            let count = try await self.notifier.notify()
            if count > 0 { self.logger.info("gave notice of what expires", metadata: ["notices": "\(count)"]) }
        } catch {
            for line in ErrorReport(error).lines { self.logger.error("notices not given: \(line)") }
        }
    }
}
