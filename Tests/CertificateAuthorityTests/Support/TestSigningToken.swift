import Crypto
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import Synchronization

/// A P-256 key in software behind ``Signing``, for these tests only: what it can do that no real token can is to fail
/// and to sign wrongly on command.
final class TestSigningToken: Signing {
    enum Behaviour: Sendable {
        case sound
        /// A valid signature over other bytes.
        case signsWrongly
        /// The device is gone.
        case fails
    }

    let subjectPublicKeyInfo: SubjectPublicKeyInfo
    let locator: KeyLocator
    private let key = P256.Signing.PrivateKey()
    private let state = Mutex((behaviour: Behaviour.sound, calls: 0))
    private let beforeSigning: @Sendable () throws -> Void

    /// - Parameter beforeSigning: runs at each call; what it throws is the call's error.
    init(label: String = "ca", beforeSigning: @escaping @Sendable () throws -> Void = {}) throws {
        self.beforeSigning = beforeSigning
        self.subjectPublicKeyInfo = try SubjectPublicKeyInfo(derEncoded: Array(self.key.publicKey.derRepresentation))
        self.locator = KeyLocator(
            reference: try KeyReference("pkcs11:token=\(label);id=%01;type=private"),
            publicKeySHA256: self.subjectPublicKeyInfo.sha256)
    }

    var calls: Int { self.state.withLock { $0.calls } }

    func behave(_ behaviour: Behaviour) {
        self.state.withLock { $0.behaviour = behaviour }
    }

    /// What a token would say of the pair.
    var keyPair: TokenKeyPair {
        TokenKeyPair(
            locator: self.locator, subjectPublicKeyInfo: self.subjectPublicKeyInfo.derBytes, algorithm: .p256,
            label: "ca", attributes: KeyAttributes())
    }

    func sign(_ message: [UInt8], with key: KeyLocator, algorithm: SignatureAlgorithm) async throws -> [UInt8] {
        let behaviour = self.state.withLock { state in
            state.calls += 1
            return state.behaviour
        }
        try self.beforeSigning()
        guard key == self.locator, algorithm == .ecdsa(.sha256) else {
            throw TestSigningToken.failure("wrong key or algorithm")
        }
        switch behaviour {
        case .sound: return Array(try self.key.signature(for: message).derRepresentation)
        case .signsWrongly: return Array(try self.key.signature(for: message + [0]).derRepresentation)
        case .fails: throw TestSigningToken.failure("the token is gone")
        }
    }

    private static func failure(_ reason: String) -> KeyProviderError {
        KeyProviderError(
            code: .tokenRemoved, operation: "sign", reason: reason, hresult: .removedCard,
            tokenFailure: TokenFailure(
                function: "C_Sign", returnValue: ReturnValue(name: "CKR_DEVICE_REMOVED") ?? ReturnValue(rawValue: 50)),
            advice: ["Put the token back."])
    }
}
