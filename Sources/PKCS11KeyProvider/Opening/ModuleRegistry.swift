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

    private let modules = Mutex<[Key: Module]>([:])

    public init() {}

    /// The module at a path, loaded and initialised at the first call.
    ///
    /// - Throws: ``KeyProviderError`` with code ``KeyProviderError/Code/moduleNotLoaded``.
    public func module(path: String, initializationString: String? = nil) throws -> Module {
        let key = Key(path: path, initializationString: initializationString)
        return try self.modules.withLock { modules in
            if let module = modules[key] { return module }
            do throws(ModuleLoadError) {
                let module = try Module(path: path, initializationString: initializationString)
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
}
