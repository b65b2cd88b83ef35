package import CertificateAuthority
package import Foundation
package import PKIMessages
import X509

/// Checks that a certificate is one of a key recovery agent of this CA (MS-WCCE, section 2.2.3.1).
///
/// The certificate must have been issued by this CA, because only then its revocation is known here; it must carry the
/// extended key usage 1.3.6.1.4.1.311.21.6 and the key usage keyEncipherment, have an RSA key, and be valid now.
package struct KRACertificateCheck: Sendable {
    private let issuers: [CertificateFields]

    /// - Parameter issuers: this CA's own certificates, old ones too.
    package init(issuers: [CertificateFields]) {
        self.issuers = issuers
    }

    /// Checks one stored agent.
    ///
    /// - Throws: ``StorageError``.
    package func status(
        of agent: KRARecord, in storage: any StorageReading, at date: Date
    ) throws -> KRAStatus {
        let certificate: CertificateFields
        do {
            certificate = try CertificateFields(derEncoded: agent.certificateDER)
        } catch let error as PKIMessageError {
            return KRAStatus(certificate: nil, state: .notLoaded, failedCheck: error.reason)
        }
        let issued = try storage.certificate(serialNumber: certificate.serialHex)
        let failure = self.failure(of: certificate, issued: issued, at: date)
        return KRAStatus(certificate: certificate, state: failure?.state ?? .valid, failedCheck: failure?.reason)
    }

    private func failure(
        of certificate: CertificateFields, issued: CertificateRecord?, at date: Date
    ) -> (state: KRAState, reason: String)? {
        guard self.issuers.contains(where: { $0.subjectDER == certificate.issuerDER && certificate.isSigned(by: $0) })
        else { return (.untrusted, "it was not signed by this certification authority") }
        guard let issued, issued.certificateDER == certificate.derBytes else {
            return (.untrusted, "this certification authority has no record of it")
        }
        if let reason = self.unsuitable(certificate) { return (.invalid, reason) }
        if issued.revocation != nil { return (.revoked, "it is revoked") }
        if date < certificate.notBefore {
            return (.invalid, "it is not valid before \(certificate.notBefore.ISO8601Format())")
        }
        if date > certificate.notAfter {
            return (.expired, "it expired at \(certificate.notAfter.ISO8601Format())")
        }
        return nil
    }

    private func unsuitable(_ certificate: CertificateFields) -> String? {
        guard certificate.extendedKeyUsages.contains(OID.keyRecoveryAgent) else {
            return "it lacks the extended key usage of a key recovery agent, \(OID.keyRecoveryAgent)"
        }
        guard certificate.keyUsage?.keyEncipherment == true else { return "it lacks the key usage keyEncipherment" }
        guard certificate.subjectPublicKeyInfo.isRSA else { return "its key is not RSA" }
        return nil
    }
}

extension CertificateFields {
    fileprivate func isSigned(by issuer: CertificateFields) -> Bool {
        self.isSigned(by: issuer.subjectPublicKeyInfo)
    }
}
