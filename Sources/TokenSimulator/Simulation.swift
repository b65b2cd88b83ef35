internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// One run of the simulation: the module inside, what it is to look like, and what is on its cards.
final class Simulation: Sendable {
    let configuration: SimulatorConfiguration
    let module: InnerModule
    let faults: FaultScript
    let ledger: LedgerStore

    init(configuration: SimulatorConfiguration, module: InnerModule, faults: FaultScript) {
        self.configuration = configuration
        self.module = module
        self.faults = faults
        self.ledger = LedgerStore(path: configuration.ledgerPath)
    }

    /// The functions of the module inside.
    var inner: CK_FUNCTION_LIST { self.module.functions.pointee }

    /// `C_Initialize` of the module inside.
    func initializeModule(_ arguments: InitializeArguments) -> CK_RV {
        let given = arguments.reserved.map { ReservedText($0).rest }.flatMap { $0.isEmpty ? nil : $0 }
        return arguments.withInner(moduleArguments: self.configuration.moduleArguments ?? given) {
            self.inner.C_Initialize?($0) ?? CKR_FUNCTION_NOT_SUPPORTED
        }
    }

    /// `C_GetInfo` (section 5.4): the information of the module inside, under a description that says what this is.
    func libraryInfo(_ info: UnsafeMutablePointer<CK_INFO>?) -> CK_RV {
        let result = self.inner.C_GetInfo?(info) ?? CKR_FUNCTION_NOT_SUPPORTED
        guard result == CKR_OK, let info else { return result }
        withUnsafeMutableBytes(of: &info.pointee.libraryDescription) { field in
            let text = "Signet token simulator: " + PaddedText.read(UnsafeRawBufferPointer(field))
            PaddedText.write(text, to: field)
        }
        return CKR_OK
    }

    /// `C_GetTokenInfo` (section 5.5), with the memory that the profile says is reported.
    func tokenInfo(_ slot: CK_SLOT_ID, _ info: UnsafeMutablePointer<CK_TOKEN_INFO>?) -> CK_RV {
        let result = self.inner.C_GetTokenInfo?(slot, info) ?? CKR_FUNCTION_NOT_SUPPORTED
        guard result == CKR_OK, let info, let card = Card(slot: slot, info: info.pointee, in: self.configuration),
            let report = card.profile.capacity.memoryReported.value
        else { return result }
        let total: UInt
        let free: UInt
        switch report {
        case .notReported:
            (total, free) = (SIGNET_CK_UNAVAILABLE_INFORMATION, SIGNET_CK_UNAVAILABLE_INFORMATION)
        case .constant(let number):
            (total, free) = (UInt(number), UInt(number))
        case .actual:
            guard let usable = card.profile.capacity.usableBytes else { return result }
            let used = self.currentCensus(of: card).bytes(by: card.profile.capacity)
            (total, free) = (UInt(usable), UInt(max(0, usable - used)))
        }
        info.pointee.ulTotalPublicMemory = total
        info.pointee.ulTotalPrivateMemory = total
        info.pointee.ulFreePublicMemory = free
        info.pointee.ulFreePrivateMemory = free
        return result
    }

    /// `C_InitToken` (section 5.5): what the ledger knew of the token is gone with its objects.
    func initializeToken(
        _ slot: CK_SLOT_ID, _ pin: UnsafeMutablePointer<UInt8>?, _ pinLength: UInt,
        _ label: UnsafeMutablePointer<UInt8>?
    ) -> CK_RV {
        let card = self.card(in: slot)
        let result = self.inner.C_InitToken?(slot, pin, pinLength, label) ?? CKR_FUNCTION_NOT_SUPPORTED
        guard result == CKR_OK, let card else { return result }
        do {
            try self.ledger.withLedger { $0.forget(card.name) }
        } catch {
            Simulator.log(error)  // The token is initialized whatever becomes of the ledger.
        }
        return result
    }
}

/// Text fields of PKCS #11: UTF-8, padded with blanks, without a zero (section 3).
enum PaddedText {
    static func read(_ field: UnsafeRawBufferPointer) -> String {
        var bytes = Array(field)
        while let last = bytes.last, last == UInt8(ascii: " ") || last == 0 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func write(_ text: String, to field: UnsafeMutableRawBufferPointer) {
        field.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: " "))
        var kept = text[...]
        while kept.utf8.count > field.count { kept.removeLast() }
        field.copyBytes(from: kept.utf8)
    }
}
