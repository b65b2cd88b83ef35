public import Diagnostics
internal import KeyProvider
internal import PKCS11

/// Waits for a token that has to be connected: a card to insert, a device to switch on.
public struct TokenWaiting: Sendable {
    /// What is told while it is waited for.
    public enum Progress: Hashable, Sendable {
        /// Nothing new is there. The wanted token, as its reference names it.
        case waiting(wanted: String)
        /// Another token has come, which is not the one; the wait goes on.
        case wrongToken(TokenIdentification, wanted: String)
        /// It is there.
        case found(TokenIdentification)
    }

    private let configuration: TokenConfiguration
    private let modules: ModuleRegistry
    private let interval: Duration

    /// - Parameter interval: between two looks.
    public init(
        _ configuration: TokenConfiguration, modules: ModuleRegistry, interval: Duration = .milliseconds(500)
    ) {
        self.configuration = configuration
        self.modules = modules
        self.interval = interval
    }

    /// What the person is asked for: label and serial number, as far as the reference names them.
    public var wanted: String {
        get throws {
            let uri = try TokenKeyStore.uri(self.configuration.reference, operation: "wait for a token")
            let parts = [uri.token.map { "\"\($0)\"" }, uri.serial.map { "serial number \($0)" }].compactMap { $0 }
            return parts.isEmpty ? uri.description : parts.joined(separator: ", ")
        }
    }

    /// Returns when exactly one token fits the reference. Looks at once, and then again after each interval; a token
    /// that does not fit is told once, as long as it stays.
    ///
    /// - Parameter progress: called at the first look that finds nothing, and for every other token that comes.
    /// - Throws: `CancellationError` when the task is cancelled, ``KeyProviderError`` `tokenAmbiguous` or another
    ///   failure that waiting does not mend.
    public func wait(_ progress: @Sendable (Progress) -> Void) async throws -> TokenIdentification {
        let operation = "wait for the token \(self.configuration.reference)"
        let finder = TokenFinder(uri: try TokenKeyStore.uri(self.configuration.reference, operation: operation))
        let wanted = try self.wanted
        let deadlines = self.configuration.deadlines ?? TokenDeadlines(profile: self.configuration.profile)
        let calls = DetachedCalls()
        let nobody = TokenIdentification(wanted: self.configuration.reference)
        let module = try await self.translating(operation) {
            try await calls.run(limit: deadlines.reinitialize, for: nobody) { [modules, configuration] in
                try modules.module(
                    path: configuration.modulePath, initializationString: configuration.initializationString)
            }
        }
        var known: Set<TokenIdentification> = []
        var isFirst = true
        while true {
            try Task.checkCancellation()
            let look = try await self.translating(operation) {
                try await calls.run(limit: deadlines.rescan, for: nobody) { try finder.look(in: module) }
            }
            if let found = look.found {
                progress(.found(found))
                return found
            }
            let present = Set(look.others)
            if isFirst && present.isEmpty { progress(.waiting(wanted: wanted)) }
            for other in look.others where !known.contains(other) { progress(.wrongToken(other, wanted: wanted)) }
            if !isFirst, present.isEmpty, !known.isEmpty { progress(.waiting(wanted: wanted)) }
            (known, isFirst) = (present, false)
            try await Task.sleep(for: self.interval)
        }
    }

    private func translating<R>(_ operation: String, _ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch {
            throw KeyProviderError.of(error, operation: operation, profile: self.configuration.profile)
        }
    }
}

extension TokenFinder {
    /// The token that fits, or those that are there instead.
    fileprivate func look(in module: Module) throws -> (found: TokenIdentification?, others: [TokenIdentification]) {
        do {
            return (try self.slot(in: module).tokenInfo().identification, [])
        } catch let error as KeyProviderError where error.code == .tokenNotFound {
            // What came between the two looks is seen at the next one.
            return (nil, try self.present(in: module).filter { !self.uri.matches($0) })
        } catch let error as PKCS11Error
            where FailureClass.of(error.returnValue, function: error.function) == .tokenGone
        {
            // It went away between two calls.
            return (nil, [])
        }
    }
}
