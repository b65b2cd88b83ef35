internal import CPKCS11

/// A Swift type that an attribute's value can have. The bytes are those of the C interface.
public protocol AttributeValue: Sendable {
    /// `nil` when the bytes are not a value of this type.
    init?(attributeBytes: [UInt8])
    var attributeBytes: [UInt8] { get }
}

extension Bool: AttributeValue {
    public init?(attributeBytes: [UInt8]) {
        guard attributeBytes.count == MemoryLayout<CK_BBOOL>.size else { return nil }
        self = attributeBytes[0] != 0
    }

    public var attributeBytes: [UInt8] { [self ? 1 : 0] }
}

extension UInt: AttributeValue {
    public init?(attributeBytes: [UInt8]) {
        guard attributeBytes.count == MemoryLayout<CK_ULONG>.size else { return nil }
        self = attributeBytes.withUnsafeBytes { $0.loadUnaligned(as: UInt.self) }
    }

    public var attributeBytes: [UInt8] { withUnsafeBytes(of: self) { Array($0) } }
}

extension Array: AttributeValue where Element == UInt8 {
    public init?(attributeBytes: [UInt8]) { self = attributeBytes }

    public var attributeBytes: [UInt8] { self }
}

extension String: AttributeValue {
    public init?(attributeBytes: [UInt8]) {
        self.init(validating: attributeBytes, as: UTF8.self)
    }

    public var attributeBytes: [UInt8] { Array(self.utf8) }
}

/// The class of an object (`CK_OBJECT_CLASS`).
public struct ObjectClass: RawRepresentable, Hashable, AttributeValue {
    public let rawValue: UInt

    public init(rawValue: UInt) { self.rawValue = rawValue }

    /// `CKO_DATA`
    public static let data = ObjectClass(rawValue: CKO_DATA)
    /// `CKO_CERTIFICATE`
    public static let certificate = ObjectClass(rawValue: CKO_CERTIFICATE)
    /// `CKO_PUBLIC_KEY`
    public static let publicKey = ObjectClass(rawValue: CKO_PUBLIC_KEY)
    /// `CKO_PRIVATE_KEY`
    public static let privateKey = ObjectClass(rawValue: CKO_PRIVATE_KEY)
    /// `CKO_SECRET_KEY`
    public static let secretKey = ObjectClass(rawValue: CKO_SECRET_KEY)
}

/// The type of a key (`CK_KEY_TYPE`).
public struct KeyType: RawRepresentable, Hashable, AttributeValue {
    public let rawValue: UInt

    public init(rawValue: UInt) { self.rawValue = rawValue }

    /// `CKK_RSA`
    public static let rsa = KeyType(rawValue: CKK_RSA)
    /// `CKK_EC`
    public static let ec = KeyType(rawValue: CKK_EC)
    /// `CKK_EC_EDWARDS`
    public static let ecEdwards = KeyType(rawValue: CKK_EC_EDWARDS)
    /// `CKK_AES`
    public static let aes = KeyType(rawValue: CKK_AES)
    /// `CKK_DES3`
    public static let des3 = KeyType(rawValue: CKK_DES3)
}

/// The type of a certificate (`CK_CERTIFICATE_TYPE`).
public struct CertificateType: RawRepresentable, Hashable, AttributeValue {
    public let rawValue: UInt

    public init(rawValue: UInt) { self.rawValue = rawValue }

    /// `CKC_X_509`
    public static let x509 = CertificateType(rawValue: CKC_X_509)
}

extension AttributeValue where Self: RawRepresentable, RawValue == UInt {
    public init?(attributeBytes: [UInt8]) {
        guard let value = UInt(attributeBytes: attributeBytes) else { return nil }
        self.init(rawValue: value)
    }

    public var attributeBytes: [UInt8] { self.rawValue.attributeBytes }
}
