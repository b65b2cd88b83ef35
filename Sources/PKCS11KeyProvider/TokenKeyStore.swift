public import DeviceProfiles
public import Diagnostics
public import KeyProvider
internal import PKCS11
internal import Synchronization

/// Which token, by which module, and what is known about the device.
public struct TokenConfiguration: Sendable {
    public var modulePath: String
    /// What `C_Initialize` takes, for the few modules that take it (NSS softokn).
    public var initializationString: String?
    public var profile: DeviceProfile
    /// Names the token: exactly one present token has to fit.
    public var reference: KeyReference
    /// Threads and sessions at most; the profile's maximum is respected as well.
    public var maximumSessions: Int

    public init(
        modulePath: String, initializationString: String? = nil, profile: DeviceProfile, reference: KeyReference,
        maximumSessions: Int = 4
    ) {
        self.modulePath = modulePath
        self.initializationString = initializationString
        self.profile = profile
        self.reference = reference
        self.maximumSessions = maximumSessions
    }
}

/// The keys of one PKCS #11 token.
///
/// Keys are held by ``KeyLocator``; object handles are cached and found again when the token no longer knows them, and
/// the public key is compared after every find. Only signing, decrypting and finding are repeated, once; everything
/// that writes happens once and is taken back when it fails.
public final class TokenKeyStore: KeyToken {
    let token: Token
    let profile: DeviceProfile
    let handles = Mutex<[KeyLocator: PrivateKeyObject]>([:])
    private let login: TokenLogin
    private let gate = WriteGate()

    private init(token: Token, profile: DeviceProfile, pin: @escaping PINSource) {
        self.token = token
        self.profile = profile
        self.login = TokenLogin(token: token, pin: pin)
    }

    /// Finds the token. Does not log in: the PIN is asked for at the first use.
    ///
    /// - Throws: ``KeyProviderError``.
    public static func open(
        _ configuration: TokenConfiguration, modules: ModuleRegistry, pin: @escaping PINSource
    ) throws -> TokenKeyStore {
        let operation = "open the token \(configuration.reference)"
        let module = try modules.module(
            path: configuration.modulePath, initializationString: configuration.initializationString)
        let uri = try TokenKeyStore.uri(configuration.reference, operation: operation)
        do {
            let slot = try TokenFinder(uri: uri).slot(in: module)
            let sessions = configuration.profile.sessionLimit(atMost: configuration.maximumSessions)
            let token = try Token(slot: slot, maximumSessions: sessions)
            return TokenKeyStore(token: token, profile: configuration.profile, pin: pin)
        } catch {
            throw KeyProviderError.of(error, operation: operation)
        }
    }

    /// Logs in now instead of at the first use.
    ///
    /// - Throws: ``KeyProviderError`` with code ``KeyProviderError/Code/wrongPIN`` and its relatives.
    public func logIn() async throws { try await self.login.ensure() }

    /// Logs out and closes all sessions; the store is not usable afterwards.
    public func close() async { await self.token.close() }

    public var identification: TokenIdentification { self.token.identification }

    public var profileName: String { self.profile.name }

    public var oaepHashes: [HashAlgorithm] {
        (self.profile.mechanisms.oaep.value ?? []).compactMap(HashAlgorithm.init(profileHash:))
    }

    static func uri(_ reference: KeyReference, operation: String) throws(KeyProviderError) -> PKCS11URI {
        do throws(PKCS11URIError) {
            return try PKCS11URI(reference.uri)
        } catch {
            throw .invalidReference(error, operation: operation)
        }
    }

    /// Runs `body` with a session of the logged-in user.
    func withSession<R: Sendable>(
        _ access: SessionAccess = .readOnly, isNew: Bool = false, operation: String,
        _ body: @escaping @Sendable (Session) throws -> R
    ) async throws -> R {
        try await self.login.ensure()
        do {
            return try await self.token.withSession(access, isNew: isNew, body)
        } catch {
            throw KeyProviderError.of(error, operation: operation)
        }
    }

    /// Like ``withSession(_:isNew:operation:_:)``, once more in a new session when the failure is one that a new
    /// session or a new find can mend. For idempotent operations only.
    func withSessionRetried<R: Sendable>(
        operation: String, forget: @Sendable () -> Void = {}, _ body: @escaping @Sendable (Session) throws -> R
    ) async throws -> R {
        try await self.login.ensure()
        do {
            return try await self.token.withSession(.readOnly, body)
        } catch let error as PKCS11Error where error.retryPolicy == .retry {
            forget()
            return try await self.withSession(isNew: true, operation: operation, body)
        } catch {
            throw KeyProviderError.of(error, operation: operation)
        }
    }

    /// One writer at a time.
    func exclusively<R: Sendable>(_ body: () async throws -> R) async throws -> R {
        await self.gate.enter()
        do {
            let result = try await body()
            await self.gate.leave()
            return result
        } catch {
            await self.gate.leave()
            throw error
        }
    }
}
