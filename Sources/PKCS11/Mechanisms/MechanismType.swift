internal import CPKCS11

/// A mechanism's number (`CK_MECHANISM_TYPE`). An unknown or vendor number survives.
public struct MechanismType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt

    public init(rawValue: UInt) {
        self.rawValue = rawValue
    }

    /// `CKM_RSA_PKCS_KEY_PAIR_GEN`
    public static let rsaPKCSKeyPairGen = MechanismType(rawValue: CKM_RSA_PKCS_KEY_PAIR_GEN)
    /// `CKM_RSA_PKCS`
    public static let rsaPKCS = MechanismType(rawValue: CKM_RSA_PKCS)
    /// `CKM_RSA_PKCS_OAEP`
    public static let rsaPKCSOAEP = MechanismType(rawValue: CKM_RSA_PKCS_OAEP)
    /// `CKM_RSA_PKCS_PSS`
    public static let rsaPKCSPSS = MechanismType(rawValue: CKM_RSA_PKCS_PSS)
    /// `CKM_EC_KEY_PAIR_GEN`
    public static let ecKeyPairGen = MechanismType(rawValue: CKM_EC_KEY_PAIR_GEN)
    /// `CKM_ECDSA`
    public static let ecdsa = MechanismType(rawValue: CKM_ECDSA)
    /// `CKM_ECDSA_SHA1`
    public static let ecdsaSHA1 = MechanismType(rawValue: CKM_ECDSA_SHA1)
    /// `CKM_ECDSA_SHA256`
    public static let ecdsaSHA256 = MechanismType(rawValue: CKM_ECDSA_SHA256)
    /// `CKM_ECDSA_SHA384`
    public static let ecdsaSHA384 = MechanismType(rawValue: CKM_ECDSA_SHA384)
    /// `CKM_ECDSA_SHA512`
    public static let ecdsaSHA512 = MechanismType(rawValue: CKM_ECDSA_SHA512)
    /// `CKM_ECDH1_DERIVE`
    public static let ecdh1Derive = MechanismType(rawValue: CKM_ECDH1_DERIVE)
    /// `CKM_EC_EDWARDS_KEY_PAIR_GEN`
    public static let ecEdwardsKeyPairGen = MechanismType(rawValue: CKM_EC_EDWARDS_KEY_PAIR_GEN)
    /// `CKM_EDDSA`
    public static let eddsa = MechanismType(rawValue: CKM_EDDSA)
    /// `CKM_AES_GCM`
    public static let aesGCM = MechanismType(rawValue: CKM_AES_GCM)
    /// `CKM_AES_KEY_WRAP`: RFC 3394.
    public static let aesKeyWrap = MechanismType(rawValue: CKM_AES_KEY_WRAP)
    /// `CKM_AES_KEY_GEN`
    public static let aesKeyGen = MechanismType(rawValue: CKM_AES_KEY_GEN)
    /// `CKM_AES_CBC_PAD`
    public static let aesCBCPad = MechanismType(rawValue: CKM_AES_CBC_PAD)
    /// `CKM_AES_KEY_WRAP_PAD`: the number under which SoftHSM does RFC 5649.
    public static let aesKeyWrapPad = MechanismType(rawValue: CKM_AES_KEY_WRAP_PAD)
    /// `CKM_AES_KEY_WRAP_KWP`: RFC 5649.
    public static let aesKeyWrapKWP = MechanismType(rawValue: SIGNET_CKM_AES_KEY_WRAP_KWP)
    /// `CKM_DES3_KEY_GEN`
    public static let des3KeyGen = MechanismType(rawValue: CKM_DES3_KEY_GEN)
    /// `CKM_DES3_CBC_PAD`
    public static let des3CBCPad = MechanismType(rawValue: CKM_DES3_CBC_PAD)
    /// `CKM_SHA_1`
    public static let sha1 = MechanismType(rawValue: CKM_SHA_1)
    /// `CKM_SHA256`
    public static let sha256 = MechanismType(rawValue: CKM_SHA256)
    /// `CKM_SHA384`
    public static let sha384 = MechanismType(rawValue: CKM_SHA384)
    /// `CKM_SHA512`
    public static let sha512 = MechanismType(rawValue: CKM_SHA512)

    private static let names: [MechanismType: String] = [
        .rsaPKCSKeyPairGen: "CKM_RSA_PKCS_KEY_PAIR_GEN", .rsaPKCS: "CKM_RSA_PKCS", .rsaPKCSOAEP: "CKM_RSA_PKCS_OAEP",
        .rsaPKCSPSS: "CKM_RSA_PKCS_PSS", .ecKeyPairGen: "CKM_EC_KEY_PAIR_GEN", .ecdsa: "CKM_ECDSA",
        .aesKeyGen: "CKM_AES_KEY_GEN", .aesCBCPad: "CKM_AES_CBC_PAD", .aesKeyWrapPad: "CKM_AES_KEY_WRAP_PAD",
        .ecdsaSHA1: "CKM_ECDSA_SHA1", .ecdsaSHA256: "CKM_ECDSA_SHA256", .ecdsaSHA384: "CKM_ECDSA_SHA384",
        .ecdsaSHA512: "CKM_ECDSA_SHA512", .ecEdwardsKeyPairGen: "CKM_EC_EDWARDS_KEY_PAIR_GEN", .eddsa: "CKM_EDDSA",
        .ecdh1Derive: "CKM_ECDH1_DERIVE", .aesGCM: "CKM_AES_GCM", .aesKeyWrap: "CKM_AES_KEY_WRAP",
        .aesKeyWrapKWP: "CKM_AES_KEY_WRAP_KWP", .des3KeyGen: "CKM_DES3_KEY_GEN", .des3CBCPad: "CKM_DES3_CBC_PAD",
        .sha1: "CKM_SHA_1", .sha256: "CKM_SHA256", .sha384: "CKM_SHA384", .sha512: "CKM_SHA512",
    ]

    /// The name in the specification, or `CKM 0x…` for a number without a name here.
    public var description: String {
        MechanismType.names[self] ?? "CKM 0x" + String(self.rawValue, radix: 16)
    }
}
