import PKIMessages
import Synchronization

/// The certificates of a recovery blob beside the user's: those of authorities and agents.
struct Companions: Sendable {
    /// Those above the user's, nearest first.
    let chain: [CertificateFields]
    /// In the order of the blob.
    let all: [CertificateFields]
}

/// What many recovery blobs have in common: each certificate of an authority or an agent is read once, each authority's
/// signature on another's certificate checked once, and what goes with a blob is in memory once.
package final class SharedCertificates: Sendable {
    let read = ReadCertificates<CertificateFields>()
    let signatures = CheckedSignatures()

    /// More than there are groups of agents; what is beyond is in memory twice.
    private static let maximumCount = 256

    private let known = Mutex<[[ExactBytes]: Companions]>([:])

    package init() {}

    /// The same that came before, where it did.
    func companions(_ new: Companions) -> Companions {
        let name = (new.chain + new.all).map { ExactBytes($0.derBytes) }
        return self.known.withLock { known in
            // Both lists together do not tell where the first one ends.
            if let present = known[name], present.chain.count == new.chain.count { return present }
            if known.count >= Self.maximumCount { known.removeAll() }
            known[name] = new
            return new
        }
    }
}
