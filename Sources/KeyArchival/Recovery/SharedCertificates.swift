import PKIMessages

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

    private struct Name: Hashable {
        let chain, all: [ExactBytes]
    }

    private let known = RememberedValues<Name, Companions>()

    package init() {}

    /// The same that came before, where it did.
    func companions(_ new: Companions) -> Companions {
        func bytes(_ certificates: [CertificateFields]) -> [ExactBytes] { certificates.map { ExactBytes($0.derBytes) } }
        return self.known.value(of: Name(chain: bytes(new.chain), all: bytes(new.all))) { new }
    }
}
