import Foundation
import KeyProvider
import NIOCore
import NIOSSL
import PKIMessages

/// A TLS server key that stays on its token: NIOSSL asks it to sign each handshake.
///
/// ECDSA on P-256, P-384 and P-521 serves TLS 1.2 and 1.3. An RSA key signs PKCS #1 v1.5, which TLS 1.3 does not
/// allow in handshakes (RFC 8446, section 4.2.3), so it serves TLS 1.2 only. RSA key exchange, which would need the
/// token to decrypt, is not offered.
struct TokenTLSPrivateKey: NIOSSLCustomPrivateKey, Hashable {
    private let token: any Signing
    private let locator: KeyLocator
    private let publicKey: SubjectPublicKeyInfo
    let signatureAlgorithms: [NIOSSL.SignatureAlgorithm]

    /// - Returns: `nil` for a public key of another algorithm.
    init?(token: any Signing, locator: KeyLocator, publicKey: SubjectPublicKeyInfo) {
        let algorithms = TokenTLSPrivateKey.algorithms(for: publicKey)
        guard !algorithms.isEmpty else { return nil }
        self.token = token
        self.locator = locator
        self.publicKey = publicKey
        self.signatureAlgorithms = algorithms
    }

    private static func algorithms(for publicKey: SubjectPublicKeyInfo) -> [NIOSSL.SignatureAlgorithm] {
        if publicKey.isRSA { return [.rsaPkcs1Sha256, .rsaPkcs1Sha384, .rsaPkcs1Sha512] }
        return switch publicKey.namedCurve {
        case OID.secp256r1: [.ecdsaSecp256R1Sha256]
        case OID.secp384r1: [.ecdsaSecp384R1Sha384]
        case OID.secp521r1: [.ecdsaSecp521R1Sha512]
        default: []
        }
    }

    func sign(
        channel: any Channel, algorithm: NIOSSL.SignatureAlgorithm, data: ByteBuffer
    ) -> EventLoopFuture<ByteBuffer> {
        let message = Array(data.readableBytesView)
        return channel.eventLoop.makeFutureWithTask {
            ByteBuffer(bytes: try await self.sign(message, algorithm))
        }
    }

    /// Never called, because no cipher suite with RSA key exchange is offered; refused by name if it were.
    func decrypt(channel: any Channel, data: ByteBuffer) -> EventLoopFuture<ByteBuffer> {
        channel.eventLoop.makeFailedFuture(EnrollmentWebError.unsupportedHandshakeAlgorithm)
    }

    /// The signature is verified before it leaves, like every signature that a token returns.
    func sign(_ message: [UInt8], _ algorithm: NIOSSL.SignatureAlgorithm) async throws -> [UInt8] {
        guard let (scheme, identifier) = TokenTLSPrivateKey.scheme(algorithm) else {
            throw EnrollmentWebError.unsupportedHandshakeAlgorithm
        }
        let signature = try await self.token.sign(message, with: self.locator, algorithm: scheme)
        guard try self.publicKey.isValidSignature(signature, over: message, algorithm: identifier) else {
            throw EnrollmentWebError.wrongHandshakeSignature
        }
        return signature
    }

    private static func scheme(
        _ algorithm: NIOSSL.SignatureAlgorithm
    ) -> (KeyProvider.SignatureAlgorithm, SignatureAlgorithmIdentifier)? {
        switch algorithm {
        case .rsaPkcs1Sha256: (.rsaPKCS1v15(.sha256), .sha256WithRSA)
        case .rsaPkcs1Sha384: (.rsaPKCS1v15(.sha384), .sha384WithRSA)
        case .rsaPkcs1Sha512: (.rsaPKCS1v15(.sha512), .sha512WithRSA)
        case .ecdsaSecp256R1Sha256: (.ecdsa(.sha256), .ecdsaWithSHA256)
        case .ecdsaSecp384R1Sha384: (.ecdsa(.sha384), .ecdsaWithSHA384)
        case .ecdsaSecp521R1Sha512: (.ecdsa(.sha512), .ecdsaWithSHA512)
        default: nil
        }
    }

    static func == (lhs: TokenTLSPrivateKey, rhs: TokenTLSPrivateKey) -> Bool { lhs.locator == rhs.locator }

    func hash(into hasher: inout Hasher) { hasher.combine(self.locator) }
}
