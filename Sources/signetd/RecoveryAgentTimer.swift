import CAService
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
        await cancelWhenGracefulShutdown { await self.lists.publishDue() }
        await repeatedly(every: self.interval) { await self.look() }
    }

    private func look() async {
        do {
            let (hasChanged, obstacle) = try await self.watch.look()
            guard hasChanged else { return }
            guard let obstacle else {
                self.logger.info("all key recovery agents are valid again")
                return
            }
            self.logger.report(obstacle, "no key will be archived")
        } catch {
            self.logger.report(error, "key recovery agents not checked")
        }
    }
}
