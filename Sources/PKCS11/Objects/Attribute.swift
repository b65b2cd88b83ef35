internal import CPKCS11

/// The number of an attribute together with the type of its value (`CK_ATTRIBUTE_TYPE`).
public struct Attribute<Value: AttributeValue>: Hashable, Sendable {
    public let rawValue: UInt

    public init(rawValue: UInt) {
        self.rawValue = rawValue
    }
}

extension Attribute where Value == ObjectClass {
    /// `CKA_CLASS`
    public static var objectClass: Self { .init(rawValue: CKA_CLASS) }
}

extension Attribute where Value == KeyType {
    /// `CKA_KEY_TYPE`
    public static var keyType: Self { .init(rawValue: CKA_KEY_TYPE) }
}

extension Attribute where Value == CertificateType {
    /// `CKA_CERTIFICATE_TYPE`
    public static var certificateType: Self { .init(rawValue: CKA_CERTIFICATE_TYPE) }
}

extension Attribute where Value == String {
    /// `CKA_LABEL`
    public static var label: Self { .init(rawValue: CKA_LABEL) }
    /// `CKA_APPLICATION`
    public static var application: Self { .init(rawValue: CKA_APPLICATION) }
}

extension Attribute where Value == UInt {
    /// `CKA_MODULUS_BITS`
    public static var modulusBits: Self { .init(rawValue: CKA_MODULUS_BITS) }
    /// `CKA_VALUE_LEN`, in bytes.
    public static var valueLength: Self { .init(rawValue: CKA_VALUE_LEN) }
}

extension Attribute where Value == [UInt8] {
    /// `CKA_ID`
    public static var id: Self { .init(rawValue: CKA_ID) }
    /// `CKA_VALUE`
    public static var value: Self { .init(rawValue: CKA_VALUE) }
    /// `CKA_SUBJECT`, DER Name.
    public static var subject: Self { .init(rawValue: CKA_SUBJECT) }
    /// `CKA_ISSUER`, DER Name.
    public static var issuer: Self { .init(rawValue: CKA_ISSUER) }
    /// `CKA_SERIAL_NUMBER`, DER INTEGER.
    public static var serialNumber: Self { .init(rawValue: CKA_SERIAL_NUMBER) }
    /// `CKA_MODULUS`, big-endian.
    public static var modulus: Self { .init(rawValue: CKA_MODULUS) }
    /// `CKA_PUBLIC_EXPONENT`, big-endian.
    public static var publicExponent: Self { .init(rawValue: CKA_PUBLIC_EXPONENT) }
    /// `CKA_PRIVATE_EXPONENT`; asked for only to see that it is not given, and written when a key is imported.
    public static var privateExponent: Self { .init(rawValue: CKA_PRIVATE_EXPONENT) }
    /// `CKA_PRIME_1` and so on; only ever written.
    public static var prime1: Self { .init(rawValue: CKA_PRIME_1) }
    public static var prime2: Self { .init(rawValue: CKA_PRIME_2) }
    public static var exponent1: Self { .init(rawValue: CKA_EXPONENT_1) }
    public static var exponent2: Self { .init(rawValue: CKA_EXPONENT_2) }
    public static var coefficient: Self { .init(rawValue: CKA_COEFFICIENT) }
    /// `CKA_EC_PARAMS`, DER ECParameters.
    public static var ecParameters: Self { .init(rawValue: CKA_EC_PARAMS) }
    /// `CKA_EC_POINT`, DER OCTET STRING by the specification, raw by some devices.
    public static var ecPoint: Self { .init(rawValue: CKA_EC_POINT) }
}

extension Attribute where Value == Bool {
    /// `CKA_TOKEN`
    public static var token: Self { .init(rawValue: CKA_TOKEN) }
    /// `CKA_PRIVATE`
    public static var isPrivate: Self { .init(rawValue: CKA_PRIVATE) }
    /// `CKA_MODIFIABLE`
    public static var modifiable: Self { .init(rawValue: CKA_MODIFIABLE) }
    /// `CKA_SENSITIVE`
    public static var sensitive: Self { .init(rawValue: CKA_SENSITIVE) }
    /// `CKA_ALWAYS_SENSITIVE`
    public static var alwaysSensitive: Self { .init(rawValue: CKA_ALWAYS_SENSITIVE) }
    /// `CKA_EXTRACTABLE`
    public static var extractable: Self { .init(rawValue: CKA_EXTRACTABLE) }
    /// `CKA_NEVER_EXTRACTABLE`
    public static var neverExtractable: Self { .init(rawValue: CKA_NEVER_EXTRACTABLE) }
    /// `CKA_LOCAL`
    public static var local: Self { .init(rawValue: CKA_LOCAL) }
    /// `CKA_ALWAYS_AUTHENTICATE`: the PIN is wanted for each use of the key.
    public static var alwaysAuthenticate: Self { .init(rawValue: CKA_ALWAYS_AUTHENTICATE) }
    /// `CKA_ENCRYPT`
    public static var encrypt: Self { .init(rawValue: CKA_ENCRYPT) }
    /// `CKA_DECRYPT`
    public static var decrypt: Self { .init(rawValue: CKA_DECRYPT) }
    /// `CKA_WRAP`
    public static var wrap: Self { .init(rawValue: CKA_WRAP) }
    /// `CKA_UNWRAP`
    public static var unwrap: Self { .init(rawValue: CKA_UNWRAP) }
    /// `CKA_SIGN`
    public static var sign: Self { .init(rawValue: CKA_SIGN) }
    /// `CKA_VERIFY`
    public static var verify: Self { .init(rawValue: CKA_VERIFY) }
    /// `CKA_DERIVE`
    public static var derive: Self { .init(rawValue: CKA_DERIVE) }
}
