package import CertificateAuthority
import Diagnostics

extension Instance {
    /// Audit event 10010, when an operation failed because its caller may not do it. Does nothing for other errors.
    package func recordRefusal(_ error: any Error, of who: Principal) async throws {
        guard let refusal = error as? RequestError, refusal.isRefusalOfCaller else { return }
        try await self.record(
            .accessRefused, by: who,
            details: [
                "Operation": refusal.operation, "Code": "\(refusal.hresult)", "Error": refusal.reason,
            ])
    }
}
