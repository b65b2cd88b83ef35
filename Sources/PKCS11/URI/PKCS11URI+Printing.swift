extension PKCS11URI: CustomStringConvertible {
    /// The canonical text: attributes in one fixed order, upper-case hexadecimal digits, `id` percent-encoded whole
    /// (RFC 7512, section 2.3), nothing encoded that need not be.
    public var description: String {
        let path = self.pathAttributes.map { "\($0.0)=\($0.1)" }.joined(separator: ";")
        let query = self.queryAttributes.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        return "pkcs11:" + path + (query.isEmpty ? "" : "?" + query)
    }

    private var pathAttributes: [(String, String)] {
        let allowed = ":[]@!$'()*+,=&"
        let texts: [(String, String?)] = [
            ("token", self.token), ("manufacturer", self.manufacturer), ("serial", self.serial),
            ("model", self.model), ("library-description", self.libraryDescription),
            ("library-manufacturer", self.libraryManufacturer),
            ("library-version", self.libraryVersion?.description), ("slot-description", self.slotDescription),
            ("slot-manufacturer", self.slotManufacturer), ("slot-id", self.slotID.map { String($0) }),
            ("object", self.object), ("type", self.type?.rawValue),
        ]
        let known = texts.compactMap { name, text in
            text.map { (name, PKCS11URI.encode(Array($0.utf8), allowed)) }
        }
        let id = self.id.map { [("id", $0.map(PKCS11URI.percent).joined())] } ?? []
        return known + id + self.otherPathAttributes.map { ($0.name, PKCS11URI.encode($0.value, allowed)) }
    }

    private var queryAttributes: [(String, String)] {
        let allowed = ":[]@!$'()*+,=/?|"
        let texts: [(String, String?)] = [
            ("pin-source", self.pinSource), ("module-name", self.moduleName), ("module-path", self.modulePath),
        ]
        let known = texts.compactMap { name, text in
            text.map { (name, PKCS11URI.encode(Array($0.utf8), allowed)) }
        }
        return known + self.otherQueryAttributes.map { ($0.name, PKCS11URI.encode($0.value, allowed)) }
    }

    private static func encode(_ bytes: [UInt8], _ allowed: String) -> String {
        bytes.map { byte in
            self.isUnreserved(byte) || allowed.utf8.contains(byte)
                ? String(UnicodeScalar(byte)) : self.percent(byte)
        }.joined()
    }

    private static func percent(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return "%" + (digits.count == 1 ? "0" : "") + digits
    }

    /// `unreserved` of RFC 3986, section 2.3.
    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
