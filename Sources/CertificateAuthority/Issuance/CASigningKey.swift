package import KeyProvider
package import PKIMessages
import Synchronization

/// A CA's signing key: a private key on a token, and the public key with which everything it signs is checked.
///
/// Every signature is verified before it is returned, always. One that does not verify takes the key out of use until
/// an operator releases it: the token cannot be trusted until somebody has looked at it.
package final class CASigningKey: Sendable {
    package let locator: KeyLocator
    package let subjectPublicKeyInfo: SubjectPublicKeyInfo
    /// What stands in the certificates, CRLs and messages that it signs.
    package let algorithm: SignatureAlgorithmIdentifier
    package let digest: Digest

    /// The public key, decoded once for all the signatures that are checked with it.
    private let verifier: SignatureVerifier
    private let token: any Signing
    private let tokenAlgorithm: SignatureAlgorithm
    private let stops: (any KeyStopping)?
    private let state = Mutex(State.unknown)

    private enum State {
        /// Whether the key was stopped in an earlier run was not looked up yet.
        case unknown
        case inUse
        /// - isStored: false while no storage has taken the stop: then only the end of the process ends it.
        case stopped(KeyStop, isStored: Bool)
    }

    /// - Parameters:
    ///   - digest: SHA-256 or longer; ``recommendedDigest(for:)`` when not given.
    ///   - stops: remembers a wrong signature beyond the end of the process; not given for a key that is only being made.
    /// - Throws: ``IssuanceError`` with code `unsuitableKey` for a key that is neither RSA nor on a NIST curve, or
    ///   for SHA-1.
    package init(
        token: any Signing, locator: KeyLocator, subjectPublicKeyInfo: SubjectPublicKeyInfo, digest: Digest? = nil,
        stops: (any KeyStopping)? = nil
    ) throws {
        let digest = digest ?? CASigningKey.recommendedDigest(for: subjectPublicKeyInfo)
        guard let hash = CASigningKey.tokenHash(digest), digest != .sha1 else {
            throw IssuanceError.unsuitableKey("sign certificates", "\(digest) is not taken for certificates")
        }
        if subjectPublicKeyInfo.isRSA {
            self.algorithm = .rsa(digest)
            self.tokenAlgorithm = .rsaPKCS1v15(hash)
        } else if subjectPublicKeyInfo.namedCurve != nil, let algorithm = SignatureAlgorithmIdentifier.ecdsa(digest) {
            self.algorithm = algorithm
            self.tokenAlgorithm = .ecdsa(hash)
        } else {
            throw IssuanceError.unsuitableKey("sign certificates", "the key is neither RSA nor on a named curve")
        }
        self.verifier = try SignatureVerifier(subjectPublicKeyInfo, algorithm: self.algorithm)
        self.stops = stops
        self.token = token
        self.locator = locator
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
        self.digest = digest
    }

    /// The same from what a token says of its key pair.
    package convenience init(
        token: any Signing, keyPair: TokenKeyPair, digest: Digest? = nil, stops: (any KeyStopping)? = nil
    ) throws {
        try self.init(
            token: token, locator: keyPair.locator,
            subjectPublicKeyInfo: SubjectPublicKeyInfo(derEncoded: keyPair.subjectPublicKeyInfo), digest: digest,
            stops: stops)
    }

    /// SHA-384 for P-384, SHA-512 for P-521, else SHA-256 (FIPS 186-5, section 6.1.1).
    package static func recommendedDigest(for key: SubjectPublicKeyInfo) -> Digest {
        switch key.isRSA ? 0 : key.keySizeBits {
        case 384: .sha384
        case 521: .sha512
        default: .sha256
        }
    }

    /// True after a wrong signature.
    package var isStopped: Bool {
        self.state.withLock { state in
            if case .stopped = state { true } else { false }
        }
    }

    /// Signs, and verifies what the token returned.
    ///
    /// - Throws: what the token throws; ``IssuanceError`` with code `wrongSignature` for a signature that does not
    ///   verify, and `keyStopped` ever after.
    package func sign(_ bytes: [UInt8]) async throws -> [UInt8] {
        try await self.mustNotHaveBeenStopped()
        let signature = try await self.token.sign(bytes, with: self.locator, algorithm: self.tokenAlgorithm)
        try await self.mustBeValid(self.verifies(signature, over: bytes))
        return signature
    }

    /// Signs what is too large for memory, by its hash; by its bytes where the token takes no hash.
    ///
    /// - Parameters:
    ///   - digest: made with ``digest``.
    ///   - message: the bytes themselves.
    /// - Throws: as ``sign(_:)``.
    package func sign(digest: [UInt8], message: () throws -> [UInt8]) async throws -> [UInt8] {
        try await self.mustNotHaveBeenStopped()
        guard let token = self.token as? any DigestSigning else { return try await self.sign(message()) }
        let signature: [UInt8]
        do {
            signature = try await token.sign(digest: digest, with: self.locator, algorithm: self.tokenAlgorithm)
        } catch let error as KeyProviderError where error.code == .unsupported {
            return try await self.sign(message())
        }
        // `try?`: as in ``verifies(_:over:)``.
        let isValid = try? self.subjectPublicKeyInfo.isValidSignature(
            signature, overDigest: digest, algorithm: self.algorithm)
        try await self.mustBeValid(isValid ?? false)
        return signature
    }

    private func mustBeValid(_ isValid: Bool) async throws {
        guard isValid else {
            throw IssuanceError.wrongSignature(key: self.locator.reference.uri, finding: await self.stop())
        }
        // A signature that was under way when another one of the same key came back wrong is not used either.
        try self.mustNotBeStopped()
    }

    /// - Returns: what there is to say of the cause.
    private func stop() async -> String? {
        let isFirst = self.state.withLock { state in
            if case .stopped = state { return false }
            state = .stopped(KeyStop(.wrongSignature, when: nil), isStored: false)
            return true
        }
        if let stops = self.stops {
            // Before the token is looked at, which can take long. When it fails the key is out of use here all the same,
            // and the wrong signature is what to tell.
            do {
                self.note(try await stops.stop(self.locator, .wrongSignature, finding: nil), isStored: true)
            } catch {}
        }
        // Perhaps not the key is wrong but its handle, which can name another key after the token was away. Only the first
        // who sees it can tell: then handles are found anew.
        guard isFirst, let keeper = self.token as? any HandleKeeping else { return nil }
        let finding = await keeper.distrustHandles(afterUseOf: self.locator).sentence
        guard case .stopped(var stop, let isStored) = self.state.withLock({ $0 }) else { return finding }
        stop.finding = finding
        self.note(stop, isStored: isStored)
        // The stop holds without its explanation.
        if isStored { try? await self.stops?.explain(stop, of: self.locator) }
        return finding
    }

    /// What is known of a stop does not get less.
    private func note(_ stop: KeyStop, isStored: Bool) {
        self.state.withLock { state in
            var stop = stop
            if case .stopped(let known, _) = state, stop.finding == nil { stop.finding = known.finding }
            state = .stopped(stop, isStored: isStored)
        }
    }

    /// Looks the stored stop up, once; and again as long as it holds, so that a release takes effect at once.
    private func mustNotHaveBeenStopped() async throws {
        guard let stops = self.stops else { return try self.mustNotBeStopped() }
        switch self.state.withLock({ $0 }) {
        case .inUse, .stopped(_, isStored: false): break
        case .unknown:
            let stop = try await stops.stop(of: self.locator)
            self.state.withLock { state in
                if case .unknown = state { state = stop.map { .stopped($0, isStored: true) } ?? .inUse }
            }
        case .stopped(_, isStored: true):
            guard try await stops.stop(of: self.locator) == nil else { break }
            self.state.withLock { $0 = .inUse }
        }
        try self.mustNotBeStopped()
    }

    private func mustNotBeStopped() throws {
        guard case .stopped(let stop, _) = self.state.withLock({ $0 }) else { return }
        throw IssuanceError.keyStopped(key: self.locator.reference.uri, stop)
    }

    private func verifies(_ signature: [UInt8], over bytes: [UInt8]) -> Bool {
        // `try?`: key and algorithm were matched by the initialiser, so that what cannot be checked is as wrong as
        // what does not verify.
        (try? self.verifier.isValidSignature(signature, over: bytes)) ?? false
    }

    private static func tokenHash(_ digest: Digest) -> HashAlgorithm? {
        switch digest {
        case .sha1: nil
        case .sha256: .sha256
        case .sha384: .sha384
        case .sha512: .sha512
        }
    }
}

extension DoubtedHandle {
    /// For who has to find out why a signature is wrong.
    fileprivate var sentence: String {
        switch self {
        case .right: "The key is still found under the same handle: the token itself signed wrongly."
        case .changed:
            "The key is found under another handle now: the one in use may have named another key, as after the token "
                + "was away and back."
        case .keyNotFound(let reason): "The key is not found any more: \(reason)"
        }
    }
}
