package import KeyProvider

/// What `CKO_CERTIFICATE` repeats of a certificate, cut out of its DER (RFC 5280, section 4.1):
///
/// ```
/// TBSCertificate ::= SEQUENCE { version [0] DEFAULT v1, serialNumber, signature, issuer, validity, subject,
///                               subjectPublicKeyInfo, ... }
/// ```
package struct CertificateFields: Equatable, Sendable {
    /// DER INTEGER.
    package let serialNumber: [UInt8]
    /// DER Name.
    package let issuer: [UInt8]
    /// DER Name.
    package let subject: [UInt8]
    /// DER SubjectPublicKeyInfo.
    package let subjectPublicKeyInfo: [UInt8]

    /// A longer certificate is refused unread.
    package static let maximumBytes = 65536

    /// - Throws: ``KeyProviderError`` with code `invalidCertificate`. The signature is not looked at.
    package init(_ certificateDER: [UInt8]) throws(KeyProviderError) {
        do throws(DERFault) {
            guard certificateDER.count <= CertificateFields.maximumBytes else {
                throw DERFault(expected: "at most \(CertificateFields.maximumBytes) bytes")
            }
            var file = DERReader(certificateDER[...])
            var certificate = DERReader(try file.element(0x30, "Certificate").content)
            try file.end()
            var body = DERReader(try certificate.element(0x30, "TBSCertificate").content)
            _ = try certificate.element(0x30, "signatureAlgorithm")
            _ = try certificate.element(0x03, "signatureValue")
            try certificate.end()
            if body.nextTag == 0xA0 { _ = try body.element(0xA0, "version") }
            self.serialNumber = Array(try body.element(0x02, "serialNumber").whole)
            _ = try body.element(0x30, "signature")
            self.issuer = Array(try body.element(0x30, "issuer").whole)
            _ = try body.element(0x30, "validity")
            self.subject = Array(try body.element(0x30, "subject").whole)
            self.subjectPublicKeyInfo = Array(try body.element(0x30, "subjectPublicKeyInfo").whole)
        } catch {
            throw .invalidCertificate(expected: error.expected)
        }
    }
}
