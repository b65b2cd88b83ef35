internal import CPKCS11
internal import Diagnostics

/// The function list of a loaded module (PKCS #11 v2.40, section 3.6).
///
/// `@unchecked Sendable`: the list is constant memory of the module, which stays mapped for the life of the process,
/// and the functions may be called from any thread because the module was initialised with `CKF_OS_LOCKING_OK`.
struct FunctionTable: @unchecked Sendable {
    private let pointer: UnsafeMutablePointer<CK_FUNCTION_LIST>

    init(_ pointer: UnsafeMutablePointer<CK_FUNCTION_LIST>) {
        self.pointer = pointer
    }

    /// Inlined, so that a caller that wants one function does not get a copy of all 68.
    @inline(__always)
    var list: CK_FUNCTION_LIST { self.pointer.pointee }

    /// Calls one function; a function that the module leaves out answers `CKR_FUNCTION_NOT_SUPPORTED`.
    @inline(__always)
    func call<Function>(_ function: Function?, _ body: (Function) -> CK_RV) -> ReturnValue {
        guard let function else { return .functionNotSupported }
        return ReturnValue(rawValue: body(function))
    }
}
