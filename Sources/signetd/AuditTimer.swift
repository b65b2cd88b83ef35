import CAService
import CertificateAuthority
import Diagnostics
import Logging
import ServiceLifecycle

/// Signs the head of the audit chain at start and from time to time. Nothing is signed when nothing was recorded.
///
/// A token that is away is no reason not to run: the entries wait for the next head, and `signet audit verify` counts
/// those that no head vouches for.
struct AuditTimer: Service {
    let authority: Authority
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await self.sign()
            while !Task.isCancelled {
                // Cancellation ends the sleep and with it the loop.
                try? await Task.sleep(for: self.interval)
                if !Task.isCancelled { await self.sign() }
            }
        }
    }

    func sign() async {
        do {
            guard let head = try await self.authority.signAuditHead(by: .service) else { return }
            self.logger.info("signed the head of the audit chain", metadata: ["entry": "\(head.sequence)"])
        } catch {
            for line in ErrorReport(error).lines { self.logger.error("audit head not signed: \(line)") }
        }
    }
}
