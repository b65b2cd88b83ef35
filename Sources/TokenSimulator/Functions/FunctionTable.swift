package import CPKCS11

/// The simulator of this process. A PKCS #11 module has no context parameter: its functions are called with C
/// pointers and nothing else, so the module's state belongs to the process. Everything else takes it as a parameter.
let simulator = Simulator()

/// The tables that `C_GetFunctionList` and `C_GetInterface` give out (PKCS #11 v2.40 and v3.0, section 3.6).
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

    /// The same for the table of v3.0.
    package nonisolated(unsafe) static let pointer3: UnsafeMutablePointer<SIGNET_CK_FUNCTION_LIST_3_0> = {
        let pointer = UnsafeMutablePointer<SIGNET_CK_FUNCTION_LIST_3_0>.allocate(capacity: 1)
        pointer.initialize(to: FunctionTable.make3())
        return pointer
    }()

    private static func make3() -> SIGNET_CK_FUNCTION_LIST_3_0 {
        var table = SIGNET_CK_FUNCTION_LIST_3_0()
        table.v2_40 = FunctionTable.make()
        table.v2_40.version = CK_VERSION(major: 3, minor: 0)
        // The module inside may tell more of itself to those who know v3.0.
        table.v2_40.C_GetInfo = { info in
            simulator.perform(.getInfo) { $0.libraryInfo(info, from: $0.inner3) }
        }
        table.v2_40.C_GetMechanismInfo = { slot, type, info in
            simulator.perform(.getMechanismInfo) { $0.mechanismInfo(slot, type, info, from: $0.inner3) }
        }
        table.C_GetInterfaceList = { InterfaceTable.list($0, $1) }
        table.C_GetInterface = { InterfaceTable.find($0, $1, $2, $3) }
        table.setSessions()
        table.setEncryptMessages()
        table.setDecryptMessages()
        table.setSignMessages()
        table.setVerifyMessages()
        return table
    }

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
