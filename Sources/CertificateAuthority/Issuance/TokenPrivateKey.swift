package import Foundation
import PKIMessages
package import SwiftASN1
package import X509

/// A key on a token as swift-certificates wants a private key: for certification requests of a subordinate CA, of a
/// key recovery agent, of a TLS server.
///
/// It signs asynchronously only, verifies what the token returned, and has no bytes to serialise.
package struct TokenPrivateKey: CustomPrivateKey {
    private let key: CASigningKey
    private let recorder: KeyUseRecorder?
    package let publicKey: Certificate.PublicKey
    package let defaultSignatureAlgorithm: Certificate.SignatureAlgorithm

    /// - Parameter recorder: for a CA's key, whose every use is in the ledger.
    /// - Throws: `CertificateError` for a public key that swift-certificates does not know.
    init(_ key: CASigningKey, recorder: KeyUseRecorder? = nil) throws {
        self.key = key
        self.recorder = recorder
        self.publicKey = try Certificate.PublicKey(derEncoded: key.subjectPublicKeyInfo.derBytes)
        self.defaultSignatureAlgorithm = TokenPrivateKey.algorithm(of: key)
    }

    package var supportedSignatureAlgorithms: [Certificate.SignatureAlgorithm] { [self.defaultSignatureAlgorithm] }

    package func signSynchronously(
        bytes: some DataProtocol, signatureAlgorithm: Certificate.SignatureAlgorithm
    ) throws -> Certificate.Signature {
        throw IssuanceError.unsupportedKeyOperation("sign synchronously")
    }

    package func signAsynchronously(
        bytes: some DataProtocol & Sendable, signatureAlgorithm: Certificate.SignatureAlgorithm
    ) async throws -> Certificate.Signature {
        guard signatureAlgorithm == self.defaultSignatureAlgorithm else {
            throw IssuanceError.unsupportedKeyOperation("sign with \(signatureAlgorithm)")
        }
        let signature =
            if let recorder { try await recorder.sign(Array(bytes), with: self.key) } else {
                try await self.key.sign(Array(bytes))
            }
        return try Certificate.Signature(
            signatureAlgorithm: signatureAlgorithm, signatureBytes: ASN1BitString(bytes: signature[...]))
    }

    package static var defaultPEMDiscriminator: String { "PRIVATE KEY" }

    package func serialize(into coder: inout DER.Serializer) throws {
        throw IssuanceError.unsupportedKeyOperation("write a private key as DER")
    }

    package func serializeAsPEM(discriminator: String) throws -> PEMDocument {
        throw IssuanceError.unsupportedKeyOperation("write a private key as PEM")
    }

    package static func == (lhs: TokenPrivateKey, rhs: TokenPrivateKey) -> Bool {
        lhs.key.locator == rhs.key.locator && lhs.publicKey == rhs.publicKey
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.key.locator)
    }

    private static func algorithm(of key: CASigningKey) -> Certificate.SignatureAlgorithm {
        switch (key.subjectPublicKeyInfo.isRSA, key.digest) {
        case (true, .sha384): .sha384WithRSAEncryption
        case (true, .sha512): .sha512WithRSAEncryption
        case (true, _): .sha256WithRSAEncryption
        case (false, .sha384): .ecdsaWithSHA384
        case (false, .sha512): .ecdsaWithSHA512
        case (false, _): .ecdsaWithSHA256
        }
    }
}
