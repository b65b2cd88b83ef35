import Foundation
import PKIMessages
import SwiftASN1
import X509

/// Everything that a certificate will say, decided and not yet encoded.
struct CertificateContent: Sendable {
    @Boxed var template: CertificateTemplate
    var subject: CertificateSubject
    var subjectPublicKeyInfo: SubjectPublicKeyInfo
    /// Content octets of the INTEGER.
    var serialNumber: [UInt8]
    var notBefore: Date
    var notAfter: Date
    /// Extensions as the request has them.
    var carried: [Certificate.Extension] = []
    /// What a certificate manager has set on the request: each stands in the place of the template's.
    var managerExtensions: [RequestExtension] = []
    /// Which list names the certificate when it is revoked.
    var crlShard = 0
    /// How the subject names its key when that is not the usual hash: another CA's.
    var subjectKeyIdentifier: [UInt8]?
    /// Whether it ties two keys of this CA together (``KeyLink``); no other certificate may have the CA's name.
    var isLink = false
    /// The name in the request as it was read, which mostly is the certificate's.
    var requestName: NameWithBytes?

    /// The subject key identifier of the certificate.
    var keyIdentifier: [UInt8] { self.subjectKeyIdentifier ?? self.subjectPublicKeyInfo.keyIdentifier }

    /// The usages that the key can have: one that cannot encrypt gets none that needs it (RFC 8813, section 3).
    var keyUsage: [KeyUsageBit] {
        self.subjectPublicKeyInfo.isRSA
            ? self.template.keyUsage : self.template.keyUsage.filter { !$0.needsEncryptingKey }
    }
}

/// The certification authority as an issuer: what of it goes into certificates.
struct CertificateIssuer: Sendable {
    let certificate: CertificateFields
    let certificateIndex: Int
    let keyIndex: Int
    let signatureAlgorithm: SignatureAlgorithmIdentifier
    /// Where the CRLs are, by shard, 0 for none; with the tokens filled in.
    let crlURLs: [[String]]
    /// Where the delta CRLs are that certificates name, by shard.
    let freshestURLs: [[String]]
    let caIssuerURLs: [String]
    /// The same for every certificate, and encoded once.
    private let authorityKeyIdentifier: Certificate.Extension
    /// Distribution points and access information, by shard.
    private let placeExtensions: [[Certificate.Extension]]
    private let prepared = PreparedExtensions()

    init(
        certificate: CertificateFields, certificateIndex: Int, keyIndex: Int,
        signatureAlgorithm: SignatureAlgorithmIdentifier, configuration: CAConfiguration
    ) throws {
        func expanded(_ patterns: [String], shard: Int = 0, isDelta: Bool = false) throws -> [String] {
            try patterns.map {
                try PublicationURL.expand(
                    $0,
                    PublicationURL.Values(
                        configuration, certificateIndex: certificateIndex, keyIndex: keyIndex, isDelta: isDelta,
                        shard: shard))
            }
        }
        let revocation = configuration.revocation
        let namesFreshest = revocation.deltaPeriod != nil && revocation.freshestInCertificates
        self.certificate = certificate
        self.certificateIndex = certificateIndex
        self.keyIndex = keyIndex
        self.signatureAlgorithm = signatureAlgorithm
        self.crlURLs = try (0...revocation.shards).map { try expanded(configuration.crlURLs, shard: $0) }
        self.freshestURLs = try (0...revocation.shards).map {
            namesFreshest ? try expanded(revocation.freshestURLs, shard: $0, isDelta: true) : []
        }
        self.caIssuerURLs = try expanded(configuration.caIssuerURLs)
        let keyIdentifier = certificate.subjectKeyIdentifier ?? certificate.subjectPublicKeyInfo.keyIdentifier
        self.authorityKeyIdentifier = try ExtensionEncoding.authorityKeyIdentifier(keyIdentifier)
        let issuerURLs = self.caIssuerURLs
        self.placeExtensions = try zip(self.crlURLs, self.freshestURLs).map { crlURLs, freshestURLs in
            var extensions: [Certificate.Extension] = []
            if !crlURLs.isEmpty { extensions.append(try ExtensionEncoding.crlDistributionPoints(crlURLs)) }
            if !freshestURLs.isEmpty { extensions.append(try ExtensionEncoding.freshestCRL(freshestURLs)) }
            if !issuerURLs.isEmpty {
                extensions.append(
                    try ExtensionEncoding.authorityInformationAccess(caIssuers: issuerURLs, ocsp: []))
            }
            // Read back here, once, so that a certificate with these very bytes says these very places.
            let written = ExtensionDecoding(extensions)
            guard try written.crlDistributionPointURLs() == crlURLs, try written.freshestCRLURLs() == freshestURLs
            else {
                throw IssuanceError.unexpected("the distribution points are not encoded as they are configured")
            }
            return extensions
        }
    }

    /// Whether extensions name the places of a shard's lists, and no others.
    func namesLists(ofShard shard: Int, _ extensions: ExtensionDecoding) throws -> Bool {
        let own = ExtensionDecoding(self.placeExtensions[shard])
        if extensions[OID.crlDistributionPoints] == own[OID.crlDistributionPoints],
            extensions[OID.freshestCRL] == own[OID.freshestCRL]
        {
            return true
        }
        return try extensions.crlDistributionPointURLs() == self.crlURLs[shard]
            && extensions.freshestCRLURLs() == self.freshestURLs[shard]
    }

    /// The key identifier that certificates and CRLs refer to.
    var keyIdentifier: [UInt8] {
        self.certificate.subjectKeyIdentifier ?? self.certificate.subjectPublicKeyInfo.keyIdentifier
    }

