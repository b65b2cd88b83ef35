import CertificateAuthority
import PKIMessages
import Synchronization

/// Trusted signers as a test sets them.
final class TestTrust: SignerTrust {
    private let state = Mutex(SignerTrustMaterial(certificates: [], certificateLists: []))

    func set(_ certificates: [CertificateFields], _ lists: [CertificateListFields]) {
        self.state.withLock { $0 = SignerTrustMaterial(certificates: certificates, certificateLists: lists) }
    }

    func material() -> SignerTrustMaterial { self.state.withLock { $0 } }
}
