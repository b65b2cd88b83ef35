import Diagnostics
package import PKIMessages
import X509

extension ArchivalError {
    /// - Parameter isAllowed: by the configuration, so that only the operator's word is missing.
    package static func foreignCertificate(
        _ certificate: CertificateFields, isAllowed: Bool, operation: String
    ) -> ArchivalError {
        ArchivalError(
            code: .foreignCertificate, operation: operation,
            reason: "this certification authority has not issued the certificate", hresult: .issuerChaining,
            facts: [Fact("certificate", "\(certificate.subject), serial number \(certificate.serialHex)")],
            advice: [
                isAllowed
                    ? "Repeat with --force, if the certificate of another CA is meant."
                    : "Set archival.foreign-certificates, and repeat with --force."
            ])
    }

    /// This CA has issued it, and its row is lost.
    static func certificateLost(_ certificate: CertificateFields) -> ArchivalError {
        ArchivalError(
            code: .foreignCertificate, operation: "import the private key",
            reason: "the database does not have the certificate, which this certification authority has issued",
            hresult: .propertyEmpty,
            facts: [Fact("certificate", "\(certificate.subject), serial number \(certificate.serialHex)")],
            advice: ["Import the certificate with `signet certificate import`, then its key."])
    }

    package static func serialNumberTaken(_ certificate: CertificateFields) -> ArchivalError {
        ArchivalError(
            code: .foreignCertificate, operation: "import the certificate",
            reason: "another certificate in the database has its serial number", hresult: .issuerChaining,
            facts: [Fact("certificate", "\(certificate.subject), serial number \(certificate.serialHex)")],
            advice: ["Keep this certificate, and its key, in a file of its own."])
    }

    /// - Parameter reason: a clause.
    package static func unknownKeyFile(_ name: String, _ reason: String) -> ArchivalError {
        ArchivalError(
            code: .unknownKeyFile, operation: "import keys from \"\(name)\"", reason: reason, hresult: .invalidData,
            advice: [
                """
                Use PKCS #12 files or a Signet key container. The formats of Outlook's EPF files and of the export files of \
                the Exchange Key Management Server are unpublished: export from there to PKCS #12.
                """
            ])
    }

    package static func thumbprintMismatch(_ typed: String) -> ArchivalError {
        ArchivalError(
            code: .thumbprintMismatch, operation: "encrypt keys to the certificate",
            reason: "its thumbprint does not begin with \"\(typed)\"", hresult: .hashValue,
            advice: [
                "Get the thumbprint from the CA's operator by another way than the certificate, and type at least 8 digits."
            ])
    }

    package static func pairMismatch(_ certificate: CertificateFields) -> ArchivalError {
        .keyMismatch(
            "verify the key pair of \(certificate.subject), serial number \(certificate.serialHex)",
            with: "the certificate")
    }
}
