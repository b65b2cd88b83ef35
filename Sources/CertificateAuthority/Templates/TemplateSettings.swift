package import PKIMessages

extension CertificateTemplate {
    /// Whether the private key is archived (MS-CRTD, `msPKI-Private-Key-Flag`, CT_FLAG_REQUIRE_PRIVATE_KEY_ARCHIVAL).
    package enum KeyArchival: String, Sendable, Codable {
        case none
        case required
    }

    /// The smallest public key, in bits (`msPKI-Minimal-Key-Size`).
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

    /// A kind of public key that a template may be limited to.
    package enum PublicKeyKind: String, Sendable, Codable, CaseIterable {
        case rsa
        case p256 = "p-256"
        case p384 = "p-384"
        case p521 = "p-521"
        case ed25519
        case ed448

        /// `nil` for a key of none of these kinds.
        package init?(_ key: SubjectPublicKeyInfo) {
            if key.isRSA {
                self = .rsa
                return
            }
            switch (key.algorithm, key.namedCurve) {
            case (OID.ed25519, _): self = .ed25519
            case (OID.ed448, _): self = .ed448
            case (_, OID.secp256r1?): self = .p256
            case (_, OID.secp384r1?): self = .p384
            case (_, OID.secp521r1?): self = .p521
            default: return nil
            }
        }
    }

    /// A hash with which a request may be signed.
    package enum RequestHash: String, Sendable, Codable, CaseIterable {
        case sha1 = "sha-1"
        case sha256 = "sha-256"
        case sha384 = "sha-384"
        case sha512 = "sha-512"

        package init(_ digest: Digest) {
            switch digest {
            case .sha1: self = .sha1
            case .sha256: self = .sha256
            case .sha384: self = .sha384
            case .sha512: self = .sha512
            }
        }
    }

    /// Signatures that a request needs beside that of its own key (`msPKI-RA-Signature` and what belongs to it).
    package struct RequiredSignatures: Sendable, Codable, Equatable {
        package var count: Int
        /// Each signer must have all of these (`msPKI-RA-Application-Policies`).
        package var applicationPolicies: [ExtendedKeyPurpose]
        /// Each signer must have one of these, in dots (`msPKI-RA-Policies`).
        package var issuancePolicies: [String]

        package init(
            count: Int = 0, applicationPolicies: [ExtendedKeyPurpose] = [], issuancePolicies: [String] = []
        ) {
            self.count = count
            self.applicationPolicies = applicationPolicies
            self.issuancePolicies = issuancePolicies
        }
    }

    /// A certificate policy that issued certificates state (RFC 5280, section 4.2.1.4; `msPKI-Certificate-Policy`).
    package struct IssuancePolicy: Sendable, Codable, Equatable {
        /// In dots.
        package var oid: String
        /// Address of the certification practice statement.
        package var cps: String?
        /// Text of the user notice, at most 200 characters.
        package var notice: String?

        package init(oid: String, cps: String? = nil, notice: String? = nil) {
            self.oid = oid
            self.cps = cps
            self.notice = notice
        }
    }

    /// What a template tells the requester's program. The CA cannot see whether it is obeyed: these settings are shown,
    /// handed on as bits, and checked for sense only.
    package struct ClientSettings: Sendable, Codable, Equatable {
        /// Which key the program makes (`pKIDefaultKeySpec`).
        package enum KeySpecification: String, Sendable, Codable {
            /// AT_KEYEXCHANGE
            case exchange
            /// AT_SIGNATURE
            case signature
        }

        /// The private key may be exported (CT_FLAG_EXPORTABLE_KEY).
        package var exportableKey: Bool
        /// The user is asked at each use of the key (CT_FLAG_STRONG_KEY_PROTECTION_REQUIRED).
        package var strongKeyProtection: Bool
        /// The request is signed with RSASSA-PSS (CT_FLAG_REQUIRE_ALTERNATE_SIGNATURE_ALGORITHM).
        package var alternateSignatureAlgorithm: Bool
        /// Autoenrolment asks the user (CT_FLAG_USER_INTERACTION_REQUIRED).
        package var userInteraction: Bool
        /// Expired certificates are removed from the user's store (CT_FLAG_REMOVE_INVALID_CERTIFICATE_FROM_PERSONAL_STORE).
        package var removesInvalid: Bool
        /// A certificate in the directory is good enough (CT_FLAG_AUTO_ENROLLMENT_CHECK_USER_DS_CERTIFICATE).
        package var checksDirectory: Bool
        package var keySpecification: KeySpecification
        /// Names of key storage providers in the order of preference (`pKIDefaultCSPs`).
        package var providers: [String]

        package init(
            exportableKey: Bool = false, strongKeyProtection: Bool = false, alternateSignatureAlgorithm: Bool = false,
            userInteraction: Bool = false, removesInvalid: Bool = false, checksDirectory: Bool = false,
            keySpecification: KeySpecification = .exchange, providers: [String] = []
        ) {
            self.exportableKey = exportableKey
            self.strongKeyProtection = strongKeyProtection
            self.alternateSignatureAlgorithm = alternateSignatureAlgorithm
            self.userInteraction = userInteraction
            self.removesInvalid = removesInvalid
            self.checksDirectory = checksDirectory
            self.keySpecification = keySpecification
            self.providers = providers
        }
    }

    /// Where certificates are to be published beside the database. Nothing here publishes into a directory: the
    /// settings are kept for those that read them from the template.
    package struct DirectoryPublication: Sendable, Codable, Equatable {
        /// CT_FLAG_PUBLISH_TO_DS
        package var requester: Bool
        /// CT_FLAG_PUBLISH_TO_KRA_CONTAINER
        package var keyRecoveryAgents: Bool

        package init(requester: Bool = false, keyRecoveryAgents: Bool = false) {
            self.requester = requester
            self.keyRecoveryAgents = keyRecoveryAgents
        }
    }
}
