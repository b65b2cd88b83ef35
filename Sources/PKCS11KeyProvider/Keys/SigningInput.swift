internal import DeviceProfiles
internal import Diagnostics
internal import KeyProvider
package import PKCS11

/// How a device wants to be asked for signatures.
struct SigningConventions: Sendable {
    /// There is no ECDSA over a hash made on the host.
    let lacksRawECDSA: Bool
    /// ECDSA signatures come as DER instead of `r || s`.
    let givesDER: Bool

    init(_ profile: DeviceProfile) {
        self.lacksRawECDSA = profile.lacksRawECDSA
        self.givesDER = profile.template.ecdsaSignature.value == .der
    }
}

/// A message ready for the token: hashed, unless the token hashes.
struct SigningInput: Sendable {
    private let algorithm: SignatureAlgorithm
    private let input: [UInt8]
    /// The token has no ECDSA over a hash made on the host.
    private let tokenHashes: Bool
    private let derFromToken: Bool

    /// - Parameter operation: what an error says that was asked. Its text is made only then, here and below: this is the
    ///   way of every signature.
    init(
        _ message: [UInt8], _ algorithm: SignatureAlgorithm, _ conventions: SigningConventions,
        operation: @autoclosure () -> String
    ) throws(KeyProviderError) {
        self.algorithm = algorithm
        self.derFromToken = conventions.givesDER
        if case .ecdsa = algorithm { self.tokenHashes = conventions.lacksRawECDSA } else { self.tokenHashes = false }
        if let hash = algorithm.hash, !self.tokenHashes {
            self.input = try TokenKeyStore.hash(message, hash, operation: operation())
        } else {
            self.input = message
        }
    }

    /// A hash that was made elsewhere.
    init(
        digest: [UInt8], _ algorithm: SignatureAlgorithm, _ conventions: SigningConventions,
        operation: @autoclosure () -> String
    ) throws(KeyProviderError) {
        self.algorithm = algorithm
        self.derFromToken = conventions.givesDER
        self.tokenHashes = false
        self.input = digest
        let wantsMessage: Bool
        if case .ecdsa = algorithm {
            wantsMessage = conventions.lacksRawECDSA
        } else {
            wantsMessage = algorithm.hash == nil
        }
        guard !wantsMessage else {
            throw .unsupported(
                operation: operation(), reason: "the token signs no hash that was made outside it",
                advice: "Hand over the message itself.")
        }
    }

    /// - Throws: ``PKCS11Error``, or ``SigningFault``.
    func sign(_ session: Session, _ key: UsableKey, _ authorization: UseAuthorization? = nil) throws -> [UInt8] {
        let (data, mechanism) = try self.call(key)
        var length = 0
        let signature = try session.sign(data, with: key.handle, mechanism, authorize: authorization?.authorize) {
            bytes in
            length = bytes.count
            return self.read(bytes, of: key.algorithm)
        }
        guard !signature.isEmpty else { throw SigningFault.noSignature(bytes: length) }
        return signature
    }

    private func call(_ key: UsableKey) throws(SigningFault) -> ([UInt8], Mechanism) {
        switch (self.algorithm, key.algorithm) {
        case (.rsaPKCS1v15(let hash), .rsa):
            return (Digest.digestInfo(self.input, hash), Mechanism(.rsaPKCS))
        case (.rsaPSS(let hash), .rsa):
            return (self.input, .rsaPSS(hash.mechanismHash, saltBytes: self.input.count))
        case (.ed25519, .ed25519):
            return (self.input, Mechanism(.eddsa))
        case (.ecdsa(let hash), .p256), (.ecdsa(let hash), .p384), (.ecdsa(let hash), .p521):
            if self.tokenHashes { return (self.input, Mechanism(hash.ecdsaMechanism)) }
            // FIPS 186-4, section 6.4: a longer hash is cut at the length of the order.
            let length = key.algorithm.curve?.fieldBytes ?? 0
            return (self.input.count <= length ? self.input : Array(self.input.prefix(length)), Mechanism(.ecdsa))
        default: throw .wrongAlgorithm(for: key.algorithm)
        }
    }

    /// - Returns: nothing for what is no signature of such a key.
    private func read(_ signature: UnsafeBufferPointer<UInt8>, of algorithm: KeyAlgorithm) -> [UInt8] {
        switch algorithm {
        case .rsa: return Array(signature)
        case .ed25519: return signature.count == 64 ? Array(signature) : []
        case .p256, .p384, .p521:
            guard let curve = algorithm.curve else { return [] }
            guard self.derFromToken else { return ECDSASignature.der(rawSignature: signature, curve: curve) ?? [] }
            let der = Array(signature)
            return ECDSASignature.isValid(der: der, curve: curve) ? der : []
        }
    }
}

/// Why there is no signature, where no call failed. What was asked is added by who knows it, when there is an error.
enum SigningFault: Error {
    case wrongAlgorithm(for: KeyAlgorithm)
    /// What came from the token is none.
    case noSignature(bytes: Int)

    func error(operation: String) -> KeyProviderError {
        switch self {
        case .wrongAlgorithm(let algorithm):
            .unsupported(
                operation: operation, reason: "the key is \(algorithm) and the algorithm is not for it",
                advice: "Choose a signature algorithm that fits the key.")
        case .noSignature(let bytes):
            .malformedResult(operation: operation, reason: "the token gave \(bytes) bytes that are not a signature")
        }
    }
}

/// One signature: the first attempt, by a handle that is known, and nearly always the only one. `@unchecked Sendable` as its
/// superclass: `signature` is written by the thread that runs it, and read by its maker after the answer.
package final class SigningWork: TokenWork, @unchecked Sendable {
    private let input: SigningInput
    private let key: UsableKey
    /// Empty until it was made.
    private(set) var signature: [UInt8] = []

    init(_ input: SigningInput, with key: UsableKey, of live: LiveToken) {
        self.input = input
        self.key = key
        super.init(epoch: live.epoch)
    }

    package override func run(_ session: Session) throws {
        self.signature = try self.input.sign(session, self.key)
    }
}

extension SignatureAlgorithm {
    /// The hash that is made before the key is used; `nil` for Ed25519, which hashes by itself.
    var hash: HashAlgorithm? {
        switch self {
        case .rsaPKCS1v15(let hash), .ecdsa(let hash), .rsaPSS(let hash): hash
        case .ed25519: nil
        }
    }
}

extension HashAlgorithm {
    fileprivate var ecdsaMechanism: MechanismType {
        switch self {
        case .sha1: .ecdsaSHA1
        case .sha256: .ecdsaSHA256
        case .sha384: .ecdsaSHA384
        case .sha512: .ecdsaSHA512
        }
    }
}
