import CAService
import CertificateAuthority
import Foundation
import Logging
import ServiceLifecycle

/// Makes the next exchange key in time, and removes old ones from the token. What fails is logged and tried again at the
/// next look: the one in use goes on until its end.
struct ExchangeKeyTimer: Service {
    let authority: RunningAuthority
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await repeatedly(every: self.interval) { await self.look() }
    }

    private func look() async {
        do {
            let done = try await self.authority.current.keepExchangeKeys()
            if let renewed = done.renewed {
                self.logger.info(
                    "made an exchange certificate", metadata: ["until": "\(renewed.notAfter.ISO8601Format())"])
            }
            for label in done.retired {
                self.logger.info("removed an exchange key that nothing needs", metadata: ["label": "\(label)"])
            }
        } catch {
            self.logger.report(error, "exchange keys not kept")
        }
    }
}
