internal import DeviceProfiles
internal import Diagnostics
internal import KeyProvider
internal import PKCS11

/// What the keys of a scope are made with: session objects, sensitive, and able to do one step of archival.
enum TransientTemplates {
    static func unwrappedSecretKey(_ algorithm: SecretKeyAlgorithm) -> AttributeTemplate {
        var template = self.secretKey(algorithm)
        template[.extractable] = false
        template[.unwrap] = true
        return template
    }

    static func generatedSecretKey(_ algorithm: SecretKeyAlgorithm) -> AttributeTemplate {
        var template = self.secretKey(algorithm)
        // The length of a triple DES key is fixed, and its template must not name it.
        if algorithm == .aes256 { template[.valueLength] = UInt(algorithm.keyBytes) }
        template[.extractable] = true
        template[.wrap] = true
        template[.unwrap] = true
        template[.encrypt] = true
        template[.decrypt] = true
        return template
    }

    /// Encrypts and decrypts what proves that the private key is the right one, and stays.
    static func derivedSecretKey() -> AttributeTemplate {
        var template = self.secretKey(.aes256)
        template[.valueLength] = UInt(SecretKeyAlgorithm.aes256.keyBytes)
        template[.extractable] = false
        template[.encrypt] = true
        template[.decrypt] = true
        return template
    }

    /// For the pairing proof an RSA key can decrypt, and one on a curve agree on keys; no key can sign.
    static func unwrappedPrivateKey(_ algorithm: KeyAlgorithm) -> AttributeTemplate {
        var template = AttributeTemplate()
        template[.objectClass] = .privateKey
        template[.keyType] = algorithm.keyType
        template[.token] = false
        template[.isPrivate] = true
        template[.sensitive] = true
        template[.extractable] = true
        template[.sign] = false
        if algorithm.isRSA { template[.decrypt] = true } else { template[.derive] = true }
        return template
    }

    static func recipient(_ modulus: [UInt8], _ publicExponent: [UInt8]) -> AttributeTemplate {
        var template = AttributeTemplate()
        template[.objectClass] = .publicKey
        template[.keyType] = .rsa
        template[.token] = false
        template[.modulus] = modulus
        template[.publicExponent] = publicExponent
        template[.wrap] = true
        template[.encrypt] = true
        return template
    }

    private static func secretKey(_ algorithm: SecretKeyAlgorithm) -> AttributeTemplate {
        var template = AttributeTemplate()
        template[.objectClass] = .secretKey
        template[.keyType] = algorithm == .aes256 ? .aes : .des3
        template[.token] = false
        template[.isPrivate] = true
        template[.sensitive] = true
        return template
    }
}

extension AttributeTemplate {
    /// The same for a private key that comes wrapped: some devices want to be told the point of one on a curve.
    ///
    /// - Parameter subjectPublicKeyInfo: of the key.
    func unwrapping(
        _ subjectPublicKeyInfo: [UInt8], _ algorithm: KeyAlgorithm, _ rules: DeviceProfile.TemplateRules,
        operation: String
    ) throws(KeyProviderError) -> AttributeTemplate {
        guard let curve = algorithm.curve, let attribute = rules.unwrapECPoint.value else { return self }
        var template = self
        template[Attribute<[UInt8]>(rawValue: attribute)] = try SubjectPublicKeyInfo.point(
            subjectPublicKeyInfo, on: curve, operation: operation)
        return template
    }
}

extension SecretKeyAlgorithm {
    var generation: Mechanism {
        switch self {
        case .aes256: Mechanism(.aesKeyGen)
        case .tripleDES: Mechanism(.des3KeyGen)
        }
    }
}

extension ContentCipher {
    var mechanism: Mechanism {
        switch (self.algorithm, self.mode) {
        case (.aes256, .gcm(let additionalData)):
            .aesGCM(initializationVector: self.initializationVector, additionalData: additionalData)
        case (.aes256, .cbc): .aesCBCPad(initializationVector: self.initializationVector)
        case (.tripleDES, _): .des3CBCPad(initializationVector: self.initializationVector)
        }
    }

    /// - Throws: `unsupported` for GCM with triple DES, or on a device that makes the vector by itself.
    func require(by profile: DeviceProfile, operation: String) throws(KeyProviderError) {
        guard case .gcm = self.mode else { return }
        guard self.algorithm == .aes256 else {
            throw .unsupported(
                operation: operation, reason: "GCM is for AES only", advice: "Choose AES, or CBC for triple DES.")
        }
        guard profile.mechanisms.gcmInitializationVector.value != .device else {
            throw .unsupported(
                operation: operation, reason: "the device makes the vector of AES-GCM itself, says \(profile.name)",
                advice: "Choose AES-CBC on this device.")
        }
    }
}

extension KeyProviderError {
    static func nonExtractable(_ reference: KeyReference, operation: String) -> KeyProviderError {
        KeyProviderError(
            code: .unsupported, operation: operation, reason: "the token says that the key is not extractable",
            hresult: .badKeyState, facts: [Fact("key", reference.uri)],
            advice: ["Copy the key by the means of the device's maker."])
    }

    static func wrongKeyLength(operation: String) -> KeyProviderError {
        KeyProviderError(
            code: .decryptionFailed, operation: operation,
            reason: "the unwrapped key has another length than announced",
            hresult: .badData, advice: ["Check that sender and receiver mean the same content encryption algorithm."])
    }
}
