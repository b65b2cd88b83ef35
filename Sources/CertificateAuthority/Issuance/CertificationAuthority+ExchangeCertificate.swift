import Diagnostics
package import Foundation
package import KeyProvider
import PKIMessages
import X509

/// What an operator has decided about exchange certificates.
package struct ExchangeCertificateSettings: Sendable, Equatable {
    /// `nil`: the template's.
    package var validity: TemplatePeriod?
    /// `nil`: the template's.
    package var overlap: TemplatePeriod?
    /// Whether the template CAExchange must be among those that this CA issues from (`CRLF_USE_XCHG_CERT_TEMPLATE`).
    package var requiresTemplate: Bool

    package init(validity: TemplatePeriod? = nil, overlap: TemplatePeriod? = nil, requiresTemplate: Bool = false) {
        self.validity = validity
        self.overlap = overlap
        self.requiresTemplate = requiresTemplate
    }
}

extension CertificationAuthority {
    /// The template of exchange certificates: the enabled one, or the built-in extensions where there is none.
    ///
    /// - Throws: ``IssuanceError`` with code `exchangeTemplateMissing` (0x80094800) when there has to be one.
    package func exchangeTemplate(_ settings: ExchangeCertificateSettings) throws -> CertificateTemplate {
        let enabled = self.templates.template(named: BuiltInTemplates.caExchange.name)
        if enabled == nil, settings.requiresTemplate {
            throw IssuanceError.exchangeTemplateMissing(BuiltInTemplates.caExchange.name)
        }
        var template = enabled ?? BuiltInTemplates.caExchange
        template.validity = settings.validity ?? template.validity
        template.overlap = settings.overlap ?? template.overlap
        return template
    }

    /// Whether requesters can still be given this exchange certificate: it is valid, not revoked, signed by the key of the
    /// present CA certificate (which is what clients check), and does not end within the overlap.
    ///
    /// One that ends with the CA certificate itself is good to its end, because the next would end there, too.
    package func isCurrent(
        _ record: ExchangeCertificateRecord, overlap: TimeInterval, in storage: any StorageReading, at date: Date
    ) throws -> Bool {
        guard record.retiredWhen == nil, record.notBefore <= date, record.notAfter > date,
            let issued = try storage.certificate(forRequest: record.requestID), issued.revocation == nil,
            issued.caKeyIndex == self.currentSigner.keyIndex
        else { return false }
        let length = record.notAfter.timeIntervalSince(record.notBefore)
        return record.notAfter > date + min(overlap, length / 2)
            || record.notAfter >= self.caCertificate.notAfter.wholeSeconds
    }

    /// Issues a CA exchange certificate to this CA (protocols.md 1.8): its own name with the common name suffix
    /// `-Xchg`, one week, key encipherment, extended key usage 1.3.6.1.4.1.311.21.5.
    ///
    /// - Parameters:
    ///   - keyPair: an RSA key with the role ``KeyRole/exchange`` on a token.
    ///   - settings: what replaces the template's own.
    /// - Throws: ``IssuanceError``, what the token throws, ``StorageError``. The failure is recorded.
    package func issueExchangeCertificate(
        keyPair: TokenKeyPair, settings: ExchangeCertificateSettings = .init()
    ) async throws -> ExchangeCertificateRecord {
        let template = try self.exchangeTemplate(settings)
        let key = try SubjectPublicKeyInfo(derEncoded: keyPair.subjectPublicKeyInfo)
        guard key.isRSA, key.keySizeBits >= template.minimumKeyBits.rsa else {
            throw IssuanceError.unsuitableKey(
                "issue an exchange certificate",
                "the key is not RSA of at least \(template.minimumKeyBits.rsa) bits, and nobody could encrypt to it")
        }
        let request = RequestRecord(
            type: .internalRequest, rawRequest: [], attributes: "", requesterName: Principal.service.name,
            templateName: template.name, subject: DistinguishedNameText.text(of: self.exchangeName),
            submittedWhen: self.surroundings.now(), disposition: .active)
        return try await self.uninterrupted {
            try await self.issuing(request) { row in
                try await self.issueExchangeCertificate(template, key, locator: keyPair.locator, row: row)
            }
        }
    }

    private func issueExchangeCertificate(
        _ template: CertificateTemplate, _ key: SubjectPublicKeyInfo, locator: KeyLocator, row: RequestRecord
    ) async throws -> ExchangeCertificateRecord {
        let content = try attempting(.issuance) {
            let validity = try self.issuer.validity(
                of: template, now: self.surroundings.now(), configuration: self.configuration)
            return CertificateContent(
                template: template,
                subject: CertificateSubject(
                    subjectDER: try StrictDER.serialize(self.exchangeName), alternativeNames: [],
                    userPrincipalName: nil),
                subjectPublicKeyInfo: key, serialNumber: try self.serialNumber(for: row.requestID),
                notBefore: validity.notBefore, notAfter: validity.notAfter)
        }
        return try await self.issue(content, row: row) { db, certificate in
            let record = ExchangeCertificateRecord(
                requestID: row.requestID, certificateDER: certificate.derBytes, locator: locator,
                notBefore: certificate.notBefore, notAfter: certificate.notAfter)
            try db.insert(record)
            return record
        }
    }

    /// The CA's name with `-Xchg` after its most specific common name.
    private var exchangeName: DistinguishedName {
        let name = self.caCertificate.subject
        let commonName = DistinguishedNameText.commonName(of: name) ?? self.configuration.name
        let attribute = RelativeDistinguishedName.Attribute(
            type: .RDNAttributeType.commonName, utf8String: commonName + "-Xchg")
        let others = Array(name).filter { !$0.contains { $0.type == .RDNAttributeType.commonName } }
        let position = Array(name).lastIndex { $0.contains { $0.type == .RDNAttributeType.commonName } }
        guard let position else { return DistinguishedName(others + [RelativeDistinguishedName(attribute)]) }
        var parts = Array(name)
        parts[position] = RelativeDistinguishedName(
            parts[position].filter { $0.type != .RDNAttributeType.commonName } + [attribute])
        return DistinguishedName(parts)
    }
}
