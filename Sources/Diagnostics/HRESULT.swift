/// A Windows status code, 32 bits: the number that operators of Certificate Services look up.
///
/// Names and texts are those of MS-ERREF section 2.1 and of the Windows Server 2003 white papers. A code that
/// the table does not know survives with its number.
public struct HRESULT: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The symbolic name, such as `CERTSRV_E_NO_VALID_KRA`, or `nil` for a code that the table does not have.
    public var name: String? {
        HRESULT.table[self.rawValue]?.name
    }

    /// The text that Windows shows for the code, or a sentence with the number where the table has none.
    public var text: String {
        HRESULT.table[self.rawValue]?.text ?? "Unknown error \(self)."
    }

    /// Eight hexadecimal digits, as `0x80100028`.
    public var description: String {
        let digits = String(self.rawValue, radix: 16, uppercase: false)
        return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// True for success codes (bit 31 clear).
    public var isSuccess: Bool {
        self.rawValue & 0x8000_0000 == 0
    }

    /// Text and code as in the application log of Certificate Services: `Cannot find object or property. 0x80092004
    /// (-2146885628)`, `The data is invalid. 0x8007000d (WIN32: 13)`.
    public var eventText: String {
        let number =
            self.rawValue >> 16 == 0x8007
            ? "WIN32: \(self.rawValue & 0xFFFF)" : "\(Int32(bitPattern: self.rawValue))"
        return "\(self.text) \(self) (\(number))"
    }
}
