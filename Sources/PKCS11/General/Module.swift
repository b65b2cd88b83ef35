internal import CPKCS11
internal import Diagnostics
internal import Glibc
internal import Synchronization

/// A loaded and initialised PKCS #11 module (PKCS #11 v2.40, section 5.4).
///
/// Load one module once a process and share it. The module is finalised when the last reference goes, if this object
/// initialised it; its library stays mapped, because modules leave threads and exit handlers behind that would run
/// into unmapped memory.
public final class Module: Sendable {
    /// The path the module was loaded from.
    public let path: String
    let functions: FunctionTable
    /// True while this object has to call `C_Finalize`.
    private let finalizes: Atomic<Bool>

    /// Loads the library and calls `C_Initialize` with `CKF_OS_LOCKING_OK`.
    ///
    /// - Parameters:
    ///   - path: the file of the library; a name without a slash is looked up by the dynamic linker.
    ///   - initializationString: what some modules (NSS softokn) take in the reserved field; `nil` for all others.
    /// - Throws: ``ModuleLoadError``.
    public init(path: String, initializationString: String? = nil) throws(ModuleLoadError) {
        self.path = path
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw .notLoaded(path, reason: dlerror().map { String(cString: $0) } ?? "the loader gives no reason")
        }
        do throws(ModuleLoadError) {
            self.functions = try Module.functionTable(of: handle, path: path)
            self.finalizes = Atomic(
                try Module.initialize(self.functions, path: path, reserved: initializationString))
        } catch {
            dlclose(handle)
            throw error
        }
    }

    deinit {
        self.finalize()
    }

    /// Calls `C_Finalize` now, if this object did initialise the module; every later call into it fails.
    ///
    /// A program calls this before it ends, after its tokens are closed: modules have exit handlers of their own, and
    /// one that runs while another thread finalises the module can wait for ever (seen with SoftHSM 2.6.1).
    public func finalize() {
        guard self.finalizes.exchange(false, ordering: .acquiringAndReleasing) else { return }
        // A failure here has no one left to tell, and the process goes on without the module either way.
        _ = self.functions.call(self.functions.list.C_Finalize) { $0(nil) }
    }

    private static func functionTable(
        of handle: UnsafeMutableRawPointer, path: String
    ) throws(ModuleLoadError) -> FunctionTable {
        guard let symbol = dlsym(handle, "C_GetFunctionList") else {
            throw .notAModule(path, reason: "it has no function C_GetFunctionList")
        }
        let getFunctionList = unsafeBitCast(symbol, to: CK_C_GetFunctionList.self)
        var list: UnsafeMutablePointer<CK_FUNCTION_LIST>?
        let result = ReturnValue(rawValue: getFunctionList(&list))
        guard result == .ok, let list else {
            throw .notAModule(path, reason: "C_GetFunctionList gives no list (\(result))")
        }
        return FunctionTable(list)
    }

    /// Returns true when this call did initialise the module, so that this object has to finalise it.
    private static func initialize(
        _ functions: FunctionTable, path: String, reserved: String?
    ) throws(ModuleLoadError) -> Bool {
        let result = Module.withInitializeArguments(reserved: reserved) { arguments in
            functions.call(functions.list.C_Initialize) { $0(arguments) }
        }
        switch result {
        case .ok: return true
        case .cryptokiAlreadyInitialized: return false
        default: throw .notInitialized(path, PKCS11Error(returnValue: result, function: "C_Initialize"))
        }
    }

    /// `CK_C_INITIALIZE_ARGS` followed by one null pointer: NSS reads its parameters where others have the reserved
    /// field, and a reserved field after it.
    private static func withInitializeArguments<R>(
        reserved: String?, _ body: (UnsafeMutableRawPointer) -> R
    ) -> R {
        let size = MemoryLayout<CK_C_INITIALIZE_ARGS>.size
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: size + MemoryLayout<UnsafeRawPointer>.size,
            alignment: MemoryLayout<CK_C_INITIALIZE_ARGS>.alignment)
        defer { memory.deallocate() }
        memset(memory, 0, size + MemoryLayout<UnsafeRawPointer>.size)
        let arguments = memory.bindMemory(to: CK_C_INITIALIZE_ARGS.self, capacity: 1)
        arguments.pointee.flags = CK_FLAGS(CKF_OS_LOCKING_OK)
        guard let reserved else { return body(memory) }
        var text = Array(reserved.utf8CString)
        return text.withUnsafeMutableBytes { buffer in
            arguments.pointee.pReserved = buffer.baseAddress
            return body(memory)
        }
    }

    /// Throws unless the call answers `CKR_OK`.
    func check<Function>(
        _ name: String, _ function: Function?, mechanism: MechanismType? = nil, token: TokenIdentification? = nil,
        _ body: (Function) -> CK_RV
    ) throws(PKCS11Error) {
        let result = self.functions.call(function, body)
        guard result == .ok else {
            throw PKCS11Error(returnValue: result, function: name, mechanism: mechanism, token: token)
        }
    }

    /// What the module says of itself (`C_GetInfo`).
    public func info() throws(PKCS11Error) -> ModuleInfo {
        var info = CK_INFO()
        try self.check("C_GetInfo", self.functions.list.C_GetInfo) { $0(&info) }
        return ModuleInfo(
            manufacturer: blankPadded(info.manufacturerID), description: blankPadded(info.libraryDescription),
            version: Version(info.libraryVersion), cryptokiVersion: Version(info.cryptokiVersion))
    }

    /// The slots of the module.
    ///
    /// - Parameter withToken: leave out the empty ones.
    public func slots(withToken: Bool = true) throws(PKCS11Error) -> [Slot] {
        let present: CK_BBOOL = withToken ? 1 : 0
        let name = "C_GetSlotList"
        var count: CK_ULONG = 0
        // The size query first, always: it is what makes modules look for inserted and removed tokens.
        try self.check(name, self.functions.list.C_GetSlotList) { $0(present, nil, &count) }
        // Room for tokens that arrive between the two calls.
        var identifiers = [CK_SLOT_ID](repeating: 0, count: Int(clamping: count) + 16)
        count = CK_ULONG(identifiers.count)
        try self.check(name, self.functions.list.C_GetSlotList) { $0(present, &identifiers, &count) }
        return identifiers.prefix(Int(clamping: count)).map { Slot(module: self, id: $0) }
    }
}

/// What a module says of itself (`CK_INFO`).
public struct ModuleInfo: Hashable, Sendable {
    public let manufacturer: String
    public let description: String
    public let version: Version
    public let cryptokiVersion: Version
}
