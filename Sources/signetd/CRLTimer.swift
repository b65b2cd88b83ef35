import CAService
import CertificateAuthority
import Diagnostics
import Logging
import ServiceLifecycle

/// Publishes the next base CRL when its time has come. A failure is logged and tried again at the next look: a CRL's
/// number and content are stored, so that a second attempt cannot do harm.
struct CRLTimer: Service {
    let authority: Authority
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.publishIfDue()
                // Cancellation ends the sleep and with it the loop.
                try? await Task.sleep(for: self.interval)
            }
        }
    }

    private func publishIfDue() async {
        do {
            guard let record = try await self.authority.publishCRLIfDue() else { return }
            self.logger.info("published a CRL", metadata: ["number": "\(record.number)"])
        } catch {
            for line in ErrorReport(error).lines { self.logger.error("CRL not published: \(line)") }
        }
    }
}
