internal import DeviceProfiles
internal import PKCS11

/// A key pair of a role, made with the attributes that the product gives such a key.
enum TestKeyKind: String, Sendable, CaseIterable {
    case signingP256, signingP384, signingP521, signingEd25519, signingRSA2048, signingRSA3072, signingRSA4096,
        exchangeRSA2048, agentRSA2048

    /// `nil` for an Edwards curve and for RSA.
    var curve: NamedCurve? {
        switch self {
        case .signingP256: .p256
        case .signingP384: .p384
        case .signingP521: .p521
        default: nil
        }
    }

    /// The length of the modulus; `nil` for a curve.
    var modulusBits: Int? {
        switch self {
        case .signingRSA2048, .exchangeRSA2048, .agentRSA2048: 2048
        case .signingRSA3072: 3072
        case .signingRSA4096: 4096
        case .signingP256, .signingP384, .signingP521, .signingEd25519: nil
        }
    }

    var isRSA: Bool { self.modulusBits != nil }

    var signs: Bool { self != .exchangeRSA2048 }
    var decrypts: Bool { self == .exchangeRSA2048 || self == .agentRSA2048 }

    var mechanism: Mechanism {
        self.isRSA
            ? Mechanism(.rsaPKCSKeyPairGen) : Mechanism(self.curve == nil ? .ecEdwardsKeyPairGen : .ecKeyPairGen)
    }

    /// What `CKA_EC_PARAMS` has for Ed25519: a PrintableString by PKCS #11 v3.0, section 2.3.5.
    private static let ed25519Parameters: [UInt8] = [0x13, 0x0C] + Array("edwards25519".utf8)

    func templates(id: [UInt8], onToken: Bool) -> (publicKey: AttributeTemplate, privateKey: AttributeTemplate) {
        var publicKey = AttributeTemplate()
        var privateKey = AttributeTemplate()
        for attribute in [Attribute<Bool>.token] {
            publicKey[attribute] = onToken
            privateKey[attribute] = onToken
        }
        publicKey[.isPrivate] = false
        publicKey[.label] = TokenDoctor.label
        publicKey[.id] = id
        publicKey[.verify] = self.signs
        privateKey[.isPrivate] = true
        privateKey[.sensitive] = true
        privateKey[.extractable] = false
        privateKey[.label] = TokenDoctor.label
        privateKey[.id] = id
        privateKey[.sign] = self.signs
        if let curve = self.curve {
            publicKey[.ecParameters] = curve.parametersDER
        } else if let modulusBits = self.modulusBits {
            publicKey[.modulusBits] = UInt(modulusBits)
            publicKey[.publicExponent] = [0x01, 0x00, 0x01]
            publicKey[.encrypt] = self.decrypts
            publicKey[.wrap] = self.decrypts
            privateKey[.decrypt] = self.decrypts
            privateKey[.unwrap] = self.decrypts
        } else {
            publicKey[.ecParameters] = TestKeyKind.ed25519Parameters
        }
        return (publicKey, privateKey)
    }
}

/// Templates of the keys that live for one archival, as the product makes them.
enum TransientTemplate {
    static func generatedAES() -> AttributeTemplate {
        var template = self.secretKey()
        template[.valueLength] = 32
        template[.extractable] = true
        template[.wrap] = true
        template[.encrypt] = true
        return template
    }

    /// An AES key that wraps and is wrapped, to try wrapping mechanisms with.
    static func wrappingAES() -> AttributeTemplate {
        var template = self.generatedAES()
        template[.unwrap] = true
        return template
    }

    /// What such a key is unwrapped as.
    static func rewrappedAES(_ profile: DeviceProfile) -> AttributeTemplate {
        var template = self.unwrappedAES(profile)
        template[.encrypt] = true
        return template
    }

    static func unwrappedAES(_ profile: DeviceProfile) -> AttributeTemplate {
        var template = self.secretKey()
        template[.extractable] = false
        template[.unwrap] = true
        if profile.template.unwrapRequire.value?.contains("VALUE_LEN") == true { template[.valueLength] = 32 }
        return template
    }

    static func unwrappedRSA() -> AttributeTemplate {
        var template = AttributeTemplate()
        template[.objectClass] = .privateKey
        template[.keyType] = .rsa
        template[.token] = false
        template[.isPrivate] = true
        template[.sensitive] = true
        template[.extractable] = true
        template[.sign] = false
        template[.decrypt] = true
        return template
    }

    static func recipient(_ components: (modulus: [UInt8], publicExponent: [UInt8])) -> AttributeTemplate {
        var template = AttributeTemplate()
        template[.objectClass] = .publicKey
        template[.keyType] = .rsa
        template[.token] = false
        template[.modulus] = components.modulus
        template[.publicExponent] = components.publicExponent
        template[.wrap] = true
        template[.encrypt] = true
        return template
    }

    static func certificate(id: [UInt8], onToken: Bool) -> AttributeTemplate {
        var template = AttributeTemplate()
        template[.objectClass] = .certificate
        template[.certificateType] = .x509
        template[.token] = onToken
        template[.isPrivate] = false
        template[.label] = TokenDoctor.label
        template[.id] = id
        template[.subject] = TestCertificate.name
        template[.issuer] = TestCertificate.name
        template[.serialNumber] = TestCertificate.serialNumber
        template[.value] = TestCertificate.der
        return template
    }

    private static func secretKey() -> AttributeTemplate {
        var template = AttributeTemplate()
        template[.objectClass] = .secretKey
        template[.keyType] = .aes
        template[.token] = false
        template[.isPrivate] = true
        template[.sensitive] = true
        return template
    }
}
