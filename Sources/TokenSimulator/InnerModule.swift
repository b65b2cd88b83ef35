internal import CPKCS11
internal import Glibc

/// The real module, loaded for as long as the process lives: vendor modules seldom survive being unloaded.
///
/// `@unchecked Sendable` because a pointer is not; the table belongs to the module, which never changes it.
final class InnerModule: @unchecked Sendable {
    let path: String
    let functions: UnsafeMutablePointer<CK_FUNCTION_LIST>

    /// - Throws: ``SimulatorError`` when the file cannot be loaded or is not a PKCS #11 module.
    init(path: String) throws(SimulatorError) {
        typealias GetFunctionList =
            @convention(c) (
                UnsafeMutablePointer<UnsafeMutablePointer<CK_FUNCTION_LIST>?>?
            ) -> CK_RV
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw .module(path, reason: dlerror().map { String(cString: $0) } ?? "dlopen failed")
        }
        guard let symbol = dlsym(handle, "C_GetFunctionList") else {
            throw .module(path, reason: "it has no function C_GetFunctionList")
        }
        var list: UnsafeMutablePointer<CK_FUNCTION_LIST>?
        let result = unsafeBitCast(symbol, to: GetFunctionList.self)(&list)
        guard result == CKR_OK, let list else {
            throw .module(path, reason: "C_GetFunctionList returned 0x\(String(result, radix: 16))")
        }
        guard list != FunctionTable.pointer else {
            throw .module(path, reason: "it is the simulator itself")
        }
        self.path = path
        self.functions = list
    }
}
