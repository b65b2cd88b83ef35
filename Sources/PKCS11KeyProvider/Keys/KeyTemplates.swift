internal import DeviceProfiles
internal import KeyProvider
internal import PKCS11

/// What a key pair of a role is made with: the private half is on the token for ever, and does only what the role
/// needs.
struct KeyTemplates: Sendable {
    let mechanism: Mechanism
    let publicKey: AttributeTemplate
    let privateKey: AttributeTemplate

    /// - Throws: `unsupported` when the profile wants what is not known here.
    init(
        _ specification: KeyPairSpecification, id: [UInt8], rules: DeviceProfile.TemplateRules, operation: String
    ) throws(KeyProviderError) {
        let role = specification.role
        var publicKey = AttributeTemplate()
        var privateKey = AttributeTemplate()
        publicKey[.token] = true
        publicKey[.isPrivate] = false
        publicKey[.label] = specification.label
        publicKey[.id] = id
        publicKey[.verify] = role.signs
        privateKey[.token] = true
        privateKey[.isPrivate] = true
        privateKey[.sensitive] = true
        privateKey[.extractable] = specification.mayBeCopied
        privateKey[.label] = specification.label
        privateKey[.id] = id
        privateKey[.sign] = role.signs
        switch specification.algorithm {
        case .rsa(let bits):
            self.mechanism = Mechanism(.rsaPKCSKeyPairGen)
            publicKey[.modulusBits] = UInt(bits)
            publicKey[.publicExponent] = [0x01, 0x00, 0x01]
        case .ed25519:
            self.mechanism = Mechanism(.ecEdwardsKeyPairGen)
            publicKey[.ecParameters] = KeyAlgorithm.ed25519Parameters[0]
        case .p256, .p384, .p521:
            self.mechanism = Mechanism(.ecKeyPairGen)
            publicKey[.ecParameters] = specification.algorithm.curve?.parametersDER
        }
        // Said for curves as well, which cannot decrypt: a token that is not told may note the key as able to.
        let decrypts = role.decrypts && specification.algorithm.isRSA
        publicKey[.encrypt] = decrypts
        publicKey[.wrap] = decrypts
        privateKey[.decrypt] = decrypts
        privateKey[.unwrap] = decrypts
        if specification.agreesOnKeys { privateKey[.derive] = true }
        self.publicKey = try rules.applied(to: publicKey, of: .publicKey, operation: operation)
        self.privateKey = try rules.applied(to: privateKey, of: .privateKey, operation: operation)
    }
}

extension KeyPairSpecification {
    /// A key on a curve that is to read what is encrypted to it can do that by agreeing on a key only (RFC 5753).
    var agreesOnKeys: Bool { self.role == .exchange && self.algorithm.curve != nil }
}

extension KeyRole {
    var signs: Bool {
        switch self {
        // An agent's key signs one thing, its own certificate request (RFC 2986, section 3: proof of possession).
        case .caSigning, .tlsServer, .subscriber, .keyRecoveryAgent: true
        case .exchange: false
        }
    }

    var decrypts: Bool {
        switch self {
        case .exchange, .keyRecoveryAgent, .subscriber: true
        case .caSigning, .tlsServer: false
        }
    }
}
