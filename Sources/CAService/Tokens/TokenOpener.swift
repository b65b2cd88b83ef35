import DeviceProfiles
package import Diagnostics
import Glibc
package import KeyProvider
import PKCS11
import PKCS11KeyProvider
import SecretMemory

/// Opens tokens by their configuration. Modules are loaded once and shared by the tokens that name them.
package actor TokenOpener {
    private let directory: String
    let secrets: SecretInput
    private let profiles: ProfileDirectories
    private let records: TokenRecords
    let modules: ModuleRegistry
    private let finalizesModules: Bool
    private var opened: [TokenConfiguration: Task<TokenKeyStore, any Error>] = [:]
    private var healthObserver: (@Sendable (TokenIdentification, TokenHealth) -> Void)?
    /// What was set for a module, so that a second token cannot silently change it.
    private var moduleEnvironment: [String: String] = [:]

    /// - Parameters:
    ///   - directory: relative paths of a configuration are below it.
    ///   - other: whose modules are used as well, because a module is initialised once a process; it is closed after this
    ///     one.
    package init(
        directory: String, secrets: SecretInput, profiles: ProfileDirectories, records: TokenRecords,
        beside other: TokenOpener? = nil
    ) {
        self.records = records
        self.modules = other?.modules ?? ModuleRegistry(trace: records.trace)
        self.finalizesModules = other == nil
        self.directory = directory
        self.secrets = secrets
        self.profiles = profiles
    }

    /// Tells every change in the health of tokens that are opened from now on.
    package func observeHealth(_ observer: @escaping @Sendable (TokenIdentification, TokenHealth) -> Void) {
        self.healthObserver = observer
    }

    /// Opens the token and logs in, once: later calls get the same. After a failure the next call begins anew, so that
    /// a token that was missing needs no restart; a PIN that was refused is kept in the records and not tried again.
    package func open(_ configuration: TokenConfiguration) async throws -> any KeyToken {
        if let opened = self.opened[configuration] { return try await opened.value }
        let task = Task { try await self.openNow(configuration, profile: nil) }
        self.opened[configuration] = task
        do {
            return try await task.value
        } catch {
            self.opened[configuration] = nil
            throw error
        }
    }

    /// Opens a token for which there may be no profile: `nil` is returned beside it then.
    func openForDiagnosis(_ configuration: TokenConfiguration) async throws -> (TokenKeyStore, DeviceProfile?) {
        try await self.askForCard(configuration)
        let profile: DeviceProfile?
        do {
            profile = try await self.profile(of: configuration, in: self.module(of: configuration))
        } catch let error as ServiceError where error.code == .noProfile {
            profile = nil
        }
        if let opened = self.opened[configuration] { return (try await opened.value, profile) }
        let used = profile ?? DeviceProfile(name: "unknown", summary: "A device without a profile")
        let task = Task { try await self.openNow(configuration, profile: used) }
        self.opened[configuration] = task
        return (try await task.value, profile)
    }

    private func openNow(
        _ configuration: TokenConfiguration, profile: DeviceProfile?, isOperatorsWord: Bool = false
    ) async throws -> TokenKeyStore {
        let (secrets, directory) = (self.secrets, self.directory)
        let reference = try KeyReference(configuration.token)
        try await self.askForCard(configuration)
        let module = try await self.module(of: configuration)
        let store = try await TokenKeyStore.open(
            PKCS11KeyProvider.TokenConfiguration(
                modulePath: configuration.module, initializationString: configuration.moduleArguments,
                profile: try await self.profile(of: configuration, in: module, named: profile), reference: reference),
            modules: self.modules,
            pinPolicy: PINPolicy(
                isRepeatable: configuration.pin != .prompt && !isOperatorsWord, refusals: self.records.refusals)
        ) {
            try secrets.read(
                configuration.pin, what: "the PIN of token \(configuration.token)", relativeTo: directory)
        }
        do { try await store.logIn() } catch {
            // Its sessions end before the module does: a module that is finalised under a call into it may crash.
            await store.close()
            throw error
        }
        if let observer = self.healthObserver {
            // Ends with the token: closing it ends the stream.
            Task { for await health in store.healthChanges() { observer(store.identification, health) } }
        }
        return store
    }

    func module(of configuration: TokenConfiguration) async throws -> Module {
        try self.prepareEnvironment(configuration)
        let modules = self.modules
        return try await self.detached(configuration) {
            try modules.module(path: configuration.module, initializationString: configuration.moduleArguments)
        }
    }

    /// Calls of a module that concern no session can hang as any other.
    private func detached<R: Sendable>(
        _ configuration: TokenConfiguration, _ body: @escaping @Sendable () throws -> R
    ) async throws -> R {
        try await DetachedCalls().run(
            limit: TokenDeadlines().reinitialize, for: TokenIdentification(any: configuration.token), body)
    }

    /// The profile that is named, or the one that matches the token's manufacturer, model and firmware.
    private func profile(
        of configuration: TokenConfiguration, in module: Module, named known: DeviceProfile? = nil
    ) async throws -> DeviceProfile {
        if let known { return known }
        let catalog = try ProfileCatalog(directories: self.profiles.paths)
        let overrides = configuration.profileOverrides
        if let name = configuration.profile { return try catalog.profile(named: name, overrides: overrides) }
        let uri = try PKCS11URI(configuration.token)
        return try await self.detached(configuration) {
            let present = try module.slots().map { try $0.tokenInfo().identification }
            let fitting = present.filter { uri.matches($0) }
            guard !fitting.isEmpty else { throw ServiceError.tokenNotPresent(configuration.token, present: present) }
            for token in fitting {
                guard let match = try catalog.match(token, modulePath: configuration.module) else { continue }
                return try catalog.profile(named: match.name, overrides: overrides)
            }
            throw ServiceError.noProfile(fitting, known: catalog.profiles.map(\.name))
        }
    }

    /// The profile that a token is used with; `nil` when that cannot be told now.
    func knownProfile(of configuration: TokenConfiguration) async -> DeviceProfile? {
        // `try?`: it is wanted for an advice only, and a token that is away has none.
        try? await self.profile(of: configuration, in: self.module(of: configuration))
    }

    /// Logs out of every token, and finalises the modules unless another opener has them. To be called before the program
    /// ends.
    package func close() async {
        for opening in self.opened.values {
            // A token that did not open has nothing to close.
            if let store = try? await opening.value { await store.close() }
        }
        self.opened = [:]
        guard self.finalizesModules else { return }
        let modules = self.modules
        // A module in which a call hangs may hang in this one as well, and the program ends all the same.
        try? await DetachedCalls().run(limit: .seconds(10), for: TokenIdentification(any: "?")) {
            modules.finalizeAll()
        }
    }

    /// Forgets that the token refused a PIN, and logs in once by the operator's word, which also clears the token's own
    /// mark of a wrong PIN (`CKF_USER_PIN_COUNT_LOW`).
    ///
    /// - Returns: the token, and how many PINs it had refused.
    package func unblock(
        _ configuration: TokenConfiguration
    ) async throws -> (token: TokenIdentification, refused: Int) {
        let forgotten = try await self.forgetRefusals(configuration)
        let profile = try await self.profile(of: configuration, in: self.module(of: configuration))
        let task = Task { try await self.openNow(configuration, profile: profile, isOperatorsWord: true) }
        self.opened[configuration] = task
        _ = try await task.value
        return forgotten
    }

    private func forgetRefusals(
        _ configuration: TokenConfiguration
    ) async throws -> (token: TokenIdentification, refused: Int) {
        let uri = try PKCS11URI(KeyReference(configuration.token).uri)
        let module = try await self.module(of: configuration)
        let present = try await self.detached(configuration) {
            try module.slots().map { try $0.tokenInfo().identification }
        }
        let fitting = present.filter { uri.matches($0) }
        guard let token = fitting.first, fitting.count == 1 else {
            throw ServiceError.tokenNotNamed(configuration.token, present: fitting.isEmpty ? present : fitting)
        }
        let refusals = self.records.refusals
        return try await refusals.exclusively {
            let refused = try refusals.refusal(for: token)?.count ?? 0
            try refusals.clear(token)
            return (token, refused)
        }
    }

    /// Initialises an empty token, sets both PINs, and gives the identification it has then.
    package func initialize(
        _ configuration: TokenConfiguration, securityOfficerPIN: PINSource
    ) async throws -> TokenIdentification {
        let reference = try KeyReference(configuration.token)
        let module = try await self.module(of: configuration)
        let officer = try self.secrets.readNew(
            securityOfficerPIN, what: "the security officer's PIN of token \(configuration.token)")
        let user = try self.secrets.readNew(configuration.pin, what: "the PIN of token \(configuration.token)")
        return try await TokenInitialization(
            module: module, uri: PKCS11URI(reference.uri), deadlines: self.deadlines(of: configuration)
        ).run(securityOfficerPIN: officer, userPIN: user)
    }

    /// Those of the profile that is named; an empty token matches none.
    private func deadlines(of configuration: TokenConfiguration) throws -> TokenDeadlines {
        guard let name = configuration.profile else { return TokenDeadlines() }
        return try TokenDeadlines(
            profile: ProfileCatalog(directories: self.profiles.paths)
                .profile(named: name, overrides: configuration.profileOverrides))
    }

    /// Sets the variables that the module reads when it is initialised. They belong to the process, so two tokens
    /// that want different values cannot be open together.
    private func prepareEnvironment(_ configuration: TokenConfiguration) throws {
        for (name, value) in configuration.moduleEnvironment {
            guard self.moduleEnvironment[name] ?? value == value else {
                throw ServiceError.moduleEnvironmentConflict(name, token: configuration.token)
            }
            setenv(name, value, 1)
            self.moduleEnvironment[name] = value
        }
    }
}

extension ServiceError {
    fileprivate static func tokenNotNamed(_ reference: String, present: [TokenIdentification]) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "tokenNotNamed"),
            headline: "The reference \(reference) does not fit exactly one token.",
            hresult: .noSmartCard, facts: present.map { Fact("token present", $0.description) },
            advice: ["Connect the token, and name its label and serial number."])
    }
}

extension TokenIdentification {
    /// A token of which nothing is known but how it is named.
    fileprivate init(any name: String) {
        self.init(label: name, manufacturer: "", model: "", serialNumber: "?", firmware: "?", slotID: 0)
    }
}
