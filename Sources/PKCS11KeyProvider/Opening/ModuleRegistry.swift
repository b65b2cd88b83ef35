internal import Diagnostics
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

    private let modules = Mutex<[Key: Module]>([:])
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
        return try self.modules.withLock { modules in
            if let module = modules[key] { return module }
            do throws(ModuleLoadError) {
                let module = try Module(path: path, initializationString: initializationString, trace: self.trace)
                modules[key] = module
                return module
            } catch {
                throw KeyProviderError.moduleNotLoaded(error)
            }
        }
    }

    /// Finalises every module, after the tokens behind them are closed; see `Module.finalize()`.
    public func finalizeAll() {
        let modules = self.modules.withLock { modules in
            defer { modules = [:] }
            return modules.values
        }
        for module in modules { module.finalize() }
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
        await self.gate.enter()
        do {
            try await self.reinitializeNow(module, for: connection)
            await self.gate.leave()
        } catch {
            await self.gate.leave()
            throw error
        }
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
        ) { try module.reinitialize() }
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
