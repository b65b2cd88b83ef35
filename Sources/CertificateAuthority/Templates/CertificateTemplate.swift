/// What certificates of one kind look like and who gets them: a certificate template (MS-CRTD) with names instead of
/// flag bits. One YAML file each.
package struct CertificateTemplate: Sendable, Codable, Equatable {
    /// Where the subject comes from (MS-CRTD, `msPKI-Certificate-Name-Flag`).
    package enum SubjectSource: String, Sendable, Codable {
        /// As the request has it (CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT).
        case fromRequest = "from-request"
        /// Built from the authenticated requester; what the request says is ignored.
        case fromRequester = "from-requester"
    }

    /// Where the subject alternative names come from.
    package enum AlternativeNameSource: String, Sendable, Codable {
        case none
        /// DNS names, addresses, mail addresses and URIs of the request.
        case fromRequest = "from-request"
        /// The requester's user principal name.
        case userPrincipalName = "user-principal-name"
    }

    /// Whether the private key is archived (MS-CRTD, `msPKI-Private-Key-Flag`, CT_FLAG_REQUIRE_PRIVATE_KEY_ARCHIVAL).
    package enum KeyArchival: String, Sendable, Codable {
        case none
        case required
    }

    /// The smallest public key, in bits.
    package struct MinimumKeyBits: Sendable, Codable, Equatable {
        package var rsa: Int
        /// Elliptic curves: the field's size.
        package var ec: Int

        package init(rsa: Int = 2048, ec: Int = 256) {
            self.rsa = rsa
            self.ec = ec
        }
    }

    /// Present for templates of CA certificates.
    package struct CertificationAuthorityConstraints: Sendable, Codable, Equatable {
        /// `nil` for no limit.
        package var pathLength: Int?

        package init(pathLength: Int?) {
            self.pathLength = pathLength
        }
    }

    /// Who has an account and may enrol at the CA, as an entry of ``enrollableBy``.
    package static let anybodyAuthenticated = "authenticated"

    /// The short name by which requests ask for it, such as `WebServer`. Compared without regard to case.
    package var name: String
    package var displayName: String
    /// Its object identifier, in dots.
    package var oid: String
    /// 1 puts the name into the certificate (1.3.6.1.4.1.311.20.2), 2 the identifier with its version (311.21.7).
    package var schemaVersion: Int
    package var majorVersion: Int
    package var minorVersion: Int
    package var validity: TemplatePeriod
    /// A CA whose certificate lasts shorter than this does not issue (0x80094814).
    package var overlap: TemplatePeriod
    package var minimumKeyBits: MinimumKeyBits
    package var keyUsage: [KeyUsageBit]
    package var keyUsageCritical: Bool
    package var extendedKeyUsages: [ExtendedKeyPurpose]
    /// `nil` for end-entity certificates.
    package var certificationAuthority: CertificationAuthorityConstraints?
    package var subject: SubjectSource
    package var subjectAlternativeName: AlternativeNameSource
    /// Every request waits for a certificate manager (CT_FLAG_PEND_ALL_REQUESTS).
    package var pendAll: Bool
    package var archival: KeyArchival
    /// Names of roles or of users, or ``anybodyAuthenticated``; nobody when empty.
    package var enrollableBy: [String]

    package init(
        name: String, displayName: String, oid: String, schemaVersion: Int = 2, majorVersion: Int = 100,
        minorVersion: Int = 0, validity: TemplatePeriod, overlap: TemplatePeriod = .weeks(6),
        minimumKeyBits: MinimumKeyBits = MinimumKeyBits(), keyUsage: [KeyUsageBit], keyUsageCritical: Bool = true,
        extendedKeyUsages: [ExtendedKeyPurpose] = [],
        certificationAuthority: CertificationAuthorityConstraints? = nil, subject: SubjectSource,
        subjectAlternativeName: AlternativeNameSource = .none, pendAll: Bool = false, archival: KeyArchival = .none,
        enrollableBy: [String] = [CertificateTemplate.anybodyAuthenticated]
    ) {
        self.name = name
        self.displayName = displayName
        self.oid = oid
        self.schemaVersion = schemaVersion
        self.majorVersion = majorVersion
        self.minorVersion = minorVersion
        self.validity = validity
        self.overlap = overlap
        self.minimumKeyBits = minimumKeyBits
        self.keyUsage = keyUsage
        self.keyUsageCritical = keyUsageCritical
        self.extendedKeyUsages = extendedKeyUsages
        self.certificationAuthority = certificationAuthority
        self.subject = subject
        self.subjectAlternativeName = subjectAlternativeName
        self.pendAll = pendAll
        self.archival = archival
        self.enrollableBy = enrollableBy
    }

    /// True when the template lets that caller enrol.
    package func isEnrollable(by principal: Principal) -> Bool {
        self.enrollableBy.contains { entry in
            if entry == CertificateTemplate.anybodyAuthenticated { return true }
            if let role = Role(rawValue: entry) { return principal.roles.contains(role) }
            return entry == principal.name
        }
    }
}
