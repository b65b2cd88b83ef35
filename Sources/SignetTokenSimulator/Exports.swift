package import CPKCS11
internal import TokenSimulator

/// The only symbol of `libsignet-token-simulator.so` (PKCS #11 v2.40, section 5.4): gives out the table of all
/// functions. `exports.map` keeps everything else inside, so that the library can be loaded into a program that
/// has the same Swift modules in it. Not internal: an optimised build removes an internal function that nothing calls.
@c(C_GetFunctionList)
package func getFunctionList(_ list: UnsafeMutablePointer<UnsafeMutablePointer<CK_FUNCTION_LIST>?>?) -> CK_RV {
    guard let list else { return CKR_ARGUMENTS_BAD }
    list.pointee = FunctionTable.pointer
    return CKR_OK
}
