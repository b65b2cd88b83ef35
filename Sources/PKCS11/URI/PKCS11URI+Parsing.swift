extension PKCS11URI {
    /// A longer text is refused unread.
    public static let maximumBytes = 4096

    /// Reads a URI strictly by the grammar of RFC 7512, section 2.3.
    ///
    /// - Throws: ``PKCS11URIError`` with the attribute and the position; `pin-value` is refused by a code of its own.
    public init(_ text: String) throws(PKCS11URIError) {
        let bytes = Array(text.utf8)
        let scheme = Array("pkcs11:".utf8)
        guard bytes.count <= PKCS11URI.maximumBytes else {
            throw PKCS11URIError(.tooLong, position: PKCS11URI.maximumBytes)
        }
        guard bytes.starts(with: scheme) else { throw PKCS11URIError(.wrongScheme, position: 0) }
        self.init()
        let queryMark = bytes.firstIndex(of: UInt8(ascii: "?"))
        let path = try Component(bytes[scheme.count..<(queryMark ?? bytes.endIndex)], .path)
        for attribute in path.attributes { try self.setPathAttribute(attribute) }
        guard let queryMark else { return }
        let query = try Component(bytes[(queryMark + 1)...], .query)
        for attribute in query.attributes { try self.setQueryAttribute(attribute) }
    }

    private mutating func setPathAttribute(_ attribute: RawAttribute) throws(PKCS11URIError) {
        switch attribute.name {
        case "token": self.token = try attribute.text()
        case "manufacturer": self.manufacturer = try attribute.text()
        case "serial": self.serial = try attribute.text()
        case "model": self.model = try attribute.text()
        case "object": self.object = try attribute.text()
        case "id": self.id = attribute.value
        case "type":
            guard let type = ObjectType(rawValue: try attribute.text()) else { throw attribute.invalidValue }
            self.type = type
        case "slot-id": self.slotID = try attribute.number()
        case "slot-description": self.slotDescription = try attribute.text()
        case "slot-manufacturer": self.slotManufacturer = try attribute.text()
        case "library-description": self.libraryDescription = try attribute.text()
        case "library-manufacturer": self.libraryManufacturer = try attribute.text()
        case "library-version": self.libraryVersion = try attribute.version()
        case "pin-value": throw PKCS11URIError(.pinValueRefused, attribute: "pin-value", position: attribute.position)
        default: self.otherPathAttributes.append(OtherAttribute(name: attribute.name, value: attribute.value))
        }
    }

    private mutating func setQueryAttribute(_ attribute: RawAttribute) throws(PKCS11URIError) {
        switch attribute.name {
        case "pin-source": self.pinSource = try attribute.text()
        case "module-name": self.moduleName = try attribute.text()
        case "module-path": self.modulePath = try attribute.text()
        case "pin-value": throw PKCS11URIError(.pinValueRefused, attribute: "pin-value", position: attribute.position)
        default: self.otherQueryAttributes.append(OtherAttribute(name: attribute.name, value: attribute.value))
        }
    }
}

/// The part of a URI before or after the question mark, cut into attributes.
private struct Component {
    enum Kind {
        case path, query

        var separator: UInt8 { self == .path ? UInt8(ascii: ";") : UInt8(ascii: "&") }

        /// `pk11-path-res-avail` and `pk11-query-res-avail` of RFC 7512, section 2.3.
        var reserved: [UInt8] { Array((self == .path ? ":[]@!$'()*+,=&" : ":[]@!$'()*+,=/?|").utf8) }
    }

    var attributes: [RawAttribute] = []

    init(_ bytes: ArraySlice<UInt8>, _ kind: Kind) throws(PKCS11URIError) {
        // `pkcs11:` alone, and a `?` with nothing after it, are both in the grammar.
        guard !bytes.isEmpty else { return }
        for part in bytes.split(separator: kind.separator, omittingEmptySubsequences: false) {
            let attribute = try RawAttribute(part, kind.reserved)
            guard !self.attributes.contains(where: { $0.name == attribute.name }) else {
                throw PKCS11URIError(.duplicateAttribute, attribute: attribute.name, position: attribute.position)
            }
            self.attributes.append(attribute)
        }
    }
}

/// One `name=value`, percent-decoded.
private struct RawAttribute {
    let name: String
    let value: [UInt8]
    let position: Int

    init(_ bytes: ArraySlice<UInt8>, _ reserved: [UInt8]) throws(PKCS11URIError) {
        self.position = bytes.startIndex
        guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")), equals > bytes.startIndex,
            bytes[..<equals].allSatisfy(RawAttribute.isNameByte)
        else { throw PKCS11URIError(.malformedAttribute, position: bytes.startIndex) }
        self.name = String(decoding: bytes[..<equals], as: UTF8.self)
        self.value = try RawAttribute.decode(bytes[(equals + 1)...], of: self.name, reserved)
    }

    private static func decode(
        _ bytes: ArraySlice<UInt8>, of name: String, _ reserved: [UInt8]
    ) throws(PKCS11URIError) -> [UInt8] {
        var decoded: [UInt8] = []
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%") {
                guard index + 2 < bytes.endIndex, let high = self.digit(bytes[index + 1]),
                    let low = self.digit(bytes[index + 2])
                else { throw PKCS11URIError(.badPercentEncoding, attribute: name, position: index) }
                decoded.append(high << 4 | low)
                index += 3
            } else if PKCS11URI.isUnreserved(byte) || reserved.contains(byte) {
                decoded.append(byte)
                index += 1
            } else {
                throw PKCS11URIError(.forbiddenCharacter, attribute: name, position: index)
            }
        }
        return decoded
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        PKCS11URI.isUnreserved(byte) && byte != UInt8(ascii: ".") && byte != UInt8(ascii: "~")
    }

    var invalidValue: PKCS11URIError {
        PKCS11URIError(.invalidValue, attribute: self.name, position: self.position)
    }

    func text() throws(PKCS11URIError) -> String {
        guard let text = String(validating: self.value, as: UTF8.self) else { throw self.invalidValue }
        return text
    }

    /// Decimal digits only.
    func number() throws(PKCS11URIError) -> UInt {
        let text = try self.text()
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt(text) else {
            throw self.invalidValue
        }
        return number
    }

    /// `1` or `1.2`.
    func version() throws(PKCS11URIError) -> Version {
        let parts = try self.text().split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let major = UInt8(parts[0]), let minor = parts.count == 2 ? UInt8(parts[1]) : 0
        else { throw self.invalidValue }
        return Version(major: major, minor: minor)
    }
}
