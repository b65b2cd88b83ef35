import Foundation
import PKIMessages

/// The rules of an enterprise CA (protocols.md 5.2): the template decides.
package struct EnterprisePolicy: PolicyModule {
    private let disposition: PolicySettings.RequestDisposition

    package init(disposition: PolicySettings.RequestDisposition = .issue) {
        self.disposition = disposition
    }

    package var isImmediate: Bool { true }

    package func evaluate(_ question: PolicyQuestion) async throws -> PolicyVerdict {
        try self.evaluateNow(question)
    }

    func evaluateNow(_ question: PolicyQuestion) throws -> PolicyVerdict {
        if let refusal = EnterprisePolicy.refusal(of: question) { return .deny(refusal) }
        if question.template.pendAll, !question.isApprovedBefore { return .pend }
        switch self.disposition {
        case .issue: return .issue
        case .pend: return .pend
        case .deny: return .deny(.deniedByDefault())
        }
    }

    /// In the order of MS-WCCE: rights, signatures, archival, key, lifetime.
    private static func refusal(of question: PolicyQuestion) -> PolicyError? {
        let template = question.template
        let subject = question.onBehalfOf ?? question.caller
        guard template.allows(.enroll, to: subject) else { return .templateDenied(template, subject) }
        if question.isAutoenrollment, !template.autoenrollment || !template.allows(.autoenroll, to: subject) {
            return .templateDenied(template, subject)
        }
        return SignatureRequirement(question).refusal ?? self.refusalOfKey(question)
            ?? self.refusalOfLifetime(question)
    }

    private static func refusalOfKey(_ question: PolicyQuestion) -> PolicyError? {
        let template = question.template
        let key = question.subjectPublicKeyInfo
        switch (template.archivesKeys, question.carriesPrivateKey) {
        case (true, false): return .archivedKeyRequired(template)
        case (false, true): return .archivedKeyUnexpected(template)
        case (true, true), (false, false): break
        }
        let kind = CertificateTemplate.PublicKeyKind(key)
        if !template.keyAlgorithms.isEmpty, !template.keyAlgorithms.contains(where: { $0 == kind }) {
            return .keyNotAllowed(kind?.rawValue ?? "\(key.algorithm)", template)
        }
        if !template.hashAlgorithms.isEmpty, let digest = question.requestDigest,
            !template.hashAlgorithms.contains(.init(digest))
        {
            return .hashNotAllowed(CertificateTemplate.RequestHash(digest).rawValue, template)
        }
        let minimum = key.isRSA ? template.minimumKeyBits.rsa : template.minimumKeyBits.ec
        guard key.keySizeBits >= minimum else {
            return .keyTooShort(bits: key.keySizeBits, minimum: minimum, template)
        }
        if !key.isRSA, !template.keyUsage.isEmpty, template.keyUsage.allSatisfy(\.needsEncryptingKey) {
            return .unsuitableKey("template \(template.name) is for key encipherment, and the key cannot encrypt")
        }
        if template.sameKeyRenewal, let renewed = question.renewedCertificate, renewed.subjectPublicKeyInfo != key {
            return .renewalKey(template)
        }
        return nil
    }

    /// Certificates that would have to be renewed at once are not issued.
    private static func refusalOfLifetime(_ question: PolicyQuestion) -> PolicyError? {
        let template = question.template
        let remaining = question.caNotAfter.timeIntervalSince(question.now)
        return min(remaining, template.validity.timeInterval) >= template.overlap.timeInterval
            ? nil : .overlapTooLong(template)
    }
}

extension PolicyQuestion {
    /// A renewal by a certificate of the same template, or of one that it supersedes, where the template says that the
    /// earlier approval suffices.
    var isApprovedBefore: Bool {
        guard self.template.previousApprovalSuffices, let renewed = self.renewedCertificate else { return false }
        // `try?`: a certificate whose template cannot be read was not issued by this template.
        let extensions = ExtensionDecoding(renewed.extensions)
        let identifier = ((try? extensions.microsoftTemplate()) ?? nil).map { ObjectIdentifierText.text(of: $0.oid) }
        let name = ((try? extensions.microsoftTemplateName()) ?? nil)?.lowercased()
        return identifier == self.template.oid
            || ([self.template.name] + self.template.supersedes).contains { $0.lowercased() == name }
            || identifier.map(self.supersededIdentifiers.contains) ?? false
    }
}
