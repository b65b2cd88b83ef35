package import CertificateAuthority
import Diagnostics
import Foundation
import KeyArchival
import PKIMessages

/// A certificate that was imported into the database (MS-CSRA 3.1.4.1.26).
package struct ImportedCertificate: Sendable, Equatable {
    package var requestID: Int64
    package var serialNumber: String
    /// Another CA has issued it.
    package var isForeign: Bool
}

/// What is wanted of an import.
package struct CertificateImportOrder: Sendable {
    /// DER, PEM or base64.
    package var certificate: [UInt8]
    /// Takes certificates of other CAs, where the configuration allows it.
    package var isForced: Bool
    /// The certificate answers the pending request for its key.
    package var answersPending: Bool

    package init(certificate: [UInt8], isForced: Bool = false, answersPending: Bool = false) {
        self.certificate = certificate
        self.isForced = isForced
        self.answersPending = answersPending
    }
}

extension Instance {
    /// Stores a certificate that the database does not have. One of this CA, which its signature shows, can be revoked again;
    /// one that a published list has named is revoked from the start. One of another CA is stored beside, and no list of this
    /// CA ever names it. Audit event 788.
    ///
    /// - Throws: `RequestError` without the role of certificate manager; ``ServiceError`` with code `unreadable` (0x8007000D) for
    ///   what is no certificate, `exists` (0x80071392) for one that is stored, `notFound` (0x80092009) when no pending request
    ///   asks for its key; `ArchivalError` with code `foreignCertificate` (0x800B0107).
    package func importCertificate(
        _ order: CertificateImportOrder, by who: Principal
    ) async throws -> ImportedCertificate {
        try who.mustBeAllowed(.importCertificate, to: "import a certificate")
        let certificate: CertificateFields
        do {
            certificate = try CertificateFields(
                derEncoded: TextEncoding.decode(order.certificate, what: "certificate"))
        } catch { throw ServiceError.noCertificateToImport(ErrorReport(error).headline) }
        let own = try await self.storage.ownCertificates()
        guard !own.contains(where: { $0.fields.derBytes == certificate.derBytes }) else {
            throw ServiceError.certificateKnown(certificate)
        }
        guard let key = own.first(where: { certificate.isSigned(by: $0.fields.subjectPublicKeyInfo) }) else {
            return try await self.importForeign(certificate, order, by: who)
        }
        let answered = try await order.answersPending ? self.pendingRequest(for: certificate) : nil
        let row = ImportedRow(
            certificate: certificate, keyIndex: key.keyIndex, message: "Imported by \(who.name)", answered: answered)
        let now = self.surroundings.now()
        guard let requestID = try await self.storage.write({ try row.store(in: $0, at: now, by: who) }) else {
            throw ServiceError.certificateKnown(certificate)
        }
        return ImportedCertificate(requestID: requestID, serialNumber: certificate.serialHex, isForeign: false)
    }

    private func importForeign(
        _ certificate: CertificateFields, _ order: CertificateImportOrder, by who: Principal
    ) async throws -> ImportedCertificate {
        let operation = "import the certificate"
        let isAllowed = self.configuration.archival.allowsForeignCertificates
        guard isAllowed, order.isForced else {
            throw ArchivalError.foreignCertificate(certificate, isAllowed: isAllowed, operation: operation)
        }
        // What another CA has issued answers no request of this one.
        guard !order.answersPending else { throw ServiceError.noPendingRequest(certificate) }
        let now = self.surroundings.now()
        let requestID = try await self.storage.write { db in
            if let known = try db.certificate(serialNumber: certificate.serialHex) {
                throw known.certificateDER == certificate.derBytes
                    ? ServiceError.certificateKnown(certificate) : ArchivalError.serialNumberTaken(certificate)
            }
            return try db.insertForeign(certificate, at: now, by: who)
        }
        return ImportedCertificate(requestID: requestID, serialNumber: certificate.serialHex, isForeign: true)
    }

    /// The newest request that waits for a decision and asks for the certificate's key.
    private func pendingRequest(for certificate: CertificateFields) async throws -> Int64 {
        let key = certificate.subjectPublicKeyInfo
        let found = try await self.storage.read { db in
            try db.requests(with: .pending, limit: .max).first { row in
                // `try?`: what cannot be read asks for no key.
                (try? RequestMessage(derEncoded: row.rawRequest).certificationRequest.subjectPublicKeyInfo) == key
            }?.requestID
        }
        guard let found else { throw ServiceError.noPendingRequest(certificate) }
        return found
    }
}

extension ServiceError {
    /// - Parameter reason: why it could not be read.
    fileprivate static func noCertificateToImport(_ reason: String) -> ServiceError {
        ServiceError(
            code: .unreadable, headline: "What is to be imported is no certificate.", hresult: .invalidData,
            facts: [Fact("reason", reason)], advice: ["Name a file with one certificate, DER or PEM."])
    }

    fileprivate static func certificateKnown(_ certificate: CertificateFields) -> ServiceError {
        ServiceError(
            code: .exists, headline: "The database has this certificate.", hresult: .objectExists,
            facts: [Fact("serial number", certificate.serialHex)],
            advice: ["Look at it with `signet request list --serial`."])
    }

    fileprivate static func noPendingRequest(_ certificate: CertificateFields) -> ServiceError {
        ServiceError(
            code: .notFound, headline: "No pending request asks for the key of this certificate.", hresult: .noMatch,
            facts: [Fact("certificate", "\(certificate.subject), serial number \(certificate.serialHex)")],
            advice: ["Import it without a row: it gets one of its own."])
    }
}
