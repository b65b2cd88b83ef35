import Diagnostics
import PKIMessages

extension RequestError.Code {
    /// The certificate to be renewed is missing, or its key has not signed.
    package static let badRenewalCertificate = Self(rawValue: "badRenewalCertificate")
    /// No certificate fits the name of a signer.
    package static let signerNotFound = Self(rawValue: "signerNotFound")
    /// A signer's certificate does not lead to this CA or to a trusted one.
    package static let signerUntrusted = Self(rawValue: "signerUntrusted")
    /// A signer's certificate, or one above it, is revoked or not valid now.
    package static let signerNotValid = Self(rawValue: "signerNotValid")
    /// No current revocation list tells whether a signer's certificate is revoked.
    package static let signerStatusUnknown = Self(rawValue: "signerStatusUnknown")
    /// A signer's certificate is not for signatures.
    package static let signerUnsuitable = Self(rawValue: "signerUnsuitable")
    /// The request names several people as the one it is for.
    package static let ambiguousRequester = Self(rawValue: "ambiguousRequester")
}

extension RequestError {
    private static let operation = "verify the signers of a request"

    static func badRenewalCertificate(_ reason: String) -> RequestError {
        RequestError(
            code: .badRenewalCertificate, operation: RequestError.operation, reason: reason,
            hresult: .badRenewalCertAttribute, facts: [],
            advice: ["Put the certificate to be renewed into the request and sign it with that certificate's key."])
    }

    static func signerNotFound() -> RequestError {
        RequestError(
            code: .signerNotFound, operation: RequestError.operation,
            reason: "the certificate of a signer neither came along nor was issued here", hresult: .notFound, facts: [],
            advice: ["Put the signer's certificate into the message."])
    }

    static func signerUntrusted(_ certificate: CertificateFields) -> RequestError {
        RequestError(
            code: .signerUntrusted, operation: RequestError.operation,
            reason: "a signer's certificate was neither issued here nor by a trusted authority", hresult: .chaining,
            facts: certificate.facts,
            advice: ["Sign with a certificate of this CA, or add its authority to the trusted signers."])
    }

    static func signerExpired(_ certificate: CertificateFields) -> RequestError {
        RequestError(
            code: .signerNotValid, operation: RequestError.operation,
            reason: "a signer's certificate, or one above it, is not valid now", hresult: .certificateExpired,
            facts: certificate.facts, advice: ["Sign with a certificate that is valid now."])
    }

    static func signerRevoked(_ certificate: CertificateFields) -> RequestError {
        RequestError(
            code: .signerNotValid, operation: RequestError.operation,
            reason: "a signer's certificate, or one above it, is revoked", hresult: .revoked, facts: certificate.facts,
            advice: ["Sign with a certificate that is not revoked."])
    }

    static func signerStatusUnknown(_ certificate: CertificateFields, issuer: CertificateFields) -> RequestError {
        RequestError(
            code: .signerStatusUnknown, operation: RequestError.operation,
            reason: "no current revocation list of the signer's authority is here", hresult: .revocationOffline,
            facts: certificate.facts + [Fact("issuer", DistinguishedNameText.text(of: issuer.subject))],
            advice: ["Put the authority's newest CRL among the trusted signers."])
    }

    static func signerUnsuitable(_ certificate: CertificateFields) -> RequestError {
        RequestError(
            code: .signerUnsuitable, operation: RequestError.operation,
            reason: "a signer's certificate is not for digital signatures", hresult: .wrongUsage,
            facts: certificate.facts, advice: ["Sign with a certificate that has the key usage digitalSignature."])
    }

    static func ambiguousRequester(_ names: [String]) -> RequestError {
        RequestError(
            code: .ambiguousRequester, operation: "read a certificate request",
            reason: "it names several people as the one it is for", hresult: .invalidData,
            facts: [Fact("names", names.joined(separator: ", "))],
            advice: ["Name one RequesterName, the same everywhere."])
    }
}

extension CertificateFields {
    fileprivate var facts: [Fact] {
        [
            Fact("certificate", DistinguishedNameText.text(of: self.subject)),
            Fact("serial number", self.serialHex),
        ]
    }
}
