import Diagnostics
package import Foundation
import KeyProvider
package import PKIMessages

/// Whether a CA may sign: its newest certificate and those above it valid, the chain complete, nothing of it revoked by
/// a CRL that is at hand. A CA of which that is not true does not start.
package struct CACertificateExamination: Sendable {
    /// The newest own certificate first, as far up as the chain is known.
    package let path: [CertificateFields]
    private let keySHA256: [UInt8]?

    /// - Parameter records: the CA's own certificates and those above.
    /// - Throws: ``IssuanceError`` with code `invalidCACertificate` when there is no own certificate.
    package init(_ records: [CACertificateRecord]) throws {
        let path = try CACertificateRecord.newestPath(in: records)
        guard let own = path.first else {
            throw IssuanceError.invalidCACertificate("this instance has no certificate of its own yet")
        }
        self.path = try path.map { try CertificateFields(derEncoded: $0.certificateDER) }
        self.keySHA256 = own.locator?.publicKeySHA256
    }

    /// - Parameter revocationLists: CRLs of the CAs above, as far as they are at hand; one that is not signed by the
    ///   issuer of a certificate of the path says nothing.
    /// - Throws: ``IssuanceError``: `invalidCACertificate` (0x80094005) when the certificate is not that of the key,
    ///   `caChainBroken` (0x800B010A), `caCertificateExpired` (0x800B0101) for one that is not valid any more or not
    ///   yet, `caCertificateRevoked` (0x80092010).
    package func check(revocationLists: [CertificateListFields], at date: Date) throws {
        let own = self.path[0]
        guard self.keySHA256 == nil || self.keySHA256 == own.subjectPublicKeyInfo.sha256 else {
            throw IssuanceError.invalidCACertificate("its public key is not that of the signing key")
        }
        guard let last = self.path.last, last.isSelfSigned else {
            let name = self.path.last.map { DistinguishedNameText.text(of: $0.issuer) } ?? ""
            throw IssuanceError.caChainBroken(
                "the certificate of \(name) is missing, or does not verify what it issued")
        }
        for certificate in self.path { try self.checkValidity(certificate, at: date) }
        for (certificate, issuer) in zip(self.path, self.path.dropFirst() + [last]) {
            try self.checkRevocation(certificate, issuer: issuer, revocationLists, at: date)
        }
    }

    private func checkValidity(_ certificate: CertificateFields, at date: Date) throws {
        let name = DistinguishedNameText.text(of: certificate.subject)
        guard date >= certificate.notBefore else {
            throw IssuanceError.caCertificateNotValidYet(name, notBefore: "\(certificate.notBefore)")
        }
        guard date <= certificate.notAfter else {
            throw IssuanceError.caCertificateExpired(name, notAfter: "\(certificate.notAfter)")
        }
    }

    private func checkRevocation(
        _ certificate: CertificateFields, issuer: CertificateFields, _ lists: [CertificateListFields], at date: Date
    ) throws {
        for list in lists where list.issuerDER == certificate.issuerDER {
            guard let entry = list.entry(serialNumber: certificate.serialNumber), entry.revocationDate <= date,
                entry.reason != .removeFromCRL, list.isSigned(by: issuer.subjectPublicKeyInfo)
            else { continue }
            throw IssuanceError.caCertificateRevoked(
                DistinguishedNameText.text(of: certificate.subject), serial: certificate.serialHex,
                since: "\(entry.revocationDate)")
        }
    }
}

extension IssuanceError {
    private static let starting = "start the certification authority"

    static func caCertificateExpired(_ name: String, notAfter: String) -> IssuanceError {
        IssuanceError(
            code: .caCertificateExpired, operation: self.starting, reason: "the certificate of \(name) has expired",
            hresult: .certificateExpired, facts: [Fact("not after", notAfter)],
            advice: ["Check the clock, then renew the certificate: `signet ca renew`."])
    }

    static func caCertificateNotValidYet(_ name: String, notBefore: String) -> IssuanceError {
        IssuanceError(
            code: .caCertificateExpired, operation: self.starting,
            reason: "the certificate of \(name) is not valid yet", hresult: .certificateExpired,
            facts: [Fact("not before", notBefore)], advice: ["Check the clock, or wait."])
    }

    static func caCertificateRevoked(_ name: String, serial: String, since: String) -> IssuanceError {
        IssuanceError(
            code: .caCertificateRevoked, operation: self.starting,
            reason: "the certificate of \(name) was revoked by its issuer", hresult: .revoked,
            facts: [Fact("serial", serial), Fact("since", since)],
            advice: ["Ask the issuer why, then renew with a new key: `signet ca renew --new-key`."])
    }

    static func caChainBroken(_ reason: String) -> IssuanceError {
        IssuanceError(
            code: .caChainBroken, operation: self.starting, reason: reason, hresult: .chaining, facts: [],
            advice: ["Install the certificate again with its whole chain: `signet ca install --chain FILE ...`."])
    }
}
