import Foundation
import KeyProvider
import PKIMessages
import SecretMemory
import Synchronization
import TestSupport

/// Stands in for a token in the handshake tests: signs with a key that openssl made, or wrongly.
final class SoftwareSigner: Signing, KeyFinding {
    private let privateKey: SecretBytes
    private let pair: TokenKeyPair
    private let isFaulty: Bool
    private let used = Mutex<[SignatureAlgorithm]>([])

    /// With which algorithms it signed.
    var algorithms: [SignatureAlgorithm] { self.used.withLock { $0 } }

    init(keyFile: String, publicKey: SubjectPublicKeyInfo, isFaulty: Bool = false) async throws {
        let result = try await run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", keyFile, "-outform", "DER"])
        self.privateKey = try SecretBytes(copying: result.stdout)
        self.isFaulty = isFaulty
        let locator = KeyLocator(
            reference: try KeyReference("pkcs11:token=test;id=%01"), publicKeySHA256: publicKey.sha256)
        self.pair = TokenKeyPair(
            locator: locator, subjectPublicKeyInfo: publicKey.derBytes, algorithm: .p256, label: "tls",
            attributes: KeyAttributes())
    }

    func sign(_ message: [UInt8], with key: KeyLocator, algorithm: SignatureAlgorithm) async throws -> [UInt8] {
        self.used.withLock { $0.append(algorithm) }
        let digest: Digest =
            switch algorithm {
            case .rsaPKCS1v15(.sha512), .ecdsa(.sha512): .sha512
            case .rsaPKCS1v15(.sha384), .ecdsa(.sha384): .sha384
            default: .sha256
            }
        return try SoftwareKeys.sign(self.isFaulty ? message + [0] : message, with: self.privateKey, digest: digest)
    }

    func keyPairs() async throws -> [TokenKeyPair] { [self.pair] }
    func keyPair(_ locator: KeyLocator) async throws -> TokenKeyPair { self.pair }
    func certificates(for key: KeyLocator) async throws -> [[UInt8]] { [] }
}
