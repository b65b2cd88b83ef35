public import Diagnostics

/// A text that is not a `pkcs11:` URI this program takes. The text itself is not kept: it may hold a PIN.
///
/// Equality is on ``code`` only.
public struct PKCS11URIError: DiagnosableError, Equatable {
    /// What is wrong.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// It does not begin with `pkcs11:`.
        public static let wrongScheme = Code(rawValue: "wrongScheme")
        /// Longer than ``PKCS11URI/maximumBytes``.
        public static let tooLong = Code(rawValue: "tooLong")
        /// Not `name=value`.
        public static let malformedAttribute = Code(rawValue: "malformedAttribute")
        /// A character that has to be percent-encoded.
        public static let forbiddenCharacter = Code(rawValue: "forbiddenCharacter")
        /// A `%` without two hexadecimal digits.
        public static let badPercentEncoding = Code(rawValue: "badPercentEncoding")
        /// An attribute that stands twice.
        public static let duplicateAttribute = Code(rawValue: "duplicateAttribute")
        /// A value that the attribute cannot have.
        public static let invalidValue = Code(rawValue: "invalidValue")
        /// A PIN in the URI itself.
        public static let pinValueRefused = Code(rawValue: "pinValueRefused")
    }

    public let code: Code
    /// The name of the attribute, where one is concerned.
    public let attribute: String?
    /// The offset in bytes from the beginning of the text.
    public let position: Int

    init(_ code: Code, attribute: String? = nil, position: Int) {
        self.code = code
        self.attribute = attribute
        self.position = position
    }

    public var headline: String {
        let place = self.attribute.map { " in the attribute \($0)" } ?? ""
        return "The pkcs11: URI is not valid\(place) at byte \(self.position): \(self.reason)."
    }

    public var hresult: HRESULT { .invalidParameter }

    public var facts: [Fact] {
        [Fact("position", String(self.position))] + (self.attribute.map { [Fact("attribute", $0)] } ?? [])
    }

    public var advice: [Advice] {
        switch self.code {
        case .pinValueRefused:
            ["Take pin-value out of the URI and change that PIN; name a file with pin-source, or let the program ask."]
        case .wrongScheme: ["Begin the reference with pkcs11:, as in pkcs11:token=LABEL;serial=SERIAL (RFC 7512)."]
        case .duplicateAttribute: ["Give each attribute once."]
        case .badPercentEncoding, .forbiddenCharacter: ["Write the character as % and two hexadecimal digits."]
        default: ["Write attributes as name=value, separated by ; before the ? and by & after it (RFC 7512)."]
        }
    }

    private var reason: String {
        switch self.code {
        case .wrongScheme: "it does not begin with pkcs11:"
        case .tooLong: "it is longer than \(PKCS11URI.maximumBytes) bytes"
        case .malformedAttribute: "an attribute is not name=value"
        case .forbiddenCharacter: "a character has to be percent-encoded"
        case .badPercentEncoding: "a % is not followed by two hexadecimal digits"
        case .duplicateAttribute: "it stands twice"
        case .invalidValue: "the value is not one that the attribute can have"
        case .pinValueRefused: "a PIN must not stand in a reference"
        default: self.code.rawValue
        }
    }

    public static func == (lhs: PKCS11URIError, rhs: PKCS11URIError) -> Bool { lhs.code == rhs.code }
}
