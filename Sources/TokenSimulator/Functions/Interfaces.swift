package import CPKCS11

/// What `C_GetInterfaceList` and `C_GetInterface` give out (PKCS #11 v3.0, section 5.4): v2.40, and before it v3.0
/// where the module inside has that. Interfaces that a vendor has beside these are not passed on: handles in them
/// would be those of the module inside.
package enum InterfaceTable {
    /// `C_GetInterfaceList`
    package static func list(
        _ list: UnsafeMutablePointer<SIGNET_CK_INTERFACE>?, _ count: UnsafeMutablePointer<CK_ULONG>?
    ) -> CK_RV {
        guard let count else { return CKR_ARGUMENTS_BAD }
        let interfaces = InterfaceTable.offered
        let room = count.pointee
        count.pointee = CK_ULONG(interfaces.count)
        guard let list else { return CKR_OK }
        guard room >= interfaces.count else { return CKR_BUFFER_TOO_SMALL }
        for (index, interface) in interfaces.enumerated() { list[index] = interface.pointee }
        return CKR_OK
    }

    /// `C_GetInterface`: the first that is as wanted.
    ///
    /// - Parameters:
    ///   - name: `nil` for any.
    ///   - version: `nil` for any.
    package static func find(
        _ name: UnsafeMutablePointer<UInt8>?, _ version: UnsafeMutablePointer<CK_VERSION>?,
        _ found: UnsafeMutablePointer<UnsafeMutablePointer<SIGNET_CK_INTERFACE>?>?, _ flags: CK_FLAGS
    ) -> CK_RV {
        guard let found else { return CKR_ARGUMENTS_BAD }
        let wantedName = name.map { String(cString: $0) }
        let interface = InterfaceTable.offered.first { interface in
            let offered = interface.pointee.pFunctionList.load(as: CK_VERSION.self)
            let hasVersion = version.map { $0.pointee.major == offered.major && $0.pointee.minor == offered.minor }
            return (wantedName == nil || wantedName == InterfaceTable.name) && hasVersion ?? true
                && flags & ~interface.pointee.flags == 0
        }
        guard let interface else { return CKR_ARGUMENTS_BAD }
        found.pointee = interface
        return CKR_OK
    }

    private static let name = "PKCS 11"

    private static var offered: [UnsafeMutablePointer<SIGNET_CK_INTERFACE>] {
        (simulator.hasInterface3 ? [InterfaceTable.version3] : []) + [InterfaceTable.version2]
    }

    // `nonisolated(unsafe)` as for ``FunctionTable/pointer``: complete before they are first read, never changed.

    private nonisolated(unsafe) static let version2 = InterfaceTable.make(FunctionTable.pointer)
    private nonisolated(unsafe) static let version3 = InterfaceTable.make(FunctionTable.pointer3)

    private static func make(_ functions: UnsafeMutableRawPointer) -> UnsafeMutablePointer<SIGNET_CK_INTERFACE> {
        let bytes = Array(InterfaceTable.name.utf8) + [0]
        let text = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
        text.initialize(from: bytes, count: bytes.count)
        let pointer = UnsafeMutablePointer<SIGNET_CK_INTERFACE>.allocate(capacity: 1)
        pointer.initialize(to: SIGNET_CK_INTERFACE(pInterfaceName: text, pFunctionList: functions, flags: 0))
        return pointer
    }
}
