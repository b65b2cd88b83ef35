package import Foundation
package import PKIMessages

extension StorageReading {
    /// Whether one of this CA's keys has signed the certificate.
    package func hasSigned(_ certificate: CertificateFields) throws -> Bool {
        try self.caCertificates().filter { $0.use == .own }.contains { own in
            try certificate.isSigned(by: CertificateFields(derEncoded: own.certificateDER).subjectPublicKeyInfo)
        }
    }
}

extension StorageWriting {
    /// Stores the certificate of another CA in a row as Windows makes one: disposition 12, and none of this CA's keys, so that
    /// no list of this CA names it. Audit event 788.
    ///
    /// - Returns: the number of its request.
    package func insertForeign(_ certificate: CertificateFields, at now: Date, by who: Principal) throws -> Int64 {
        let subject = DistinguishedNameText.text(of: certificate.subject)
        let extensions = ExtensionDecoding(certificate.extensions)
        let requestID = try self.insert(
            RequestRecord(
                type: .internalRequest, rawRequest: [], attributes: "", requesterName: who.name, templateName: nil,
                subject: subject, submittedWhen: now, resolvedWhen: now, disposition: .foreign,
                dispositionMessage: "Requested by \(who.name)"))
        try self.insert(
            CertificateRecord(
                requestID: requestID, serialNumber: certificate.serialHex, certificateDER: certificate.derBytes,
                sha1Thumbprint: certificate.sha1Thumbprint, sha256Thumbprint: certificate.sha256Thumbprint,
                subject: subject, commonName: DistinguishedNameText.commonName(of: certificate.subject),
                userPrincipalName: try extensions.subjectAlternativeNames().lazy.compactMap(\.userPrincipalName).first,
                requesterName: who.name, templateName: nil,
                subjectKeyIdentifier: try extensions.subjectKeyIdentifier()
                    ?? certificate.subjectPublicKeyInfo.keyIdentifier,
                notBefore: certificate.notBefore, notAfter: certificate.notAfter,
                caKeyIndex: CertificateRecord.foreignKeyIndex))
        try self.append(
            AuditEvent(
                .certificateImported, when: now, who: who.name,
                details: [
                    "Certificate": Hexadecimal.lower(certificate.sha256Thumbprint), "Request ID": "\(requestID)",
                ]))
        return requestID
    }
}
