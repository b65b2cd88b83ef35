internal import CPKCS11
internal import Glibc

/// What `C_Initialize` was called with (PKCS #11 v2.40, section 5.4).
struct InitializeArguments {
    private let structure: CK_C_INITIALIZE_ARGS?
    /// The text behind `pReserved`. The specification keeps the member for the future; NSS and p11-kit pass a text.
    let reserved: String?

    init(_ pointer: UnsafeMutableRawPointer?) {
        self.structure = pointer?.load(as: CK_C_INITIALIZE_ARGS.self)
        self.reserved = self.structure?.pReserved.map {
            String(cString: $0.assumingMemoryBound(to: CChar.self))
        }
    }

    /// True when the program does not let its modules have threads.
    var forbidsThreads: Bool {
        (self.structure?.flags ?? 0) & CKF_LIBRARY_CANT_CREATE_OS_THREADS != 0
    }

    /// Calls `body` with the arguments for the module inside.
    ///
    /// - Parameter moduleArguments: the text for its `pReserved`; `nil` for none.
    func withInner(moduleArguments: String?, _ body: (UnsafeMutableRawPointer?) -> CK_RV) -> CK_RV {
        guard self.structure != nil || moduleArguments != nil else { return body(nil) }
        // NSS has one pointer more in this structure, after the one where it takes its text; it must be null.
        let size = MemoryLayout<CK_C_INITIALIZE_ARGS>.stride + MemoryLayout<UInt>.stride
        let pointer = UnsafeMutableRawPointer.allocate(
            byteCount: size, alignment: MemoryLayout<CK_C_INITIALIZE_ARGS>.alignment)
        defer { pointer.deallocate() }
        pointer.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        var inner = self.structure ?? CK_C_INITIALIZE_ARGS()
        let text = moduleArguments.flatMap { strdup($0) }
        defer { free(text) }
        inner.pReserved = text.map { UnsafeMutableRawPointer($0) }
        pointer.storeBytes(of: inner, as: CK_C_INITIALIZE_ARGS.self)
        return body(pointer)
    }
}
