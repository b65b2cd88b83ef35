internal import CPKCS11
public import Diagnostics

/// What a token says of itself (`CK_TOKEN_INFO`, PKCS #11 v2.40, section 3.2). `nil` is "not told".
public struct TokenInfo: Hashable, Sendable {
    public let identification: TokenIdentification
    public let flags: TokenFlags
    /// 0 is "no limit".
    public let maximumSessions: UInt?
    public let sessions: UInt?
    /// 0 is "no limit".
    public let maximumReadWriteSessions: UInt?
    public let readWriteSessions: UInt?
    public let minimumPINLength: UInt
    public let maximumPINLength: UInt
    public let totalPublicMemory: UInt?
    public let freePublicMemory: UInt?
    public let totalPrivateMemory: UInt?
    public let freePrivateMemory: UInt?

    init(_ info: CK_TOKEN_INFO, slotID: UInt) {
        self.identification = TokenIdentification(
            label: blankPadded(info.label), manufacturer: blankPadded(info.manufacturerID),
            model: blankPadded(info.model), serialNumber: blankPadded(info.serialNumber),
            firmware: Version(info.firmwareVersion).description, slotID: slotID)
        self.flags = TokenFlags(rawValue: UInt(info.flags))
        self.maximumSessions = TokenInfo.told(info.ulMaxSessionCount)
        self.sessions = TokenInfo.told(info.ulSessionCount)
        self.maximumReadWriteSessions = TokenInfo.told(info.ulMaxRwSessionCount)
        self.readWriteSessions = TokenInfo.told(info.ulRwSessionCount)
        self.minimumPINLength = info.ulMinPinLen
        self.maximumPINLength = info.ulMaxPinLen
        self.totalPublicMemory = TokenInfo.told(info.ulTotalPublicMemory)
        self.freePublicMemory = TokenInfo.told(info.ulFreePublicMemory)
        self.totalPrivateMemory = TokenInfo.told(info.ulTotalPrivateMemory)
        self.freePrivateMemory = TokenInfo.told(info.ulFreePrivateMemory)
    }

    private static func told(_ value: CK_ULONG) -> UInt? {
        value == SIGNET_CK_UNAVAILABLE_INFORMATION ? nil : value
    }
}

/// The flags of a token (PKCS #11 v2.40, table 6).
public struct TokenFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt

    public init(rawValue: UInt) {
        self.rawValue = rawValue
    }

    /// `CKF_RNG`
    public static let hasRandomGenerator = TokenFlags(rawValue: CKF_RNG)
    /// `CKF_WRITE_PROTECTED`
    public static let writeProtected = TokenFlags(rawValue: CKF_WRITE_PROTECTED)
    /// `CKF_LOGIN_REQUIRED`
    public static let loginRequired = TokenFlags(rawValue: CKF_LOGIN_REQUIRED)
    /// `CKF_USER_PIN_INITIALIZED`
    public static let userPINInitialized = TokenFlags(rawValue: CKF_USER_PIN_INITIALIZED)
    /// `CKF_PROTECTED_AUTHENTICATION_PATH`: the PIN is entered at the device.
    public static let protectedAuthenticationPath = TokenFlags(rawValue: CKF_PROTECTED_AUTHENTICATION_PATH)
    /// `CKF_TOKEN_INITIALIZED`
    public static let tokenInitialized = TokenFlags(rawValue: CKF_TOKEN_INITIALIZED)
    /// `CKF_USER_PIN_COUNT_LOW`: a wrong PIN was entered since the last right one.
    public static let userPINCountLow = TokenFlags(rawValue: CKF_USER_PIN_COUNT_LOW)
    /// `CKF_USER_PIN_FINAL_TRY`: one more wrong PIN locks the token.
    public static let userPINFinalTry = TokenFlags(rawValue: CKF_USER_PIN_FINAL_TRY)
    /// `CKF_USER_PIN_LOCKED`
    public static let userPINLocked = TokenFlags(rawValue: CKF_USER_PIN_LOCKED)
}
