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
    ///
    /// - Parameter signatures: kept by who follows several paths, which go through the same authorities.
    static func path(
        from leaf: CertificateFields, through pool: [CertificateFields],
        _ signatures: CheckedSignatures = CheckedSignatures()
    ) -> [CertificateFields] {
        let authorities = pool.filter(\.isCertificationAuthority)
        var path = [leaf]
        var current = leaf
        while path.count < self.maximumLength,
            !(current.isSelfIssued && signatures.isSigned(current, by: current.subjectPublicKeyInfo))
        {
            guard let issuer = authorities.issuer(of: current, isSigned: { signatures.isSigned($0, by: $1) })
            else { break }
            path.append(issuer)
            current = issuer
        }
        return path
    }
}

/// What was found of signatures on certificates of authorities, by the exact bytes of certificate and key, so that each is
/// checked once however many paths go through it.
final class CheckedSignatures: Sendable {
    private struct Question: Hashable {
        let certificate, key: ExactBytes
    }

    private let known = RememberedValues<Question, Bool>()

    func isSigned(_ certificate: CertificateFields, by key: SubjectPublicKeyInfo) -> Bool {
        // A user's certificate comes once.
        guard certificate.isCertificationAuthority else { return certificate.isSigned(by: key) }
        let question = Question(certificate: ExactBytes(certificate.derBytes), key: ExactBytes(key.derBytes))
        return self.known.value(of: question) { certificate.isSigned(by: key) }
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
