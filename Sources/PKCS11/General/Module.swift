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
    /// Where the calls into this module are recorded, if anywhere.
    package let trace: CallTrace?
    /// True while this object has to call `C_Finalize`.
    private let finalizes: Atomic<Bool>
    private let initializationString: String?
    /// The process that initialised the module: the only one that may call it (PKCS #11 v2.40, section 6.6.1).
    private let forkMark = ForkMark()

    /// Loads the library and calls `C_Initialize` with `CKF_OS_LOCKING_OK`.
    ///
    /// - Parameters:
    ///   - path: the file of the library; a name without a slash is looked up by the dynamic linker.
    ///   - initializationString: what some modules (NSS softokn) take in the reserved field; `nil` for all others.
    ///   - trace: where every call into the module is recorded.
    /// - Throws: ``ModuleLoadError``.
    public init(
        path: String, initializationString: String? = nil, trace: CallTrace? = nil
    ) throws(ModuleLoadError) {
        self.path = path
        self.trace = trace
        self.initializationString = initializationString
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw .notLoaded(path, reason: dlerror().map { String(cString: $0) } ?? "the loader gives no reason")
        }
        do throws(ModuleLoadError) {
            self.functions = try Module.functionTable(of: handle, path: path)
            self.finalizes = Atomic(
                try Module.initialize(self.functions, path: path, reserved: initializationString, trace))
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
        guard !self.isForked, self.finalizes.exchange(false, ordering: .acquiringAndReleasing) else { return }
        // A failure here has no one left to tell, and the process goes on without the module either way.
        _ = self.call("C_Finalize", self.functions.list.C_Finalize) { $0(nil) }
    }

    /// True in a child of the process that initialised the module. Nothing may be called there: modules share
    /// sessions with the parent, or lock for ever.
    public var isForked: Bool { self.forkMark.isForked }

    /// Finalises the module and initialises it again: the last means against a module that no longer reaches its
    /// device. Every session of every token of the module is gone after it.
    ///
    /// To be called when no other thread is inside the module.
    ///
    /// - Returns: `false` when another part of the program initialised the module, so that nothing was done.
    /// - Throws: ``ModuleLoadError``, after which the module is not initialised.
    public func reinitialize() throws(ModuleLoadError) -> Bool {
        guard !self.isForked else { return false }
        if self.finalizes.exchange(false, ordering: .acquiringAndReleasing) {
            // A module that lost its device may refuse even this; what counts is whether it initialises.
            _ = self.call("C_Finalize", self.functions.list.C_Finalize) { $0(nil) }
        }
        let isOwner = try Module.initialize(
            self.functions, path: self.path, reserved: self.initializationString, self.trace)
        self.finalizes.store(isOwner, ordering: .releasing)
        return isOwner
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
        _ functions: FunctionTable, path: String, reserved: String?, _ trace: CallTrace?
    ) throws(ModuleLoadError) -> Bool {
        let began = trace?.began("C_Initialize", .init())
        let result = Module.withInitializeArguments(reserved: reserved) { arguments in
            functions.call(functions.list.C_Initialize) { $0(arguments) }
        }
        if let trace, let began { trace.ended("C_Initialize", .init(), result, began: began) }
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

    /// Calls a function, and records it where there is a trace. In a forked process nothing is called: the answer is the
    /// one that the specification has for it (PKCS #11 v2.40, section 6.6.1).
    @inline(__always)
    func call<Function>(
        _ name: String, _ function: Function?, session: UInt? = nil, object: UInt? = nil,
        mechanism: MechanismType? = nil, _ body: (Function) -> CK_RV
    ) -> ReturnValue {
        guard !self.isForked else { return .cryptokiNotInitialized }
        guard let trace = self.trace else { return self.functions.call(function, body) }
        let subject = CallTrace.Subject(session: session, object: object, mechanism: mechanism)
        let began = trace.began(name, subject)
        let result = self.functions.call(function, body)
        trace.ended(name, subject, result, began: began)
        return result
    }

    /// Throws unless the call answers `CKR_OK`.
    func check<Function>(
        _ name: String, _ function: Function?, mechanism: MechanismType? = nil, token: TokenIdentification? = nil,
        _ body: (Function) -> CK_RV
    ) throws(PKCS11Error) {
        let result = self.call(name, function, mechanism: mechanism, body)
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
