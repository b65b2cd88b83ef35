import CAService
import Logging
import ServiceLifecycle

/// Has the operator's program told what will expire. A failure is logged and tried again at the next look.
struct NotificationTimer: Service {
    let notifier: Notifier
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await repeatedly(every: self.interval) { await self.notify() }
    }

    private func notify() async {
        do {
            let count = try await self.notifier.notify()
            if count > 0 { self.logger.info("gave notice of what expires", metadata: ["notices": "\(count)"]) }
        } catch {
            self.logger.report(error, "notices not given")
        }
    }
}
