import CertificateAuthority
package import PKIMessages
import Synchronization

/// The authority of a process that runs on while its CA is renewed.
///
/// What has begun ends with the certificates and keys with which it began: nothing mixes the names of one certificate with
/// the key of another. What begins after ``takeUpRenewal()`` has the newest.
package final class RunningAuthority: Sendable {
    private struct State {
        var authority: Authority
        /// All of those of the authority, those of its links and of the chain as well.
        var certificates: [CACertificateRecord]
    }

    private let state: Mutex<State>

    /// - Throws: what ``Instance/authority(for:settling:)`` throws.
    package init(_ instance: Instance) async throws {
        let (authority, certificates) = try await instance.runnableAuthority()
        self.state = Mutex(State(authority: authority, certificates: certificates))
    }

    /// To be taken once for each piece of work.
    package var current: Authority { self.state.withLock { $0.authority } }

    /// Works with the CA certificates that are in the database now, when they are others than before. The templates in use
    /// stay.
    ///
    /// To be called by one task at a time, and not beside ``TemplateWatch/look()``.
    ///
    /// - Returns: the newest certificate; `nil` when nothing has changed.
    /// - Throws: `StorageError`, and what ``Instance/authority(for:settling:)`` throws for certificates that cannot be used,
    ///   such as one that is not valid yet; then those in use stay.
    package func takeUpRenewal() async throws -> CertificateFields? {
        let (former, known) = self.state.withLock { ($0.authority, $0.certificates) }
        let instance = former.instance
        guard try await instance.storage.read({ try $0.caCertificates() }) != known else { return nil }
        let (authority, certificates) = try await instance.runnableAuthority()
        try authority.authority.replaceTemplates(former.authority.templates.templates)
        self.state.withLock { $0 = State(authority: authority, certificates: certificates) }
        return authority.authority.caCertificate
    }
}

extension Instance {
    /// The certificates are those that the authority was made with: a renewal between two reads is not missed.
    fileprivate func runnableAuthority() async throws -> (Authority, [CACertificateRecord]) {
        let certificates = try await self.storage.read { try $0.caCertificates() }
        return (try await self.authority(with: certificates, settling: false), certificates)
    }
}
