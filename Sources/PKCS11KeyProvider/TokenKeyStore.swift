public import DeviceProfiles
public import Diagnostics
internal import Glibc
public import KeyProvider
package import PKCS11
internal import Synchronization

/// Which token, by which module, and what is known about the device.
public struct TokenConfiguration: Sendable {
    public var modulePath: String
    /// What `C_Initialize` takes, for the few modules that take it (NSS softokn).
    public var initializationString: String?
    public var profile: DeviceProfile
    /// Names the token: exactly one present token has to fit.
    public var reference: KeyReference
    /// Threads and sessions at most, by what keeps the device busy when it is `nil`; the profile's maximum is respected
    /// as well.
    public var maximumSessions: Int?
    /// How long calls may take; by the profile when it is `nil`.
    public var deadlines: TokenDeadlines?
    /// Seconds since 1970, for health and refused PINs.
    public var clock: @Sendable () -> Int64
    /// For how long sessions are idle, and calls take.
    package var tokenClock = TokenClock.system

    public init(
        modulePath: String, initializationString: String? = nil, profile: DeviceProfile, reference: KeyReference,
        maximumSessions: Int? = nil, deadlines: TokenDeadlines? = nil,
        clock: @escaping @Sendable () -> Int64 = TokenConfiguration.systemClock
    ) {
        self.deadlines = deadlines
        self.clock = clock
        self.modulePath = modulePath
        self.initializationString = initializationString
        self.profile = profile
        self.reference = reference
        self.maximumSessions = maximumSessions
    }

    /// The clock of the host.
    public static let systemClock: @Sendable () -> Int64 = { Int64(time(nil)) }
}

/// The keys of one PKCS #11 token.
///
/// Keys are held by ``KeyLocator``; object handles are cached for one generation of sessions and found again after it,
/// and the public key is compared after every find. Only signing, decrypting and finding are repeated, after the ladder
/// of ``TokenHealth`` has brought the token back; everything that writes happens once and is taken back when it fails.
public final class TokenKeyStore: KeyToken, TokenHealthReporting {
    let profile: DeviceProfile
    let conventions: SigningConventions
    let connection: TokenConnection
    /// One writer at a time.
    let gate = WriteGate()
    /// What could not be removed when an operation failed half-way, to be removed when the token is back.
    let leftovers = Mutex<[Leftovers]>([])

    private init(connection: TokenConnection, profile: DeviceProfile) {
        self.connection = connection
        self.profile = profile
        self.conventions = SigningConventions(profile)
    }

    /// Loads the module and finds the token, on a thread of their own with the deadlines of
    /// ``TokenDeadlines/reinitialize`` and ``TokenDeadlines/rescan``, because both can hang. Does not log in: the PIN is
    /// asked for at the first use.
    ///
    /// - Parameters:
    ///   - pinPolicy: whether the PIN may be asked for again without a person, and where refusals are remembered.
    /// - Throws: ``KeyProviderError``.
    public static func open(
        _ configuration: TokenConfiguration, modules: ModuleRegistry, pinPolicy: PINPolicy = PINPolicy(),
        pin: @escaping PINSource
    ) async throws -> TokenKeyStore {
        let operation = "open the token \(configuration.reference)"
        let deadlines = configuration.deadlines ?? TokenDeadlines(profile: configuration.profile)
        let wanted = TokenIdentification(wanted: configuration.reference)
        let uri = try TokenKeyStore.uri(configuration.reference, operation: operation)
        do {
            let module = try await DetachedCalls().run(limit: deadlines.reinitialize, for: wanted) {
                try modules.module(
                    path: configuration.modulePath, initializationString: configuration.initializationString)
            }
            let login = TokenLogin(pin: pin, policy: pinPolicy, clock: configuration.clock)
            let connection = try await DetachedCalls().run(limit: deadlines.rescan, for: wanted) {
                try TokenConnection(
                    configuration, module: module, modules: modules, slot: TokenFinder(uri: uri).slot(in: module),
                    login: login)
            }
            return TokenKeyStore(connection: connection, profile: configuration.profile)
        } catch {
            throw KeyProviderError.of(error, operation: operation, profile: configuration.profile)
        }
    }

    /// Logs in now instead of at the first use. A person's word: where a lost login waits for one, the PIN is asked for
    /// again.
    ///
    /// - Throws: ``KeyProviderError`` with code ``KeyProviderError/Code/wrongPIN`` and its relatives.
    public func logIn() async throws {
        try await self.translating("log in to the token \(self.identification)") {
            try await self.connection.logIn()
        }
    }

    /// Logs out and closes all sessions; the store is not usable afterwards.
    public func close() async { await self.connection.close() }

    public func distrustHandles(afterUseOf key: KeyLocator) async -> DoubtedHandle {
        let used = self.connection.live.usable(key)?.handle
        self.connection.distrustHandles()
        do {
            let found = try await self.withKey(key, operation: "find the key \(key.reference) again") { $1.handle }
            return found == used ? .right : .changed
        } catch {
            return .keyNotFound(ErrorReport(error).headline)
        }
    }

    /// The token with its user logged in, for who examines it; not to be kept over a failure.
    package var token: Token { self.connection.live.token }

    public var identification: TokenIdentification { self.connection.identification }

    public var profileName: String { self.profile.name }

    /// Runs tasks on the threads of the token: a task that prefers it (`withTaskExecutorPreference`) and signs in a loop
    /// changes no thread for a signature. See ``TokenExecutor`` for calls that hang. A task that also does long work
    /// without the token keeps the token's threads from others, and stays off it.
    public var executor: any TaskExecutor { self.connection.executor }

    public var health: TokenHealth {
        var health = self.connection.health.health
        let token = self.connection.live.token
        health.abandonedThreads = token.abandonedThreads
        health.sessionLimit = token.sessionLimit
        return health
    }

    public func healthChanges() -> AsyncStream<TokenHealth> { self.connection.health.changes() }

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

    nonisolated(nonsending) func translating<R>(
        _ operation: @autoclosure () -> String, _ body: () async throws -> R
    ) async throws -> R {
        do {
            return try await body()
        } catch {
            throw KeyProviderError.of(error, operation: operation(), profile: self.profile)
        }
    }

    /// Runs `body` once with a session of the logged-in user. What fails is not repeated.
    func withSession<R: Sendable>(
        _ access: SessionAccess = .readOnly, isNew: Bool = false, operation: String, limit: Duration? = nil,
        late: (@Sendable (Session) -> Void)? = nil, _ body: @escaping @Sendable (Session) throws -> R
    ) async throws -> R {
        try await self.translating(operation) {
            try await self.connection.once(access, isNew: isNew, limit: limit, late: late) { session, _ in
                try body(session)
            }
        }
    }

    /// Runs `body` with a session, again after each rung of the ladder that may help. For idempotent operations only.
    ///
    /// - Parameter first: the attempt that was made already.
    nonisolated(nonsending) func withSessionRetried<R: Sendable>(
        operation: @autoclosure () -> String, forget: KeyLocator? = nil, after first: TokenConnection.Failure? = nil,
        _ body: @escaping @Sendable (Session, LiveToken) throws -> R
    ) async throws -> R {
        try await self.translating(operation()) {
            try await self.connection.retrying(forget: forget, after: first, body)
        }
    }
}

extension TokenIdentification {
    /// A token of which nothing is known but how it is named.
    init(wanted reference: KeyReference) {
        self.init(label: reference.uri, manufacturer: "", model: "", serialNumber: "?", firmware: "?", slotID: 0)
    }
}
