package import Foundation
package import PKIMessages
import X509

/// Where certificates of other authorities come from whose holders may sign requests here: registration authorities and
/// enrolment agents that this CA has not certified itself.
package protocol SignerTrust: Sendable {
    /// Read anew for each request that needs it, so that a fresh CRL needs no restart.
    ///
    /// - Throws: a `DiagnosableError` when something of it cannot be read; the request then fails.
    func material() throws -> SignerTrustMaterial
}

/// Certificates up to trusted roots, and the revocation lists of each of their issuers.
package struct SignerTrustMaterial: Sendable {
    /// Roots are trusted because they stand here; the others must chain to one.
    package var certificates: [CertificateFields]
    package var certificateLists: [CertificateListFields]

    package init(certificates: [CertificateFields], certificateLists: [CertificateListFields]) {
        self.certificates = certificates
        self.certificateLists = certificateLists
    }

    /// Checks that a certificate has a valid path to a trusted root, with current revocation lists.
    ///
    /// - Throws: ``RequestError`` with the HRESULTs 0x800B010A, 0x800B0101, 0x80092010 and 0x80092013.
    package func checkPath(of certificate: CertificateFields, at date: Date) throws(RequestError) {
        try SignerPath(material: self, now: date).check(certificate)
    }
}

/// The path of a signer's certificate through ``SignerTrustMaterial``, checked (RFC 5280, section 6, less policies).
struct SignerPath {
    let material: SignerTrustMaterial
    /// Seconds since 1970 are all that is compared.
    let now: Date

    private static let maximumLength = 8

    /// - Throws: ``RequestError``: `signerUntrusted` (0x800B010A), `signerNotValid` (0x800B0101 or 0x80092010),
    ///   `signerStatusUnknown` (0x80092013).
    func check(_ certificate: CertificateFields) throws(RequestError) {
        var subject = certificate
        for depth in 0..<SignerPath.maximumLength {
            guard let issuer = self.material.certificates.issuer(of: subject) else {
                throw RequestError.signerUntrusted(certificate)
            }
            guard issuer.notBefore <= self.now, self.now <= issuer.notAfter else {
                throw RequestError.signerExpired(issuer)
            }
            guard case .isCertificateAuthority(let limit) = issuer.basicConstraints,
                issuer.keyUsage?.keyCertSign ?? true, (limit ?? depth) >= depth
            else { throw RequestError.signerUntrusted(certificate) }
            try self.checkRevocation(of: subject, issuer: issuer)
            if issuer.isSelfSigned { return }
            subject = issuer
        }
        throw RequestError.signerUntrusted(certificate)
    }

    private func checkRevocation(
        of certificate: CertificateFields, issuer: CertificateFields
    ) throws(RequestError) {
        let current = self.material.certificateLists.filter {
            $0.issuerDER == issuer.subjectDER && $0.isSigned(by: issuer.subjectPublicKeyInfo)
                && $0.thisUpdate <= self.now && self.now <= ($0.nextUpdate ?? .distantFuture)
        }
        guard let newest = current.max(by: { $0.thisUpdate < $1.thisUpdate }) else {
            throw RequestError.signerStatusUnknown(certificate, issuer: issuer)
        }
        guard newest.entry(serialNumber: certificate.serialNumber) == nil else {
            throw RequestError.signerRevoked(certificate)
        }
    }
}
