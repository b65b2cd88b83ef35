/// Names and values of a query or of a form (`application/x-www-form-urlencoded`, WHATWG URL, section 5.1).
///
/// Strict: `%` needs two hexadecimal digits, the result must be UTF-8 without NUL, a name stands once. Names are
/// compared without case, because Active Server Pages do. A field without `=` is an empty value.
struct FormParameters: Equatable, Sendable {
    private let values: [String: String]

    /// More fields than any enrolment page has.
    static let maximumFields = 64

    init(urlEncoded bytes: some Collection<UInt8>) throws(EnrollmentWebError) {
        var values: [String: String] = [:]
        for field in bytes.split(separator: UInt8(ascii: "&")) {
            guard values.count < Self.maximumFields else { throw .malformedForm("it has too many fields") }
            let parts = field.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decode(parts[0]).lowercased()
            guard !name.isEmpty else { throw .malformedForm("a field has no name") }
            let value = try parts.count == 2 ? Self.decode(parts[1]) : ""
            guard values.updateValue(value, forKey: name) == nil else {
                throw .malformedForm("a field stands in it twice")
            }
        }
        self.values = values
    }

    init(query: String?) throws(EnrollmentWebError) {
        try self.init(urlEncoded: (query ?? "").utf8)
    }

    /// `nil` when the parameter is absent.
    subscript(name: String) -> String? { self.values[name.lowercased()] }

    /// The parameter, which must be there and not be empty.
    func require(_ name: String) throws(EnrollmentWebError) -> String {
        guard let value = self[name], !value.isEmpty else { throw .invalidParameter(name, "it is missing") }
        return value
    }

    /// A decimal number that is not negative, without sign and blanks.
    func number(_ name: String) throws(EnrollmentWebError) -> Int64? {
        guard let text = self[name] else { return nil }
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int64(text)
        else { throw .invalidParameter(name, "it is not a decimal number") }
        return number
    }

    static func decode(_ bytes: some Collection<UInt8>) throws(EnrollmentWebError) -> String {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var iterator = bytes.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "+"):
                decoded.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(Self.digit), let low = iterator.next().flatMap(Self.digit)
                else { throw .malformedForm("a percent sign is not followed by two hexadecimal digits") }
                decoded.append(high << 4 | low)
            default:
                decoded.append(byte)
            }
        }
        guard let text = String(validating: decoded, as: UTF8.self), !decoded.contains(0) else {
            throw .malformedForm("it is not UTF-8 text")
        }
        return text
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
    }
}
