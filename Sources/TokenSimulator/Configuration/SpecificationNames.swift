internal import CPKCS11

/// Numbers by the names of the specification, as profiles write them: without their prefix.
enum SpecificationNames {
    /// Mechanisms by number. Of two names for a number one is kept.
    static let mechanismNames = Dictionary(
        SpecificationNames.mechanisms.map { ($0.value, $0.key) }, uniquingKeysWith: { min($0, $1) })

    /// True for a mechanism whose signatures are those of ECDSA.
    static func isECDSA(_ mechanism: UInt) -> Bool {
        SpecificationNames.mechanismNames[mechanism]?.hasPrefix("ECDSA") ?? false && mechanism != CKM_EC_KEY_PAIR_GEN
    }

    /// `CKO_` names of what can be made from a template.
    static let objectClasses: [String: UInt] = [
        "DATA": CKO_DATA, "CERTIFICATE": CKO_CERTIFICATE, "PUBLIC_KEY": CKO_PUBLIC_KEY,
        "PRIVATE_KEY": CKO_PRIVATE_KEY, "SECRET_KEY": CKO_SECRET_KEY,
    ]

    /// `CKF_` names of what a mechanism can be used for.
    static let mechanismFlags: [String: UInt] = [
        "HW": CKF_HW, "ENCRYPT": CKF_ENCRYPT, "DECRYPT": CKF_DECRYPT, "DIGEST": CKF_DIGEST, "SIGN": CKF_SIGN,
        "SIGN_RECOVER": CKF_SIGN_RECOVER, "VERIFY": CKF_VERIFY, "VERIFY_RECOVER": CKF_VERIFY_RECOVER,
        "GENERATE": CKF_GENERATE, "GENERATE_KEY_PAIR": CKF_GENERATE_KEY_PAIR, "WRAP": CKF_WRAP,
        "UNWRAP": CKF_UNWRAP, "DERIVE": CKF_DERIVE,
    ]

    /// All flags of use together.
    static let uses: UInt = SpecificationNames.mechanismFlags.filter { $0.key != "HW" }.values.reduce(0, |)
}
