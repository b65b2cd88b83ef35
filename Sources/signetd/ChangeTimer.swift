import CAService
import CertificateAuthority
import Diagnostics
import Foundation
import Logging
import PKIMessages
import ServiceLifecycle

/// Has changed templates and renewed CA certificates used. What is wrong with them is logged once, and looked at again at
/// the next look: the CA goes on with those that it has.
///
/// One after the other, so that a renewal does not bring back templates that were changed meanwhile.
struct ChangeTimer: Service {
    let authority: RunningAuthority
    let templates: TemplateWatch
    /// A new key has a list as soon as it has certificates.
    let lists: CRLTimer
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var (ofTemplates, ofCertificates): ([String], [String]) = ([], [])
            while !Task.isCancelled {
                ofTemplates = await self.look(told: ofTemplates, "changed templates not used") {
                    guard let templates = try await self.templates.look() else { return false }
                    self.logger.info("templates changed", metadata: ["now": "\(templates.joined(separator: ", "))"])
                    return true
                }
                ofCertificates = await self.look(told: ofCertificates, "renewed CA certificate not used") {
                    guard let certificate = try await self.authority.takeUpRenewal() else { return false }
                    self.logger.info(
                        "CA certificates changed",
                        metadata: [
                            "serial": "\(certificate.serialHex)",
                            "until": "\(certificate.notAfter.ISO8601Format())",
                        ])
                    await self.lists.publishDue()
                    return true
                }
                // Cancellation ends the sleep and with it the loop.
                try? await Task.sleep(for: self.interval)
            }
        }
    }

    /// - Parameters:
    ///   - told: what the last look has complained about.
    ///   - complaint: what is said of an error.
    ///   - take: whether there was something new.
    /// - Returns: what this one has complained about.
    private func look(told: [String], _ complaint: String, _ take: () async throws -> Bool) async -> [String] {
        do {
            return try await take() ? [] : told
        } catch {
            let lines = ErrorReport(error).lines
            guard lines != told else { return told }
            for line in lines { self.logger.error("\(complaint): \(line)") }
            return lines
        }
    }
}
