import Diagnostics
import Foundation
import PKIMessages

extension CertificationAuthority {
    /// The link certificates that this CA could have and does not: none of a CA that is no root, or has one key.
    package func missingLinks() async throws -> [KeyLink] {
        let records = try await self.storage.read { try $0.caCertificates() }
        return KeyLink.missing(among: self.signers, records: records, at: self.surroundings.now())
    }

    /// Issues the link certificates that are missing after a root was renewed with a new key. Each is a request as any
    /// other: a row, intent before the signature, outcome and audit event after it, and it can be revoked.
    ///
    /// - Parameter issued: takes each when it is stored.
    /// - Throws: ``RequestError`` with code `accessDenied` without the role of administrator; what the token of the one
    ///   or the other key throws; ``StorageError``. The failure is recorded, and what was made before it stays.
    package func issueMissingLinks(
        by administrator: Principal, _ issued: (CACertificateRecord) async throws -> Void
    ) async throws {
        try administrator.mustBeAllowed(.manageCACertificates, to: "issue the link certificates of the CA's keys")
        for link in try await self.missingLinks() {
            try await issued(self.uninterrupted { try await self.issue(link, by: administrator) })
        }
    }

    private func issue(_ link: KeyLink, by administrator: Principal) async throws -> CACertificateRecord {
        var request = RequestRecord(
            type: .internalRequest, rawRequest: [], attributes: "", requesterName: administrator.name,
            templateName: link.template.name, subject: DistinguishedNameText.text(of: link.subject.subject),
            submittedWhen: self.surroundings.now(), disposition: .active)
        request.flags.insert(.caCrossCertificate)
        return try await self.issuing(request) { try await self.issue(link, row: $0) }
    }

    private func issue(_ link: KeyLink, row: RequestRecord) async throws -> CACertificateRecord {
        let content = try attempting(.issuance) {
            let span = link.validity(clockSkew: self.configuration.clockSkew, now: self.surroundings.now())
            var content = CertificateContent(
                template: link.template,
                subject: CertificateSubject(
                    subjectDER: link.subject.subjectDER, alternativeNames: [], userPrincipalName: nil),
                subjectPublicKeyInfo: link.subject.subjectPublicKeyInfo,
                serialNumber: try self.serialNumber(for: row.requestID, by: link.signer), notBefore: span.notBefore,
                notAfter: span.notAfter, carried: CACertificateExtensions.linking(link.subject))
            content.subjectKeyIdentifier =
                link.subject.subjectKeyIdentifier ?? link.subject.subjectPublicKeyInfo.keyIdentifier
            content.isLink = true
            return content
        }
        return try await self.issue(content, row: row, by: link.signer) { db, certificate in
            let record = CACertificateRecord(
                use: link.use, index: link.index, keyIndex: link.signer.keyIndex,
                certificateDER: certificate.derBytes, locator: nil)
            try db.insert(record)
            return record
        }
    }
}
