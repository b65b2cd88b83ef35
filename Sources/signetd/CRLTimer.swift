import CAService
import CertificateAuthority
import Logging
import ServiceLifecycle

/// Publishes the CRLs of every key when their time has come. A failure is logged and tried again at the next look: a
/// CRL's number and content are stored, so that a second attempt cannot do harm.
struct CRLTimer: Service {
    let authority: RunningAuthority
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await repeatedly(every: self.interval) { await self.publishDue() }
    }

    func publishDue() async {
        do {
            let published = try await self.authority.current.publishDueCRLs { [logger] scope, error in
                logger.report(error, "CRL of key \(scope.caKeyIndex) not signed")
            }
            for crl in published {
                for (_, error) in crl.failures { logger.report(error, "CRL \(crl.record.number) not published") }
                guard crl.failures.isEmpty else { continue }
                self.logger.info(
                    "published a CRL",
                    metadata: [
                        "number": "\(crl.record.number)", "kind": "\(crl.record.kind.rawValue)",
                        "key": "\(crl.record.caKeyIndex)",
                    ])
            }
        } catch {
            self.logger.report(error, "CRLs not published")
        }
    }
}
