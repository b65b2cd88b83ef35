package import Foundation
import PKIMessages
package import X509

/// A CA that is to be certified by this one: by its certificate, or by its request.
package struct CrossCertificationSubject: Sendable {
    /// DER as received.
    package let bytes: [UInt8]
    package let subject: DistinguishedName
    let subjectDER: [UInt8]
    let subjectPublicKeyInfo: SubjectPublicKeyInfo
    /// As the CA names its own key: chains are found by it.
    let subjectKeyIdentifier: [UInt8]
    let type: RequestType
    /// CA version and hash of the previous certificate, of a request that has them.
    let carried: [Certificate.Extension]

    /// - Parameter bytes: DER of a CA certificate, or of a PKCS #10, whose signature is verified.
    /// - Throws: `PKIMessageError`; ``IssuanceError`` with code `invalidCACertificate` for a certificate that is not a
    ///   CA's or not valid now.
    package init(derEncoded bytes: [UInt8], at date: Date) throws {
        // `try?`: what is no certificate has to be a request, and that one's error is told.
        if let certificate = try? CertificateFields(derEncoded: bytes) {
            try CrossCertificationSubject.check(certificate, at: date)
            self.subject = certificate.subject
            self.subjectDER = certificate.subjectDER
            self.subjectPublicKeyInfo = certificate.subjectPublicKeyInfo
            self.subjectKeyIdentifier =
                certificate.subjectKeyIdentifier ?? certificate.subjectPublicKeyInfo.keyIdentifier
            self.type = .internalRequest
            self.carried = []
        } else {
            let request = try CertificationRequest(derEncoded: bytes)
            try request.verifyProofOfPossession()
            self.subject = request.subject
            self.subjectDER = try StrictDER.serialize(request.subject)
            self.subjectPublicKeyInfo = request.subjectPublicKeyInfo
            self.subjectKeyIdentifier = request.subjectPublicKeyInfo.keyIdentifier
            self.type = .pkcs10
            self.carried = request.requestedExtensions.filter {
                [OID.msCAVersion, OID.msPreviousCertHash].contains($0.oid)
            }
        }
        self.bytes = bytes
    }

    private static func check(_ certificate: CertificateFields, at date: Date) throws {
        let name = DistinguishedNameText.text(of: certificate.subject)
        guard case .isCertificateAuthority = certificate.basicConstraints, certificate.keyUsage?.keyCertSign ?? true
        else { throw IssuanceError.invalidCACertificate("\(name) is not a certification authority's") }
        guard date >= certificate.notBefore, date <= certificate.notAfter else {
            throw IssuanceError.invalidCACertificate("\(name) is not valid now")
        }
        guard !certificate.isSelfIssued || certificate.isSigned(by: certificate.subjectPublicKeyInfo) else {
            throw IssuanceError.invalidCACertificate("the signature of \(name) does not verify")
        }
    }
}
