package import Foundation
package import PKIMessages
import X509

extension CertificationAuthority {
    /// Revokes a certificate, changes the reason of one on hold, or takes a hold away.
    ///
    /// It stands on the next CRL; publishing one is a step of its own.
    ///
    /// - Parameters:
    ///   - serialNumber: hexadecimal, in either case; blanks and colons do not count.
    ///   - reason: `removeFromCRL` takes a hold away, and only that.
    ///   - effective: the date in the CRL entry; now when not given.
    ///   - invalidity: when the key is known or suspected to have been compromised.
    /// - Throws: ``RequestError``: `accessDenied` without the role of certificate manager, `unknownSerialNumber`
    ///   (0x80094004), `wrongRevocationStatus` (0x80094003), `invalidRevocationReason`; ``StorageError``.
    package func revoke(
        serialNumber: String, reason: CRLReason, effective: Date? = nil, invalidity: Date? = nil, by manager: Principal
    ) async throws {
        let operation = "revoke certificate \(serialNumber)"
        try manager.mustBeAllowed(.revokeCertificate, to: operation)
        let serial = CertificationAuthority.canonicalSerialNumber(serialNumber)
        let now = self.surroundings.now()
        try await self.storage.write { [self] db in
            guard let certificate = try db.certificate(serialNumber: serial) else {
                throw RequestError.unknownSerialNumber(serial, operation: operation)
            }
            try db.mustManage(
                manager, requester: certificate.requesterName, template: certificate.templateName, to: operation)
            try self.storeRevocation(
                certificate, reason: reason, effective: effective ?? now, invalidity: invalidity, by: manager, db)
        }
    }

    /// Revocation, request row and audit event 774, in the transaction of the caller.
    ///
    /// - Parameter details: further ones of the event.
    func storeRevocation(
        _ certificate: CertificateRecord, reason: CRLReason, effective: Date, invalidity: Date?,
        by manager: Principal, details: [String: String] = [:], _ db: any StorageWriting
    ) throws {
        let serial = certificate.serialNumber
        // One that came with an imported key is revoked by the CA that issued it.
        guard !certificate.isForeign else {
            throw RequestError.unknownSerialNumber(serial, operation: "revoke certificate \(serial)")
        }
        let revocation = try certificate.revocation(
            for: reason, effective: effective.wholeSeconds, invalidity: invalidity?.wholeSeconds,
            now: self.surroundings.now())
        try db.setRevocation(revocation, serialNumber: serial)
        if var row = try db.request(certificate.requestID) {
            row.disposition = revocation == nil ? .issued : .revoked
            try db.update(row)
        }
        let own = [
            "Serial Number": serial, "Reason": "\(reason.rawValue)", "Request ID": "\(certificate.requestID)",
            "Subject": certificate.subject,
        ]
        try db.append(
            self.event(.certificateRevoked, who: manager.name, own.merging(details) { own, _ in own }))
    }

    static func canonicalSerialNumber(_ text: String) -> String {
        text.uppercased().filter { $0 != " " && $0 != ":" }
    }
}

extension CertificateRecord {
    /// The revocation that a change leaves; `nil` for none.
    fileprivate func revocation(
        for reason: CRLReason, effective: Date, invalidity: Date?, now: Date
    ) throws -> Revocation? {
        try self.mustTake(reason)
        let isOnHold = self.revocation?.reason == CRLReason.certificateHold.rawValue
        if reason == .removeFromCRL {
            guard isOnHold else {
                throw RequestError.wrongRevocationStatus(
                    self.serialNumber, "the certificate is not on hold, and only a hold can be taken away")
            }
            return nil
        }
        guard self.revocation == nil || isOnHold else {
            throw RequestError.wrongRevocationStatus(
                self.serialNumber, "the certificate is revoked already, and that is for ever")
        }
        // A revocation that follows a hold keeps the earlier date: relying parties know it since then.
        let date = isOnHold ? min(self.revocation?.effectiveWhen ?? effective, effective) : effective
        return Revocation(
            reason: reason.rawValue, revokedWhen: now, effectiveWhen: date, invalidityWhen: invalidity)
    }

    /// `cACompromise` is for CA certificates, `aACompromise` for attribute certificates (X.509, section 9.5.3.1).
    private func mustTake(_ reason: CRLReason) throws {
        if reason == .cACompromise,
            case .isCertificateAuthority = try CertificateFields(derEncoded: self.certificateDER).basicConstraints
        {
            return
        }
        guard reason != .cACompromise, reason != .aACompromise else {
            throw RequestError.invalidRevocationReason(reason, self.serialNumber)
        }
    }
}
