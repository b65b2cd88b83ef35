internal import CPKCS11
internal import Glibc

/// The real module, loaded for as long as the process lives: vendor modules seldom survive being unloaded.
///
/// `@unchecked Sendable` because a pointer is not; the table belongs to the module, which never changes it.
final class InnerModule: @unchecked Sendable {
    let path: String
    let functions: UnsafeMutablePointer<CK_FUNCTION_LIST>
    /// The table of v3.0; `nil` for a module that has none.
    let functions3: UnsafeMutablePointer<SIGNET_CK_FUNCTION_LIST_3_0>?

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
        self.functions3 = InnerModule.functions3(of: handle)
    }

    /// The table of the first interface of v3 (PKCS #11 v3.0, section 5.4.5). All that v3.1 adds comes after it.
    private static func functions3(
        of handle: UnsafeMutableRawPointer
    ) -> UnsafeMutablePointer<SIGNET_CK_FUNCTION_LIST_3_0>? {
        typealias GetInterfaceList =
            @convention(c) (UnsafeMutablePointer<SIGNET_CK_INTERFACE>?, UnsafeMutablePointer<CK_ULONG>?) -> CK_RV
        guard let symbol = dlsym(handle, "C_GetInterfaceList") else { return nil }
        let list = unsafeBitCast(symbol, to: GetInterfaceList.self)
        var count: CK_ULONG = 0
        guard list(nil, &count) == CKR_OK, count > 0, count <= 64 else { return nil }
        var interfaces = [SIGNET_CK_INTERFACE](repeating: SIGNET_CK_INTERFACE(), count: Int(count))
        guard list(&interfaces, &count) == CKR_OK else { return nil }
        for interface in interfaces.prefix(Int(count)) {
            guard let name = interface.pInterfaceName, String(cString: name) == "PKCS 11",
                let table = interface.pFunctionList, table.load(as: CK_VERSION.self).major == 3
            else { continue }
            return table.assumingMemoryBound(to: SIGNET_CK_FUNCTION_LIST_3_0.self)
        }
        return nil
    }
}
