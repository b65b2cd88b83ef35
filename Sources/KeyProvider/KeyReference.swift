/// The name of a key on a token: a `pkcs11:` URI (RFC 7512). There is no other kind of key reference.
///
/// A text with another scheme, or with none, is refused by name and never read as a file, so that a mistyped
/// reference cannot become a software key.
public struct KeyReference: Hashable, Sendable, Codable, CustomStringConvertible {
    public let uri: String

    /// - Throws: ``KeyProviderError`` with code ``KeyProviderError/Code/notATokenReference`` when the text does not
    ///   begin with `pkcs11:`.
    public init(_ text: String) throws(KeyProviderError) {
        guard text.hasPrefix("pkcs11:") else { throw .notATokenReference(text) }
        self.uri = text
    }

    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.uri)
    }

    public var description: String { self.uri }
}

/// How to find one private key again, whatever slot, session or handle it has now.
///
/// The reference names token label, token serial number, `CKA_ID` and object class; the hash makes sure that the
/// key found is the key meant, because a stale handle can name another key.
public struct KeyLocator: Hashable, Sendable, Codable {
    public var reference: KeyReference
    /// SHA-256 of the DER SubjectPublicKeyInfo, 32 bytes.
    public var publicKeySHA256: [UInt8]

    public init(reference: KeyReference, publicKeySHA256: [UInt8]) {
        self.reference = reference
        self.publicKeySHA256 = publicKeySHA256
    }
}
