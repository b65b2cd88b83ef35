internal import CPKCS11
internal import Diagnostics

/// A place where a token can be (PKCS #11 v2.40, section 5.5).
public struct Slot: Sendable {
    public let module: Module
    /// `CK_SLOT_ID`. Not stable: some modules number slots anew at each start.
    public let id: UInt

    /// What the token in the slot says of itself (`C_GetTokenInfo`).
    public func tokenInfo() throws(PKCS11Error) -> TokenInfo {
        var info = CK_TOKEN_INFO()
        try self.module.check("C_GetTokenInfo", self.module.functions.list.C_GetTokenInfo) { $0(self.id, &info) }
        return TokenInfo(info, slotID: self.id)
    }

    /// What the slot says of itself (`C_GetSlotInfo`).
    public func info() throws(PKCS11Error) -> SlotInfo {
        var info = CK_SLOT_INFO()
        try self.module.check("C_GetSlotInfo", self.module.functions.list.C_GetSlotInfo) { $0(self.id, &info) }
        return SlotInfo(
            description: blankPadded(info.slotDescription), manufacturer: blankPadded(info.manufacturerID),
            hasToken: info.flags & CK_FLAGS(CKF_TOKEN_PRESENT) != 0)
    }

    /// The mechanisms of the token in the slot (`C_GetMechanismList`).
    public func mechanisms() throws(PKCS11Error) -> [MechanismType] {
        let function = self.module.functions.list.C_GetMechanismList
        var count: CK_ULONG = 0
        try self.module.check("C_GetMechanismList", function) { $0(self.id, nil, &count) }
        var types = [CK_MECHANISM_TYPE](repeating: 0, count: Int(clamping: count))
        try self.module.check("C_GetMechanismList", function) { $0(self.id, &types, &count) }
        return types.prefix(Int(clamping: count)).map { MechanismType(rawValue: $0) }
    }

    /// Key sizes and flags of one mechanism (`C_GetMechanismInfo`). The unit of the sizes is the mechanism's own.
    public func info(of mechanism: MechanismType) throws(PKCS11Error) -> MechanismInfo {
        var info = CK_MECHANISM_INFO()
        try self.module.check(
            "C_GetMechanismInfo", self.module.functions.list.C_GetMechanismInfo, mechanism: mechanism
        ) { $0(self.id, mechanism.rawValue, &info) }
        return MechanismInfo(
            minimumKeySize: info.ulMinKeySize, maximumKeySize: info.ulMaxKeySize, flags: UInt(info.flags))
    }

    /// Initialises the token in the slot and destroys everything on it (`C_InitToken`). Never repeated.
    ///
    /// - Parameters:
    ///   - securityOfficerPIN: the present one, or the one to set on a token without one.
    ///   - label: at most 32 bytes of UTF-8.
    /// - Note: some modules move the token to another slot; find it again by its label.
    public func initializeToken(securityOfficerPIN: UnsafeRawBufferPointer, label: String) throws(PKCS11Error) {
        var padded = Array(label.utf8)
        guard padded.count <= 32 else { throw PKCS11Error(returnValue: .argumentsBad, function: "C_InitToken") }
        padded += [UInt8](repeating: 0x20, count: 32 - padded.count)
        let pin = UnsafeMutableRawPointer(mutating: securityOfficerPIN.baseAddress)
        try self.module.check("C_InitToken", self.module.functions.list.C_InitToken) { function in
            function(
                self.id, pin?.assumingMemoryBound(to: CK_UTF8CHAR.self), CK_ULONG(securityOfficerPIN.count), &padded)
        }
    }
}

/// What a slot says of itself (`CK_SLOT_INFO`).
public struct SlotInfo: Hashable, Sendable {
    public let description: String
    public let manufacturer: String
    public let hasToken: Bool
}

/// What a token says of one of its mechanisms (`CK_MECHANISM_INFO`).
public struct MechanismInfo: Hashable, Sendable {
    public let minimumKeySize: UInt
    public let maximumKeySize: UInt
    public let flags: UInt
}
