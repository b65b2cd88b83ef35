/// The value a PKCS #11 function returned (`CK_RV`). An unknown or vendor value survives with its number.
///
/// Source: PKCS #11 Cryptographic Token Interface Base Specification v2.40, section 5.1.
public struct ReturnValue: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt

    public init(rawValue: UInt) {
        self.rawValue = rawValue
    }

    /// The name in the specification, such as `CKR_PIN_INCORRECT`, or `nil`.
    public var name: String? {
        ReturnValue.names[self.rawValue]
    }

    /// The name with the number, as `CKR_PIN_INCORRECT (0xa0)`; for a value without a name `CKR 0x80000001`.
    public var description: String {
        let number = "0x" + String(self.rawValue, radix: 16)
        guard let name = self.name else {
            return self.rawValue >= 0x8000_0000 ? "vendor CKR \(number)" : "CKR \(number)"
        }
        return "\(name) (\(number))"
    }

    public static func ~= (pattern: ReturnValue, value: ReturnValue) -> Bool {
        pattern.rawValue == value.rawValue
    }

    /// Looks a value up by its name, with or without the prefix `CKR_`.
    public init?(name: String) {
        let full = name.hasPrefix("CKR_") ? name : "CKR_" + name
        guard let found = ReturnValue.names.first(where: { $0.value == full }) else { return nil }
        self.rawValue = found.key
    }
}
