import Diagnostics

extension HRESULT {
    /// The code as Windows prints it on its pages: `0x80094004 (-2146877436 CERTSRV_E_PROPERTY_EMPTY)`,
    /// `0x8007000d (WIN32: 13)`, `0x0 (WIN32: 0)`.
    ///
    /// Clients scrape the number out of this form, so the blank before the parenthesis and the decimal number after
    /// it matter.
    var windowsCode: String {
        if self == .ok { return "0x0 (WIN32: 0)" }
        if self.rawValue >> 16 == 0x8007 { return "\(self) (WIN32: \(self.rawValue & 0xFFFF))" }
        let decimal = Int32(bitPattern: self.rawValue)
        return "\(self) (\(decimal)\(self.name.map { " \($0)" } ?? " UNKNOWN"))"
    }

    /// Text and code, as in the `LastStatus` row of an error page.
    var windowsText: String { "\(self.text) \(self.windowsCode)" }
}
