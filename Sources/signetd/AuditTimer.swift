import CAService
import CertificateAuthority
import Logging
import ServiceLifecycle

/// Signs the head of the audit chain at start, from time to time, and soon after a key was archived, so that the CA key
/// vouches for the evidence of each. Nothing is signed when nothing was recorded.
///
/// A token that is away is no reason not to run: the entries wait for the next head, and `signet audit verify` counts
/// those that no head vouches for.
struct AuditTimer: Service {
    let authority: RunningAuthority
    /// Between heads while no key is archived.
    let interval: Duration
    /// How long the evidence of a key waits at most.
    let evidenceInterval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await self.sign()
            var vouchedFor: Int64?
            var waited = Duration.zero
            while !Task.isCancelled {
                // Cancellation ends the sleep and with it the loop.
                try? await Task.sleep(for: self.evidenceInterval)
                guard !Task.isCancelled else { return }
                waited += self.evidenceInterval
                vouchedFor = await self.vouch(after: vouchedFor)
                if waited >= self.interval {
                    await self.sign()
                    waited = .zero
                }
            }
        }
    }

    func sign() async {
        do {
            guard let head = try await self.authority.current.signAuditHead(by: .service) else { return }
            self.logger.info("signed the head of the audit chain", metadata: ["entry": "\(head.sequence)"])
        } catch { self.logger.report(error, "audit head not signed") }
    }

    /// - Parameter requestID: `nil` before the first look.
    /// - Returns: the last request whose key is vouched for; the same as before when the token has failed.
    private func vouch(after requestID: Int64?) async -> Int64? {
        do { return try await self.authority.current.vouchForArchivedKeys(after: requestID ?? 0) } catch {
            self.logger.report(error, "audit head not signed")
            return requestID
        }
    }
}
