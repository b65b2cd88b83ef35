package import PKIMessages
import X509

/// Follows issuers, by name and signature.
package enum CertificatePath {
    /// Longer paths do not exist in practice, and each step costs a signature check.
    static let maximumLength = 8

    /// True when the one is a CA certificate with the issuer's name and key of the other.
    package static func isIssuer(_ issuer: CertificateFields, of certificate: CertificateFields) -> Bool {
        issuer.isIssuer(of: certificate)
    }

    /// The certificate and those above it, as far as they are in `pool`; ends at a root.
    ///
    /// Validity periods are not looked at: an archived key is recovered long after its CA's certificate has expired.
    static func path(from leaf: CertificateFields, through pool: [CertificateFields]) -> [CertificateFields] {
        var path = [leaf]
        var current = leaf
        while path.count < self.maximumLength, !current.isSelfSigned {
            guard let issuer = pool.filter(\.isCertificationAuthority).issuer(of: current) else { break }
            path.append(issuer)
            current = issuer
        }
        return path
    }
}

extension CertificateFields {
    fileprivate func isIssuer(of certificate: CertificateFields) -> Bool {
        guard self.subjectDER == certificate.issuerDER, self.isCertificationAuthority else { return false }
        return certificate.isSigned(by: self.subjectPublicKeyInfo)
    }

    var isCertificationAuthority: Bool {
        guard case .isCertificateAuthority(_) = self.basicConstraints else { return false }
        return true
    }
}
