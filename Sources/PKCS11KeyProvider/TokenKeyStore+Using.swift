internal import DeviceProfiles
internal import Diagnostics
public import KeyProvider
internal import PKCS11
public import SecretMemory

extension TokenKeyStore {
    /// Hashes on the host, and has the token sign by `CKM_RSA_PKCS`, `CKM_RSA_PKCS_PSS` or `CKM_ECDSA`, which every
    /// device has; by a mechanism that hashes where the profile lists no other.
    public nonisolated(nonsending) func sign(
        _ message: [UInt8], with key: KeyLocator, algorithm: SignatureAlgorithm
    ) async throws -> [UInt8] {
        let input = try SigningInput(message, algorithm, self.conventions, operation: key.signingOperation)
        return try await self.sign(input, with: key)
    }

    /// The same for a hash that was made elsewhere.
    public nonisolated(nonsending) func sign(
        digest: [UInt8], with key: KeyLocator, algorithm: SignatureAlgorithm
    ) async throws -> [UInt8] {
        let input = try SigningInput(digest: digest, algorithm, self.conventions, operation: key.signingOperation)
        return try await self.sign(input, with: key)
    }

    private nonisolated(nonsending) func sign(_ input: SigningInput, with key: KeyLocator) async throws -> [UInt8] {
        var first: TokenConnection.Failure?
        // The way of nearly every signature: the token is ready, and the handle is known.
        if let live = self.connection.readyNow, let usable = live.usable(key), !usable.alwaysAuthenticate {
            let work = SigningWork(input, with: usable, of: live)
            do {
                try await live.token.perform(work)
                self.connection.succeeded(live)
                return work.signature
            } catch {
                first = .init(live: live, error: error)
            }
        }
        return try await self.withAuthorizedKey(key, operation: key.signingOperation, after: first) {
            session, object, authorization in
            try input.sign(session, object.usable, authorization)
        }
    }

    /// `C_Decrypt` into locked memory.
    public func decrypt(
        _ ciphertext: [UInt8], with key: KeyLocator, transport: KeyTransportAlgorithm
    ) async throws -> SecretBytes {
        let operation = "decrypt with the key \(key.reference)"
        try transport.require(by: self.profile, operation: operation)
        return try await self.withAuthorizedKey(key, operation: operation) { session, key, authorization in
            guard key.algorithm.isRSA else {
                throw KeyProviderError.unsupported(
                    operation: operation, reason: "the key is not an RSA key", advice: "Use an RSA key to decrypt.")
            }
            return try SecretBytes(capacity: max(512, ciphertext.count)) { buffer in
                try session.decrypt(
                    ciphertext, with: key.handle, transport.mechanism, into: buffer,
                    authorize: authorization?.authorize)
            }
        }
    }

    /// Like ``withKey(_:operation:_:)``, with the PIN for a key that wants it at each use.
    private nonisolated(nonsending) func withAuthorizedKey<R: Sendable>(
        _ locator: KeyLocator, operation: @autoclosure @escaping @Sendable () -> String,
        after first: TokenConnection.Failure? = nil,
        _ body: @escaping @Sendable (Session, PrivateKeyObject, UseAuthorization?) throws -> R
    ) async throws -> R {
        do {
            return try await self.withKey(locator, operation: operation(), after: first) { session, key in
                guard !key.alwaysAuthenticate else { throw UseAuthorization.Needed() }
                return try body(session, key, nil)
            }
        } catch is UseAuthorization.Needed {
            let token = self.connection.live.token
            let pin = try await self.translating(operation()) {
                try await self.connection.login.pinForUse(token, operation: operation())
            }
            let authorization = UseAuthorization(pin: pin)
            do {
                return try await self.withKey(locator, operation: operation()) { try body($0, $1, authorization) }
            } catch let error as KeyProviderError where error.tokenFailure?.function == "C_Login" {
                try await self.connection.login.refused(error, on: token.identification)
                throw error
            }
        }
    }
}

extension KeyLocator {
    fileprivate var signingOperation: String { "sign with the key \(self.reference)" }
}

/// The PIN for one use of a key (PKCS #11 v2.40, section 5.6, `CKU_CONTEXT_SPECIFIC`).
struct UseAuthorization: Sendable {
    /// `nil` when it is entered at the device.
    let pin: SecretBytes?

    /// The key wants the PIN at each use.
    struct Needed: Error {}

    func authorize(_ session: Session) throws(PKCS11Error) {
        guard let pin = self.pin else { return try session.login(.contextSpecific, pin: nil) }
        let result = pin.withUnsafeBytes { bytes in
            Result { () throws(PKCS11Error) in try session.login(.contextSpecific, pin: bytes) }
        }
        try result.get()
    }
}