    /// 1.3.6.1.4.1.311.21.1: certificate index in the low, key index in the high 16 bits.
    var caVersion: Int { self.keyIndex << 16 | self.certificateIndex }

    /// From now less the skew to the earliest of template, CA certificate, the CA's own limit and `limit`, in whole
    /// seconds.
    ///
    /// - Throws: ``IssuanceError`` with code `caCertificateExpired`.
    func validity(
        of template: CertificateTemplate, now: Date, configuration: CAConfiguration, limit: Date? = nil
    ) throws -> (notBefore: Date, notAfter: Date) {
        guard now >= self.certificate.notBefore, now < self.certificate.notAfter else {
            throw IssuanceError.caCertificateExpired(notAfter: "\(self.certificate.notAfter)")
        }
        let start = max(now.addingTimeInterval(-configuration.clockSkew), self.certificate.notBefore)
        let length = min(template.validity.timeInterval, configuration.maximumValidity)
        let end = min(now.addingTimeInterval(length), self.certificate.notAfter, limit ?? .distantFuture)
        return (start.wholeSeconds, end.wholeSeconds)
    }

    func toBeSigned(_ content: CertificateContent) throws -> TBSCertificate {
        TBSCertificate(
            serialNumber: content.serialNumber, signatureAlgorithm: self.signatureAlgorithm,
            issuerDER: self.certificate.subjectDER, notBefore: content.notBefore, notAfter: content.notAfter,
            subjectDER: content.subject.subjectDER, subjectPublicKeyInfo: content.subjectPublicKeyInfo,
            extensions: try self.extensions(of: content))
    }

    /// In the order of the CA exchange certificates that Windows makes (protocols.md 1.8); what the request brought last.
    func extensions(of content: CertificateContent) throws -> [Certificate.Extension] {
        let template = content.template
        let carried = Set(content.carried.map(\.oid))
        var extensions = [
            try ExtensionEncoding.subjectKeyIdentifier(content.keyIdentifier),
            self.authorityKeyIdentifier,
        ]
        if let authority = template.certificationAuthority {
            extensions += [
                try ExtensionEncoding.basicConstraints(isCA: true, pathLength: authority.pathLength)
            ]
        }
        extensions += self.placeExtensions[content.crlShard]
        extensions += try self.prepared.extensions(of: template, keyUsage: content.keyUsage) {
            try self.templateExtensions(template) + self.usageExtensions(content)
        }
        if !content.subject.alternativeNames.isEmpty {
            extensions.append(
                // Critical when there is no other name (RFC 5280, section 4.2.1.6).
                try ExtensionEncoding.subjectAlternativeName(
                    content.subject.alternativeNames, critical: content.subject.isEmpty))
        }
        return try content.managerExtensions.applied(
            to: extensions.filter { !carried.contains($0.oid) } + content.carried)
    }

    private func usageExtensions(_ content: CertificateContent) throws -> [Certificate.Extension] {
        let template = content.template
        let critical = template.criticalExtensions
        var extensions: [Certificate.Extension] = []
        let purposes = template.extendedKeyUsages.map(\.oid)
        if !purposes.isEmpty {
            extensions.append(
                try ExtensionEncoding.extendedKeyUsage(purposes, critical: critical.contains(.extendedKeyUsage)))
        }
        if !content.keyUsage.isEmpty {
            extensions.append(
                try ExtensionEncoding.keyUsage(KeyUsage(content.keyUsage), critical: critical.contains(.keyUsage)))
        }
        let policies = template.statedApplicationPolicies.map(\.oid)
        if !policies.isEmpty {
            var found = try ExtensionEncoding.applicationPolicies(policies)
            found.critical = critical.contains(.applicationPolicies)
            extensions.append(found)
        }
        if !template.issuancePolicies.isEmpty {
            extensions.append(
                try ExtensionEncoding.certificatePolicies(
                    template.issuancePolicies.map { policy in
                        guard let oid = ObjectIdentifierText.parse(policy.oid) else {
                            throw IssuanceError.invalidConfiguration(
                                "template \(template.name)", "\(policy.oid) is no object identifier")
                        }
                        return PolicyStatement(oid: oid, cps: policy.cps, notice: policy.notice)
                    }, critical: critical.contains(.certificatePolicies)))
        }
        return extensions
    }

    /// The name for version 1, the identifier for later ones, both where the template says so, none for requests that
    /// were decided without a template.
    private func templateExtensions(_ template: CertificateTemplate) throws -> [Certificate.Extension] {
        guard template.schemaVersion > 0 else { return [] }
        guard template.schemaVersion > 1 else { return [try ExtensionEncoding.microsoftTemplateName(template.name)] }
        guard let oid = ObjectIdentifierText.parse(template.oid) else {
            throw IssuanceError.invalidConfiguration("template \(template.name)", "its oid is no object identifier")
        }
        return try (template.addsTemplateName ? [ExtensionEncoding.microsoftTemplateName(template.name)] : []) + [
            ExtensionEncoding.microsoftTemplate(oid, major: template.majorVersion, minor: template.minorVersion)
        ]
    }
}

extension KeyUsage {
    init(_ bits: [KeyUsageBit]) {
        self.init(
            digitalSignature: bits.contains(.digitalSignature), nonRepudiation: bits.contains(.nonRepudiation),
            keyEncipherment: bits.contains(.keyEncipherment), dataEncipherment: bits.contains(.dataEncipherment),
            keyAgreement: bits.contains(.keyAgreement), keyCertSign: bits.contains(.keyCertSign),
            cRLSign: bits.contains(.cRLSign))
    }
}

extension Date {
    /// Cut to the second, as certificates and CRLs say it.
    var wholeSeconds: Date { Date(timeIntervalSince1970: self.timeIntervalSince1970.rounded(.down)) }
}
