package import KeyProvider
package import PKIMessages

/// The content of `signet.yaml`: everything about an instance that an operator decides. No secrets.
///
/// Unknown keys are refused, so that a mistyped setting is found at once instead of being ignored.
package struct InstanceConfiguration: Sendable, Equatable {
    package enum AuthorityType: String, Sendable, Codable {
        case root
        case subordinate
    }

    package var name: String
    package var type: AuthorityType
    /// For people; `nil`: none.
    package var description: String?
    /// Path of the database, relative to the instance; `nil`: `signet.sqlite` in it.
    package var database: String?
    /// Names of entries in ``tokens``: whose token holds the CA key, and whose the exchange key.
    package var signingToken: String
    package var exchangeToken: String
    package var exchangeKeyAlgorithm: KeyAlgorithm
    /// With which the CA keys sign; `nil`: what fits the key (``CASigningKey/recommendedDigest(for:)``).
    package var hashAlgorithm: Digest?
    package var tokens: [String: TokenConfiguration]
    package var certificates: CertificatePolicy
    package var crl: CRLPolicy
    package var archival: ArchivalPolicy
    package var exchange = ExchangePolicy()
    package var web: WebConfiguration
    package var requests = RequestPolicy()
    package var policy = PolicyConfiguration()
    package var lint = LintConfiguration()
    package var events = EventSettings()
    /// `nil`: nobody is told what expires.
    package var notifications: Notifications?

    /// A new instance with one token, named `ca`, and the default periods.
    package init(
        name: String, type: AuthorityType, token: TokenConfiguration, web: WebConfiguration,
        userPrincipalNameSuffix: String?
    ) {
        self.name = name
        self.type = type
        self.signingToken = "ca"
        self.exchangeToken = "ca"
        self.exchangeKeyAlgorithm = .rsa(modulusBits: 2048)
        self.tokens = ["ca": token]
        let years = type == .root ? 20 : 2
        self.certificates = CertificatePolicy(
            maximumValidityDays: years * 365, userPrincipalNameSuffix: userPrincipalNameSuffix)
        // A root's CRL is signed by hand; an issuing CA's by the service.
        self.crl = CRLPolicy(periodDays: type == .root ? 180 : 7)
        self.archival = ArchivalPolicy()
        self.web = web
    }

    /// What every issued certificate obeys, whatever its template.
    package struct CertificatePolicy: Sendable, Equatable {
        package var maximumValidityDays: Int
        /// Appended to a requester's name to make a user principal name; none is built without it.
        package var userPrincipalNameSuffix: String?
    }

    package struct WebConfiguration: Sendable, Equatable {
        package var host: String
        /// Port of `/certsrv`.
        package var port: Int
        /// Port of the publication points, always without TLS (RFC 5280, section 8).
        package var publicationPort: Int
        /// The address under which clients reach the publication points: it stands in issued certificates.
        package var publicationURL: String
        package var tls: TLSConfiguration?

        package init(
            host: String, port: Int, publicationPort: Int, publicationURL: String, tls: TLSConfiguration? = nil
        ) {
            self.host = host
            self.port = port
            self.publicationPort = publicationPort
            self.publicationURL = publicationURL
            self.tls = tls
        }
    }

    package struct TLSConfiguration: Sendable, Equatable {
        /// Path of the certificate chain in PEM, relative to the instance.
        package var certificate: String
        package var key: TLSKey
        /// Path of a file of CA certificates in PEM, relative to the instance: clients may come with a certificate
        /// of one of them. None is asked for when not given.
        package var clientAuthorities: String?

        package init(certificate: String, key: TLSKey, clientAuthorities: String? = nil) {
            self.certificate = certificate
            self.key = key
            self.clientAuthorities = clientAuthorities
        }
    }

    /// Where the service's TLS key is. The only key of an instance that may be in a file.
    package enum TLSKey: Sendable, Equatable {
        /// The key that belongs to the certificate, on the token of that name.
        case token(String)
        /// A PEM file with mode 0600, relative to the instance.
        case file(String)
    }
}

/// One token: which module reaches it, how it is recognised, what it can do and where its PIN comes from.
package struct TokenConfiguration: Sendable, Hashable {
    /// Path of the PKCS #11 module.
    package var module: String
    /// The reserved string of `C_Initialize`; NSS softokn needs one.
    package var moduleArguments: String?
    /// Variables that the module reads when it is initialised, such as `SOFTHSM2_CONF`.
    package var moduleEnvironment: [String: String]
    /// A `pkcs11:` URI that fits one token: label, and serial number once it is known.
    package var token: String
    /// Name of the device profile, or `nil` to match one by manufacturer and model.
    package var profile: String?
    /// Fields of the profile that are different on this token, by their path, such as `capacity.bytes`.
    package var profileOverrides: [String: String]
    package var pin: PINSource

    package init(
        module: String, moduleArguments: String? = nil, moduleEnvironment: [String: String] = [:], token: String,
        profile: String? = nil, profileOverrides: [String: String] = [:], pin: PINSource
    ) {
        self.module = module
        self.moduleArguments = moduleArguments
        self.moduleEnvironment = moduleEnvironment
        self.token = token
        self.profile = profile
        self.profileOverrides = profileOverrides
        self.pin = pin
    }
}
