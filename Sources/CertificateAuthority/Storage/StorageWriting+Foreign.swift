package import Foundation
package import PKIMessages

extension StorageWriting {
    /// Stores the certificate of another CA in a row as Windows makes one: disposition 12, and none of this CA's keys, so that
    /// no list of this CA names it. Audit event 788.
    ///
    /// - Returns: the number of its request.
    package func insertForeign(_ certificate: CertificateFields, at now: Date, by who: Principal) throws -> Int64 {
        let subject = DistinguishedNameText.text(of: certificate.subject)
        let requestID = try self.insert(
            RequestRecord(
                type: .internalRequest, rawRequest: [], attributes: "", requesterName: who.name, templateName: nil,
                subject: subject, submittedWhen: now, resolvedWhen: now, disposition: .foreign,
                dispositionMessage: "Requested by \(who.name)"))
        var record = try CertificateRecord(
            imported: certificate, requestID: requestID, requesterName: who.name,
            caKeyIndex: CertificateRecord.foreignKeyIndex)
        if let identifier = try ExtensionDecoding(certificate.extensions).subjectKeyIdentifier() {
            record.subjectKeyIdentifier = identifier
        }
        try self.insert(record)
        try self.append(
            AuditEvent(
                .certificateImported, when: now, who: who.name,
                details: [
                    "Certificate": Hexadecimal.lower(certificate.sha256Thumbprint), "Request ID": "\(requestID)",
                ]))
        return requestID
    }
}

extension CertificateRecord {
    /// Of a certificate that this database did not make.
    package init(
        imported certificate: CertificateFields, requestID: Int64, requesterName: String, templateName: String? = nil,
        caKeyIndex: Int
    ) throws {
        let names = try ExtensionDecoding(certificate.extensions).subjectAlternativeNames()
        self.init(
            requestID: requestID, serialNumber: certificate.serialHex, certificateDER: certificate.derBytes,
            sha1Thumbprint: certificate.sha1Thumbprint, sha256Thumbprint: certificate.sha256Thumbprint,
            subject: DistinguishedNameText.text(of: certificate.subject),
            commonName: DistinguishedNameText.commonName(of: certificate.subject),
            userPrincipalName: names.lazy.compactMap(\.userPrincipalName).first, requesterName: requesterName,
            templateName: templateName, subjectKeyIdentifier: certificate.subjectPublicKeyInfo.keyIdentifier,
            notBefore: certificate.notBefore, notAfter: certificate.notAfter, caKeyIndex: caKeyIndex)
    }
}
