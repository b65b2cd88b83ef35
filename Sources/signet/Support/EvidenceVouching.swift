import CAService
import CertificateAuthority
import Diagnostics

/// Has the CA key vouch for the evidence of keys that were archived just now. They are archived already: what fails here is
/// told, and the next head of the audit chain makes up for it.
extension Authority {
    /// Of a key that came with a request.
    func vouch(forKeyOf result: EnrollmentResult) async {
        await self.tellingFailure { try await self.vouchForArchivedKey(ofRequest: result.requestID) }
    }

    /// Of keys that were imported, or encrypted anew.
    func vouchForKeys() async {
        await self.tellingFailure { try await self.vouchForArchivedKeys() }
    }

    private func tellingFailure(_ vouch: () async throws -> Void) async {
        do { try await vouch() } catch {
            for line in ErrorReport(error).lines { Console.complain("audit head not signed: \(line)") }
        }
    }
}
