import Diagnostics
package import Foundation
import PKIMessages

extension CertificationAuthority {
    /// Certifies another CA within limits: path length, names, policies (qualified subordination), by the template
    /// `CrossCA`.
    ///
    /// - Parameters:
    ///   - limits: what the other CA may do. Where its CRL is and what issued it stand in its own certificate, so that
    ///     addresses of CRL and issuer are not taken from here.
    ///   - validity: in seconds; at most the template's.
    /// - Returns: an issued result.
    /// - Throws: ``RequestError`` with code `accessDenied` without the role of administrator; ``IssuanceError``; what the
    ///   token throws; ``StorageError``. The failure is recorded.
    package func crossCertify(
        _ other: CrossCertificationSubject, limits: CACertificateSettings, validity: TimeInterval? = nil,
        by administrator: Principal
    ) async throws -> EnrollmentResult {
        try administrator.mustBeAllowed(.manageCACertificates, to: "certify another certification authority")
        var template = self.templates.template(named: BuiltInTemplates.crossCA.name) ?? BuiltInTemplates.crossCA
        template.certificationAuthority = .init(pathLength: limits.pathLength)
        template.extendedKeyUsages = limits.extendedKeyUsages.values.map { ExtendedKeyPurpose(oid: $0) }
        let request = RequestRecord(
            type: other.type, rawRequest: other.bytes, attributes: "", requesterName: administrator.name,
            templateName: template.name, subject: DistinguishedNameText.text(of: other.subject),
            submittedWhen: self.surroundings.now(), disposition: .active)
        return try await self.uninterrupted { [template] in
            try await self.issuing(request) { row in
                try await self.issueCrossCertificate(
                    other, template: template, limits: limits, validity: validity, row: row)
            }
        }
    }

    private func issueCrossCertificate(
        _ other: CrossCertificationSubject, template: CertificateTemplate, limits: CACertificateSettings,
        validity: TimeInterval?, row: RequestRecord
    ) async throws -> EnrollmentResult {
        let content = try attempting(.issuance) {
            let now = self.surroundings.now()
            let span = try self.issuer.validity(
                of: template, now: now, configuration: self.configuration,
                limit: validity.map { now.addingTimeInterval($0) })
            var content = CertificateContent(
                template: template,
                subject: CertificateSubject(
                    subjectDER: other.subjectDER, alternativeNames: [], userPrincipalName: nil),
                subjectPublicKeyInfo: other.subjectPublicKeyInfo,
                serialNumber: try self.serialNumber(for: row.requestID), notBefore: span.notBefore,
                notAfter: span.notAfter, carried: try other.carried + limits.limits())
            content.subjectKeyIdentifier = other.subjectKeyIdentifier
            return content
        }
        let certificate = try await self.issue(content, row: row) { _, certificate in certificate.derBytes }
        return EnrollmentResult(row.with(.issued, .ok, "Issued"), certificateDER: certificate)
    }
}
