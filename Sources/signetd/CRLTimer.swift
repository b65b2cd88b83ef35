import CAService
import CertificateAuthority
import Diagnostics
import Logging
import ServiceLifecycle

/// Publishes the CRLs of every key when their time has come. A failure is logged and tried again at the next look: a
/// CRL's number and content are stored, so that a second attempt cannot do harm.
struct CRLTimer: Service {
    let authority: RunningAuthority
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.publishDue()
                // Cancellation ends the sleep and with it the loop.
                try? await Task.sleep(for: self.interval)
            }
        }
    }

    func publishDue() async {
        do {
            let published = try await self.authority.current.publishDueCRLs { [logger] scope, error in
                CRLTimer.log(error, "CRL of key \(scope.caKeyIndex) not signed", logger)
            }
            for crl in published {
                for (_, error) in crl.failures { CRLTimer.log(error, "CRL \(crl.record.number) not published", logger) }
                guard crl.failures.isEmpty else { continue }
                self.logger.info(
                    "published a CRL",
                    metadata: [
                        "number": "\(crl.record.number)", "kind": "\(crl.record.kind.rawValue)",
                        "key": "\(crl.record.caKeyIndex)",
                    ])
            }
        } catch {
            CRLTimer.log(error, "CRLs not published", self.logger)
        }
    }

    private static func log(_ error: any Error, _ what: String, _ logger: Logger) {
        for line in ErrorReport(error).lines { logger.error("\(what): \(line)") }
    }
}
