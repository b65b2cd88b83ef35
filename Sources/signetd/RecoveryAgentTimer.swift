import CAService
import Diagnostics
import Logging
import ServiceLifecycle

/// Looks at the key recovery agents' certificates at start and from time to time: one that is not valid stops archival,
/// and an operator is to know before the first request fails.
struct RecoveryAgentTimer: Service {
    let watch: RecoveryAgentWatch
    /// An agent's certificate needs a current revocation list, which may have to be signed first.
    let lists: CRLTimer
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await self.lists.publishDue()
            while !Task.isCancelled {
                await self.look()
                // Cancellation ends the sleep and with it the loop.
                try? await Task.sleep(for: self.interval)
            }
        }
    }

    private func look() async {
        do {
            let (hasChanged, obstacle) = try await self.watch.look()
            guard hasChanged else { return }
            guard let obstacle else {
                self.logger.info("all key recovery agents are valid again")
                return
            }
            for line in ErrorReport(obstacle).lines { self.logger.error("no key will be archived: \(line)") }
        } catch {
            for line in ErrorReport(error).lines { self.logger.error("key recovery agents not checked: \(line)") }
        }
    }
}
