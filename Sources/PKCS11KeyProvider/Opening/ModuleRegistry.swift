internal import Diagnostics
internal import Dispatch
internal import KeyProvider
public import PKCS11
internal import Synchronization

/// The PKCS #11 modules of a program, each loaded once: a module is per process, so tokens behind one library have to
/// share it. Made by the composition root and passed on; modules stay loaded as long as this object.
public final class ModuleRegistry: Sendable {
    private struct Key: Hashable {
        let path: String
        let initializationString: String?
    }

    /// Not the connection itself, which holds the registry.
    private struct User {
        weak var connection: TokenConnection?
    }

    /// A module, from the moment on when somebody asks for it.
    private final class Place: Sendable {
        /// Held by who loads it; others who want it wait.
        let loading = Mutex(())
        let module = Mutex<Module?>(nil)
    }

    private let places = Mutex<[Key: Place]>([:])
    private let turn = DispatchSemaphore(value: 1)
    private let users = Mutex<[User]>([])
    private let gate = WriteGate()
    private let trace: CallTrace?

    /// - Parameter trace: where every call into every module is recorded.
    public init(trace: CallTrace? = nil) {
        self.trace = trace
    }

    /// The module at a path, loaded and initialised at the first call.
    ///
    /// - Throws: ``KeyProviderError`` with code ``KeyProviderError/Code/moduleNotLoaded``.
    public func module(path: String, initializationString: String? = nil) throws -> Module {
        let key = Key(path: path, initializationString: initializationString)
        let place = self.places.withLock { places in
            let place = places[key] ?? Place()
            places[key] = place
            return place
        }
        return try place.loading.withLock { _ in
            if let module = place.module.withLock({ $0 }) { return module }
            do throws(ModuleLoadError) {
                let module = try self.inTurn { () throws(ModuleLoadError) in
                    try Module(path: path, initializationString: initializationString, trace: self.trace)
                }
                place.module.withLock { $0 = module }
                return module
            } catch {
                throw KeyProviderError.moduleNotLoaded(error)
            }
        }
    }

    /// Initialises one module after the other: those that read their configuration with functions of the C library that
    /// keep one place for all of a process (`strtok` in SoftHSM 2.6.1) get each other's at the same moment. One that
    /// hangs keeps the others only for a while.
    private func inTurn<R>(_ body: () throws(ModuleLoadError) -> R) throws(ModuleLoadError) -> R {
        let hasTurn = self.turn.wait(timeout: .now() + .seconds(3)) == .success
        defer { if hasTurn { self.turn.signal() } }
        return try body()
    }

    /// Finalises every module, after the tokens behind them are closed; see `Module.finalize()`. One whose
    /// initialisation has not come to its end is left alone.
    public func finalizeAll() {
        let places = self.places.withLock { places in
            defer { places = [:] }
            return places.values
        }
        for place in places { place.module.withLock({ $0 })?.finalize() }
    }

    func register(_ connection: TokenConnection) {
        self.users.withLock { users in
            users.removeAll { $0.connection == nil }
            users.append(User(connection: connection))
        }
    }

    /// Finalises and initialises a module for a connection that has closed its token. Only when nobody else uses the
    /// module: a token that works is not taken away to bring another one back.
    func reinitialize(_ module: Module, for connection: TokenConnection) async throws {
        try await self.gate.exclusively { try await self.reinitializeNow(module, for: connection) }
    }

    private func reinitializeNow(_ module: Module, for connection: TokenConnection) async throws {
        let operation = "initialise the module \(module.path) again"
        let all = self.users.withLock { $0.compactMap(\.connection) }.filter { $0.module === module }
        let others = all.filter { $0 !== connection }
        if let busy = others.first(where: { !$0.isIdle }) {
            throw KeyProviderError.notReinitialized(
                operation: operation, reason: "its token \(busy.identification) is in use")
        }
        for other in others { await other.live.token.close() }
        guard all.allSatisfy({ $0.live.token.abandonedThreads == 0 && $0.slotCalls.running == 0 }) else {
            throw KeyProviderError.notReinitialized(
                operation: operation, reason: "a call into it has not returned")
        }
        for other in others { other.lostModule() }
        let done = try await connection.slotCalls.run(
            limit: connection.deadlines.reinitialize, for: connection.identification
        ) {
            try self.inTurn { () throws(ModuleLoadError) in try module.reinitialize() }
        }
        guard done else {
            throw KeyProviderError.notReinitialized(
                operation: operation, reason: "another part of this program initialised it")
        }
    }
}

extension TokenConnection {
    /// The module is taken from under a connection that does not work; it finds its token again at its next use.
    func lostModule() {
        self.state.withLock { state in
            if case .closed = state.status { return }
            let error = PKCS11Error(
                returnValue: .cryptokiNotInitialized, function: "C_Finalize", token: state.live.token.identification)
            state.status = .lost(.rescan, error)
        }
    }
}
