package import KeyProvider
package import PKIMessages
import Synchronization

/// A CA's signing key: a private key on a token, and the public key with which everything it signs is checked.
///
/// Every signature is verified before it is returned, always. One that does not verify takes the key out of use for
/// as long as the process runs: the token cannot be trusted until somebody has looked at it.
package final class CASigningKey: Sendable {
    package let locator: KeyLocator
    package let subjectPublicKeyInfo: SubjectPublicKeyInfo
    /// What stands in the certificates, CRLs and messages that it signs.
    package let algorithm: SignatureAlgorithmIdentifier
    package let digest: Digest

    private let token: any Signing
    private let tokenAlgorithm: SignatureAlgorithm
    private let stopped = Mutex(false)

    /// - Parameter digest: SHA-256 or longer; ``recommendedDigest(for:)`` when not given.
    /// - Throws: ``IssuanceError`` with code `unsuitableKey` for a key that is neither RSA nor on a NIST curve, or
    ///   for SHA-1.
    package init(
        token: any Signing, locator: KeyLocator, subjectPublicKeyInfo: SubjectPublicKeyInfo, digest: Digest? = nil
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
        self.token = token
        self.locator = locator
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
        self.digest = digest
    }

    /// The same from what a token says of its key pair.
    package convenience init(token: any Signing, keyPair: TokenKeyPair, digest: Digest? = nil) throws {
        try self.init(
            token: token, locator: keyPair.locator,
            subjectPublicKeyInfo: SubjectPublicKeyInfo(derEncoded: keyPair.subjectPublicKeyInfo), digest: digest)
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
    package var isStopped: Bool { self.stopped.withLock { $0 } }

    /// Signs, and verifies what the token returned.
    ///
    /// - Throws: what the token throws; ``IssuanceError`` with code `wrongSignature` for a signature that does not
    ///   verify, and `keyStopped` ever after.
    package func sign(_ bytes: [UInt8]) async throws -> [UInt8] {
        try self.mustNotBeStopped()
        let signature = try await self.token.sign(bytes, with: self.locator, algorithm: self.tokenAlgorithm)
        guard self.verifies(signature, over: bytes) else {
            self.stopped.withLock { $0 = true }
            throw IssuanceError.wrongSignature(key: self.locator.reference.uri)
        }
        // A signature that was under way when another one of the same key came back wrong is not used either.
        try self.mustNotBeStopped()
        return signature
    }

    private func mustNotBeStopped() throws {
        guard !self.isStopped else { throw IssuanceError.keyStopped(key: self.locator.reference.uri) }
    }

    private func verifies(_ signature: [UInt8], over bytes: [UInt8]) -> Bool {
        // `try?`: key and algorithm were matched by the initialiser, so that what cannot be checked is as wrong as
        // what does not verify.
        (try? self.subjectPublicKeyInfo.isValidSignature(signature, over: bytes, algorithm: self.algorithm)) ?? false
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
