package import CPKCS11
internal import TokenSimulator

/// A symbol of `libsignet-token-simulator.so` (PKCS #11 v2.40, section 5.4): gives out the table of all
/// functions. `exports.map` keeps everything else inside, so that the library can be loaded into a program that
/// has the same Swift modules in it. Not internal: an optimised build removes an internal function that nothing calls.
@c(C_GetFunctionList)
package func getFunctionList(_ list: UnsafeMutablePointer<UnsafeMutablePointer<CK_FUNCTION_LIST>?>?) -> CK_RV {
    guard let list else { return CKR_ARGUMENTS_BAD }
    list.pointee = FunctionTable.pointer
    return CKR_OK
}

/// What the library has to offer (PKCS #11 v3.0, section 5.4.5).
@c(C_GetInterfaceList)
package func getInterfaceList(
    _ list: UnsafeMutablePointer<SIGNET_CK_INTERFACE>?, _ count: UnsafeMutablePointer<CK_ULONG>?
) -> CK_RV {
    InterfaceTable.list(list, count)
}

/// One of these (PKCS #11 v3.0, section 5.4.6).
@c(C_GetInterface)
package func getInterface(
    _ name: UnsafeMutablePointer<UInt8>?, _ version: UnsafeMutablePointer<CK_VERSION>?,
    _ found: UnsafeMutablePointer<UnsafeMutablePointer<SIGNET_CK_INTERFACE>?>?, _ flags: CK_FLAGS
) -> CK_RV {
    InterfaceTable.find(name, version, found, flags)
}
