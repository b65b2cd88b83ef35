package import CertificateAuthority
import Diagnostics
package import Foundation
package import PKIMessages
import Synchronization
import X509

/// Checks that a certificate is one of a key recovery agent (MS-WCCE, section 2.2.3.1).
///
/// The certificate must carry the extended key usage 1.3.6.1.4.1.311.21.6 and the key usage keyEncipherment, have an RSA
/// key and be valid now. It was issued by this CA, or by one whose certificates and revocation lists the operator has
/// put into the directory of trusted agents' authorities; in both cases a current revocation list must be there.
package struct KRACertificateCheck: Sendable {
    private let issuers: [CertificateFields]
    private let foreign: (any SignerTrust)?
    private let lists = CurrentLists()
    private let examined = ReadCertificates<Examination>()

    /// - Parameters:
    ///   - issuers: this CA's own certificates, old ones too.
    ///   - foreign: authorities that have certified agents beside this one, read at each use; `nil` for none.
    package init(issuers: [CertificateFields], foreign: (any SignerTrust)? = nil) {
        self.issuers = issuers
        self.foreign = foreign
    }

    /// Checks one stored agent.
    ///
    /// - Parameter index: its position among the configured ones.
    /// - Throws: ``StorageError``.
    package func status(
        of agent: KRARecord, index: Int = 0, in storage: any StorageReading, at date: Date
    ) throws -> KRAStatus {
        func status(_ certificate: CertificateFields?, _ failure: KRAStatus.Failure?) -> KRAStatus {
            KRAStatus(
                index: index, sha1Thumbprint: agent.sha1Thumbprint, certificate: certificate, failure: failure)
        }
        guard !agent.certificateDER.isEmpty else {
            return status(
                nil, .init(state: .notFound, reason: "its certificate is not in the database", hresult: .notFound))
        }
        let examination: Examination
        do {
            examination = try self.examined.value(of: agent.certificateDER, self.examine)
        } catch let error as PKIMessageError {
            return status(nil, .init(state: .notLoaded, reason: error.reason, hresult: .invalidData))
        }
        let certificate = examination.certificate
        guard examination.sha1Thumbprint == agent.sha1Thumbprint else {
            let reason = "the stored certificate is not the one that was added"
            return status(certificate, .init(state: .notLoaded, reason: reason, hresult: .invalidData))
        }
        return status(certificate, try self.failure(of: examination, in: storage, at: date))
    }

    /// What the bytes of a certificate say for ever.
    private struct Examination: Sendable {
        let certificate: CertificateFields
        let sha1Thumbprint: [UInt8]
        /// A key of this CA has signed it.
        let isOwn: Bool
        /// Why it is no agent's.
        let unsuitable: String?
    }

    private func examine(_ certificate: CertificateFields) -> Examination {
        let isOwn = self.issuers.contains {
            $0.subjectDER == certificate.issuerDER && certificate.isSigned(by: $0.subjectPublicKeyInfo)
        }
        return Examination(
            certificate: certificate, sha1Thumbprint: certificate.sha1Thumbprint, isOwn: isOwn,
            unsuitable: self.unsuitable(certificate))
    }

    private func failure(
        of examination: Examination, in storage: any StorageReading, at date: Date
    ) throws -> KRAStatus.Failure? {
        let certificate = examination.certificate
        let issued = try examination.isOwn ? storage.certificate(serialNumber: certificate.serialHex) : nil
        if examination.isOwn, issued?.certificateDER != certificate.derBytes {
            return .init(
                state: .untrusted, reason: "this certification authority has no record of it",
                hresult: .untrustedRoot)
        }
        if let reason = examination.unsuitable {
            return .init(state: .invalid, reason: reason, hresult: .wrongUsage)
        }
        if issued?.revocation != nil {
            return .init(state: .revoked, reason: "it is revoked", hresult: .revoked)
        }
        if date < certificate.notBefore {
            let reason = "it is not valid before \(certificate.notBefore.ISO8601Format())"
            return .init(state: .invalid, reason: reason, hresult: .certificateExpired)
        }
        if date > certificate.notAfter {
            let reason = "it expired at \(certificate.notAfter.ISO8601Format())"
            return .init(state: .expired, reason: reason, hresult: .certificateExpired)
        }
        guard let issued else { return try self.foreignFailure(of: certificate, at: date) }
        return try self.missingList(for: issued, in: storage, at: date)
    }

    private func unsuitable(_ certificate: CertificateFields) -> String? {
        guard certificate.extendedKeyUsages.contains(OID.keyRecoveryAgent) else {
            return "it lacks the extended key usage of a key recovery agent, \(OID.keyRecoveryAgent)"
        }
        guard certificate.keyUsage?.keyEncipherment == true else { return "it lacks the key usage keyEncipherment" }
        guard certificate.subjectPublicKeyInfo.isRSA else { return "its key is not RSA" }
        return nil
    }

    /// Who certifies here publishes here: with the list out of date nobody else can know of a revocation either.
    private func missingList(
        for certificate: CertificateRecord, in storage: any StorageReading, at date: Date
    ) throws -> KRAStatus.Failure? {
        let scope = CRLScope(caKeyIndex: certificate.caKeyIndex, shard: certificate.crlShard)
        if try self.lists.hasOne(scope, in: storage, at: date) { return nil }
        return .init(
            state: .invalid, reason: "there is no current revocation list of its issuer", hresult: .revocationOffline)
    }

    private func foreignFailure(
        of certificate: CertificateFields, at date: Date
    ) throws -> KRAStatus.Failure? {
        guard let foreign = self.foreign else {
            return .init(
                state: .untrusted, reason: "it was not signed by this certification authority",
                hresult: .untrustedRoot)
        }
        do {
            try foreign.material().checkPath(of: certificate, at: date)
            return nil
        } catch let error as RequestError {
            switch error.hresult {
            case .revoked:
                return .init(state: .revoked, reason: "it, or an authority above it, is revoked", hresult: .revoked)
            case .revocationOffline:
                let reason = "there is no current revocation list of its issuer"
                return .init(state: .invalid, reason: reason, hresult: .revocationOffline)
            case .certificateExpired:
                let reason = "the certificate of an authority above it is not valid now"
                return .init(state: .invalid, reason: reason, hresult: .certificateExpired)
            default:
                let reason = "neither this certification authority nor a trusted one has signed it"
                return .init(state: .untrusted, reason: reason, hresult: error.hresult)
            }
        }
    }
}

/// Until when revocation lists are current: a list that was found stays current until its time, so that the database,
/// where it may be long, is asked again only then.
private final class CurrentLists: Sendable {
    private let known = Mutex<[CRLScope: Date]>([:])

    func hasOne(_ scope: CRLScope, in storage: any StorageReading, at date: Date) throws -> Bool {
        if let until = self.known.withLock({ $0[scope] }), until >= date { return true }
        guard let list = try storage.latestCRL(scope, .base), list.nextUpdate >= date else { return false }
        self.known.withLock { $0[scope] = list.nextUpdate }
        return true
    }
}
