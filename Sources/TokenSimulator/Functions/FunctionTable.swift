package import CPKCS11

/// The simulator of this process. A PKCS #11 module has no context parameter: its functions are called with C
/// pointers and nothing else, so the module's state belongs to the process. Everything else takes it as a parameter.
let simulator = Simulator()

/// The table that `C_GetFunctionList` gives out (PKCS #11 v2.40, section 3.6).
package enum FunctionTable {
    /// A pointer to the table, which lives as long as the process.
    ///
    /// `nonisolated(unsafe)` because a pointer is not Sendable; the table is complete before the pointer is first
    /// read, and nobody writes to it afterwards.
    package nonisolated(unsafe) static let pointer: UnsafeMutablePointer<CK_FUNCTION_LIST> = {
        let pointer = UnsafeMutablePointer<CK_FUNCTION_LIST>.allocate(capacity: 1)
        pointer.initialize(to: FunctionTable.make())
        return pointer
    }()

    private static func make() -> CK_FUNCTION_LIST {
        var table = CK_FUNCTION_LIST()
        table.version = CK_VERSION(major: 2, minor: 40)
        table.C_GetFunctionList = { list in
            guard let list else { return CKR_ARGUMENTS_BAD }
            list.pointee = FunctionTable.pointer
            return CKR_OK
        }
        table.setPassingGeneral()
        table.setPassingSessions()
        table.setPassingObjects()
        table.setPassingEncryption()
        table.setPassingDualPurpose()
        table.setPassingDigests()
        table.setPassingSigning()
        table.setPassingVerification()
        table.setActingGeneral()
        table.setActingSessions()
        table.setActingObjects()
        table.setActingKeys()
        return table
    }
}
