import BenchmarkSupport
import KeyProvider
import PKCS11KeyProvider
import X509

/// The part of issuance that no CA can leave out.
struct VerifySignVerify: Sendable {
    private let store: TokenKeyStore
    private let key: KeyLocator
    private let publicKey: Certificate.PublicKey
    private let algorithm: SignatureAlgorithm
    private let signatureAlgorithm: Certificate.SignatureAlgorithm

    init(
        store: TokenKeyStore, key: KeyLocator, subjectPublicKeyInfo: [UInt8], algorithm: KeyAlgorithm
    ) throws {
        self.store = store
        self.key = key
        self.publicKey = try Certificate.PublicKey(derEncoded: subjectPublicKeyInfo)
        self.algorithm = algorithm.isRSA ? .rsaPKCS1v15(.sha256) : .ecdsa(.sha256)
        self.signatureAlgorithm = algorithm.isRSA ? .sha256WithRSAEncryption : .ecdsaWithSHA256
    }

    func once(_ request: [UInt8]) async throws {
        let parsed = try CertificateSigningRequest(derEncoded: request)
        guard parsed.publicKey.isValidSignature(parsed.signature, for: parsed) else {
            throw BenchmarkFailure.callFailed
        }
        let signature = try await self.store.sign(RawSigner.message, with: self.key, algorithm: self.algorithm)
        guard
            self.publicKey.isValidSignature(
                signature, for: RawSigner.message, signatureAlgorithm: self.signatureAlgorithm)
        else { throw BenchmarkFailure.callFailed }
    }
}
