/// What certificates of one kind look like and who gets them: a certificate template (MS-CRTD) with names instead of
/// flag bits. One YAML file each; docs/templates.md explains every setting.
package struct CertificateTemplate: Sendable, Equatable, Encodable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, displayName, oid, schemaVersion, majorVersion, minorVersion, validity, overlap, supersedes, subject
        case subjectAlternativeName, renewalKeepsNames, keyAlgorithms, minimumKeyBits, hashAlgorithms, keyUsage
        case extendedKeyUsages, applicationPolicies, issuancePolicies, criticalExtensions, certificationAuthority
        case crossCertification, smimeCapabilities, addsTemplateName, machine, pendAll, previousApprovalSuffices
        case requiredSignatures, onBehalfOf, sameKeyRenewal, archival, autoenrollment, publication, client, permissions
    }

    /// The short name by which requests ask for it, such as `WebServer`. Compared without regard to case.
    package var name: String
    package var displayName: String
    /// Its object identifier, in dots.
    package var oid: String
    /// 1 puts the name into the certificate (1.3.6.1.4.1.311.20.2), a later one the identifier with its version (311.21.7).
    package var schemaVersion: Int
    package var majorVersion: Int
    package var minorVersion: Int

    package var validity: TemplatePeriod
    /// How long before the end renewal begins. A CA whose certificate lasts shorter than this does not issue (0x80094814).
    package var overlap: TemplatePeriod
    /// Names of templates that this one takes the place of (`msPKI-Supersede-Templates`).
    package var supersedes: [String]

    package var subject: SubjectRule
    package var subjectAlternativeName: AlternativeNameRule
    /// A renewal gets the names of the certificate that it replaces (CT_FLAG_OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME).
    package var renewalKeepsNames: Bool

    /// Kinds of key; any when empty.
    package var keyAlgorithms: [PublicKeyKind]
    package var minimumKeyBits: MinimumKeyBits
    /// Hashes with which the request may be signed; any when empty.
    package var hashAlgorithms: [RequestHash]

    package var keyUsage: [KeyUsageBit]
    package var extendedKeyUsages: [ExtendedKeyPurpose]
    /// 1.3.6.1.4.1.311.21.10; the extended key usages when `nil`.
    package var applicationPolicies: [ExtendedKeyPurpose]?
    package var issuancePolicies: [IssuancePolicy]
    /// Which of the extensions that the template makes are critical (`pKICriticalExtensions`).
    package var criticalExtensions: [CertificateExtensionName]
    /// `nil` for end-entity certificates (CT_FLAG_IS_CA).
    package var certificationAuthority: CertificationAuthorityConstraints?
    /// Constraints and mappings that the request asks for go into the certificate (CT_FLAG_IS_CROSS_CA).
    package var crossCertification: Bool
    /// S/MIME capabilities that the request asks for go into the certificate (CT_FLAG_INCLUDE_SYMMETRIC_ALGORITHMS).
    package var smimeCapabilities: Bool
    /// The name extension 311.20.2 also beside 311.21.7 (CT_FLAG_ADD_TEMPLATE_NAME).
    package var addsTemplateName: Bool
    /// For computers and services (CT_FLAG_MACHINE_TYPE).
    package var machine: Bool

    /// Every request waits for a certificate manager (CT_FLAG_PEND_ALL_REQUESTS).
    package var pendAll: Bool
    /// A renewal signed by a valid certificate of this template needs neither signatures nor a manager again
    /// (CT_FLAG_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT).
    package var previousApprovalSuffices: Bool
    package var requiredSignatures: RequiredSignatures
    /// An enrolment agent may ask for somebody else (CT_FLAG_ALLOW_ENROLL_ON_BEHALF_OF).
    package var onBehalfOf: Bool
    /// A renewal must have the key of the certificate that it replaces (CT_FLAG_REQUIRE_SAME_KEY_RENEWAL).
    package var sameKeyRenewal: Bool
    package var archival: KeyArchival
    /// Programs may ask without their user's doing (CT_FLAG_AUTO_ENROLLMENT).
    package var autoenrollment: Bool

    package var publication: DirectoryPublication
    package var client: ClientSettings
    /// Who may do what; nobody may anything when empty.
    package var permissions: [TemplatePermission]

    package init(
        name: String, displayName: String, oid: String, schemaVersion: Int = 2, majorVersion: Int = 100,
        minorVersion: Int = 0, validity: TemplatePeriod, overlap: TemplatePeriod = .weeks(6), supersedes: [String] = [],
        subject: SubjectRule, subjectAlternativeName: AlternativeNameRule = .none, renewalKeepsNames: Bool = false,
        keyAlgorithms: [PublicKeyKind] = [], minimumKeyBits: MinimumKeyBits = MinimumKeyBits(),
        hashAlgorithms: [RequestHash] = [], keyUsage: [KeyUsageBit], extendedKeyUsages: [ExtendedKeyPurpose] = [],
        applicationPolicies: [ExtendedKeyPurpose]? = nil, issuancePolicies: [IssuancePolicy] = [],
        criticalExtensions: [CertificateExtensionName] = [.keyUsage],
        certificationAuthority: CertificationAuthorityConstraints? = nil, crossCertification: Bool = false,
        smimeCapabilities: Bool = false, addsTemplateName: Bool = false, machine: Bool = false, pendAll: Bool = false,
        previousApprovalSuffices: Bool = false, requiredSignatures: RequiredSignatures = RequiredSignatures(),
        onBehalfOf: Bool = false, sameKeyRenewal: Bool = false, archival: KeyArchival = .none,
        autoenrollment: Bool = false, publication: DirectoryPublication = DirectoryPublication(),
        client: ClientSettings = ClientSettings(),
        permissions: [TemplatePermission] = [TemplatePermission(TemplatePermission.anybodyAuthenticated)]
    ) {
        self.name = name
        self.displayName = displayName
        self.oid = oid
        self.schemaVersion = schemaVersion
        self.majorVersion = majorVersion
        self.minorVersion = minorVersion
        self.validity = validity
        self.overlap = overlap
        self.supersedes = supersedes
        self.subject = subject
        self.subjectAlternativeName = subjectAlternativeName
        self.renewalKeepsNames = renewalKeepsNames
        self.keyAlgorithms = keyAlgorithms
        self.minimumKeyBits = minimumKeyBits
        self.hashAlgorithms = hashAlgorithms
        self.keyUsage = keyUsage
        self.extendedKeyUsages = extendedKeyUsages
        self.applicationPolicies = applicationPolicies
        self.issuancePolicies = issuancePolicies
        self.criticalExtensions = criticalExtensions
        self.certificationAuthority = certificationAuthority
        self.crossCertification = crossCertification
        self.smimeCapabilities = smimeCapabilities
        self.addsTemplateName = addsTemplateName
        self.machine = machine
        self.pendAll = pendAll
        self.previousApprovalSuffices = previousApprovalSuffices
        self.requiredSignatures = requiredSignatures
        self.onBehalfOf = onBehalfOf
        self.sameKeyRenewal = sameKeyRenewal
        self.archival = archival
        self.autoenrollment = autoenrollment
        self.publication = publication
        self.client = client
        self.permissions = permissions
    }

    /// What stands in 311.21.10.
    package var statedApplicationPolicies: [ExtendedKeyPurpose] { self.applicationPolicies ?? self.extendedKeyUsages }

    /// True when private keys are archived. A key that only signs never is: nobody but its owner may have it
    /// (Windows Server 2003, "Certificate Templates Troubleshooting").
    package var archivesKeys: Bool { self.archival == .required && !self.isForSignaturesOnly }

    /// True when the key usage names signatures and nothing for which a key encrypts or agrees.
    package var isForSignaturesOnly: Bool {
        let encrypting: Set<KeyUsageBit> = [.keyEncipherment, .dataEncipherment, .keyAgreement]
        return !self.keyUsage.isEmpty && encrypting.isDisjoint(with: self.keyUsage)
    }
}
