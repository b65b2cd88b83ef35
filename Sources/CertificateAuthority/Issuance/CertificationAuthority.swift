import Diagnostics
import Foundation
import KeyProvider
package import PKIMessages
import Synchronization

/// A certification authority: takes requests, decides, issues, revokes, publishes.
///
/// Every answer is a stored row with a code. What is signed is announced in the database first and its outcome stored
/// after, in one transaction with the audit event; a signature is verified before anybody sees it. Many tasks may
/// call at once.
package final class CertificationAuthority: Sendable {
    package let configuration: CAConfiguration
    /// Newest own certificate first, root last.
    package let chainDER: [[UInt8]]
    /// One for each of the CA's keys, the one that issues last. Each signs the CRL of what it issued.
    package let signers: [CASigner]
    /// The one with the newest certificate, which signs certificates and messages.
    package let currentSigner: CASigner

    let storage: any CAStorage
    let policy: any PolicyModule
    let directory: any RequesterDirectory
    let linter: CertificateLinter
    let archiver: (any KeyArchiver)?
    let signerTrust: (any SignerTrust)?
    let surroundings: Surroundings
    private let catalog: Mutex<TemplateCatalog>
    /// CRLs are made one after another.
    let publications = Turnstile()

    /// - Parameters:
    ///   - signingKeys: one for each key that has a certificate, in any order. A key whose token is missing fails when
    ///     it is asked to sign, not here.
    ///   - certificates: the CA's own, of which the newest issues, and the chains up to the root.
    ///   - archiver: `nil` when this CA archives no keys.
    ///   - signerTrust: whose certificates may sign requests beside this CA's own; `nil` for nobody's.
    /// - Throws: ``IssuanceError``: `invalidCACertificate` (0x80094005) when there is no own certificate, or it is not
    ///   that of the signing key; `invalidConfiguration` for templates or addresses that cannot be used.
    package init(
        configuration: CAConfiguration, signingKeys: [CASigningKey], certificates: [CACertificateRecord],
        storage: any CAStorage, templates: [CertificateTemplate] = BuiltInTemplates.all,
        policy: any PolicyModule = EnterprisePolicy(), directory: any RequesterDirectory = NoDirectory(),
        archiver: (any KeyArchiver)? = nil, signerTrust: (any SignerTrust)? = nil,
        weakKeys: WeakKeyList = WeakKeyList(), surroundings: Surroundings
    ) throws {
        self.signers = try CASigner.all(
            of: certificates, signingKeys: signingKeys, configuration: configuration)
        self.currentSigner = self.signers[self.signers.endIndex - 1]
        self.configuration = configuration
        self.chainDER = try CACertificateRecord.newestPath(in: certificates).map(\.certificateDER)
        self.catalog = Mutex(try TemplateCatalog(templates))
        self.storage = storage
        self.policy = policy
        self.directory = directory
        self.linter = try CertificateLinter(
            settings: configuration.lint, chain: self.chainDER.map { try CertificateFields(derEncoded: $0) },
            weakKeys: weakKeys)
        self.archiver = archiver
        self.signerTrust = signerTrust
        self.surroundings = surroundings
    }

    /// The templates that this CA issues from, as they are now. What decides about a request takes them once, so that one
    /// version of them counts for all of it.
    package var templates: TemplateCatalog { self.catalog.withLock { $0 } }

    /// Issues from other templates, beginning with the next request that is decided.
    ///
    /// - Throws: ``IssuanceError`` with code `invalidConfiguration` for templates that cannot be used; then those in place stay.
    package func replaceTemplates(_ templates: [CertificateTemplate]) throws {
        let catalog = try TemplateCatalog(templates)
        self.catalog.withLock { $0 = catalog }
    }

    /// The CA's newest certificate.
    package var caCertificate: CertificateFields { self.currentSigner.certificate }

    var issuer: CertificateIssuer { self.currentSigner.issuer }
    var signingKey: CASigningKey { self.currentSigner.signingKey }

    /// The algorithm of everything that this CA signs.
    package var signatureAlgorithm: SignatureAlgorithmIdentifier { self.signingKey.algorithm }

    /// How messages name this CA as their signer.
    package var signerIdentifier: IssuerAndSerialNumber { IssuerAndSerialNumber(self.caCertificate) }

    func event(_ id: AuditEventID, who: String, _ details: [String: String]) -> AuditEvent {
        AuditEvent(id, when: self.surroundings.now(), who: who, details: details)
    }

    /// Runs work to its end even when the caller's task is cancelled: a client that hangs up must not leave a
    /// request without an outcome.
    func uninterrupted<R: Sendable>(_ work: @escaping @Sendable () async throws -> R) async throws -> R {
        try await Task { try await work() }.value
    }
}
