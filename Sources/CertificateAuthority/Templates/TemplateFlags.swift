/// The four flag words of a template (MS-CRTD, sections 2.4, 2.26, 2.27 and 2.28), in one table for both directions.
struct TemplateFlags: Equatable {
    var general: UInt32 = 0
    var enrollment: UInt32 = 0
    var privateKey: UInt32 = 0
    var name: UInt32 = 0

    /// A flag that is a setting of its own.
    struct Flag: Sendable {
        let word: any WritableKeyPath<TemplateFlags, UInt32> & Sendable
        let bit: UInt32
        let setting: any WritableKeyPath<CertificateTemplate, Bool> & Sendable

        init(
            _ word: any WritableKeyPath<TemplateFlags, UInt32> & Sendable, _ bit: UInt32,
            _ setting: any WritableKeyPath<CertificateTemplate, Bool> & Sendable
        ) {
            self.word = word
            self.bit = bit
            self.setting = setting
        }
    }

    static let flags: [Flag] = [
        Flag(\.general, 0x20, \.autoenrollment), Flag(\.general, 0x40, \.machine),
        Flag(\.general, 0x200, \.addsTemplateName), Flag(\.general, 0x800, \.crossCertification),
        Flag(\.enrollment, 0x1, \.smimeCapabilities), Flag(\.enrollment, 0x2, \.pendAll),
        Flag(\.enrollment, 0x4, \.publication.keyRecoveryAgents), Flag(\.enrollment, 0x8, \.publication.requester),
        Flag(\.enrollment, 0x10, \.client.checksDirectory), Flag(\.enrollment, 0x20, \.autoenrollment),
        Flag(\.enrollment, 0x40, \.previousApprovalSuffices), Flag(\.enrollment, 0x100, \.client.userInteraction),
        Flag(\.enrollment, 0x400, \.client.removesInvalid), Flag(\.enrollment, 0x800, \.onBehalfOf),
        Flag(\.privateKey, 0x10, \.client.exportableKey), Flag(\.privateKey, 0x20, \.client.strongKeyProtection),
        Flag(\.privateKey, 0x40, \.client.alternateSignatureAlgorithm), Flag(\.privateKey, 0x80, \.sameKeyRenewal),
        Flag(\.name, 0x8, \.renewalKeepsNames),
    ]

    static let isCA: UInt32 = 0x80
    static let archives: UInt32 = 0x1
    /// "Is default" and "is modified", which say how Windows came by the template, and never-persist, which is not
    /// followed: every certificate is in the database.
    static let ignoredGeneral: UInt32 = 0x1_0000 | 0x2_0000 | 0x1000

    static let subjectFromRequest: UInt32 = 0x1
    static let subjectParts: [(UInt32, SubjectRule.Part)] = [
        (0x8000_0000, .directoryPath), (0x4000_0000, .commonName), (0x1000_0000, .dnsName), (0x2000_0000, .email),
    ]
    static let alternativeParts: [(UInt32, AlternativeNameRule.Part)] = [
        (0x1_0000, .fromRequest), (0x200_0000, .userPrincipalName), (0x400_0000, .email), (0x800_0000, .dnsName),
        (0x80_0000, .servicePrincipalName), (0x100_0000, .directoryGUID), (0x40_0000, .domainDNSName),
    ]

    init() {}

    init(_ template: CertificateTemplate) {
        for flag in TemplateFlags.flags where template[keyPath: flag.setting] { self[keyPath: flag.word] |= flag.bit }
        if template.certificationAuthority != nil { self.general |= TemplateFlags.isCA }
        if template.archival == .required { self.privateKey |= TemplateFlags.archives }
        switch template.subject {
        case .fromRequest: self.name |= TemplateFlags.subjectFromRequest
        case .built(let parts):
            for (bit, part) in TemplateFlags.subjectParts where parts.contains(part) { self.name |= bit }
        }
        for (bit, part) in TemplateFlags.alternativeParts where template.subjectAlternativeName.contains(part) {
            self.name |= bit
        }
    }

    func apply(to template: inout CertificateTemplate) {
        // Two flags mean autoenrolment; either sets it.
        for flag in TemplateFlags.flags { template[keyPath: flag.setting] = false }
        for flag in TemplateFlags.flags where self[keyPath: flag.word] & flag.bit != 0 {
            template[keyPath: flag.setting] = true
        }
        template.archival = self.privateKey & TemplateFlags.archives != 0 ? .required : .none
        if self.name & TemplateFlags.subjectFromRequest != 0 {
            template.subject = .fromRequest
        } else {
            template.subject = .built(TemplateFlags.subjectParts.filter { self.name & $0.0 != 0 }.map(\.1))
        }
        template.subjectAlternativeName = AlternativeNameRule(
            TemplateFlags.alternativeParts.filter { self.name & $0.0 != 0 }.map(\.1))
        // Who may choose the subject may choose the other names with it.
        if template.subject == .fromRequest, template.subjectAlternativeName == .none {
            template.subjectAlternativeName = .fromRequest
        }
    }

    /// Bits that mean nothing here, as texts.
    var unknown: [String] {
        func rest(_ word: WritableKeyPath<TemplateFlags, UInt32>, _ name: String, known: UInt32) -> String? {
            let bits =
                self[keyPath: word] & ~TemplateFlags.flags.filter { $0.word == word }.reduce(known) { $0 | $1.bit }
            return bits == 0 ? nil : "\(name) 0x\(String(bits, radix: 16))"
        }
        let names =
            TemplateFlags.subjectParts.reduce(0) { $0 | $1.0 } | TemplateFlags.alternativeParts.reduce(0) { $0 | $1.0 }
        return [
            rest(\.general, "flags", known: TemplateFlags.isCA | TemplateFlags.ignoredGeneral),
            rest(\.enrollment, "msPKI-Enrollment-Flag", known: 0),
            rest(\.privateKey, "msPKI-Private-Key-Flag", known: TemplateFlags.archives),
            rest(\.name, "msPKI-Certificate-Name-Flag", known: TemplateFlags.subjectFromRequest | names),
        ].compactMap { $0 }
    }
}
