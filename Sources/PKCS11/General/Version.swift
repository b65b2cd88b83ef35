internal import CPKCS11

/// A version as PKCS #11 writes it (`CK_VERSION`).
public struct Version: Hashable, Sendable, CustomStringConvertible {
    public let major: UInt8
    public let minor: UInt8

    public init(major: UInt8, minor: UInt8) {
        self.major = major
        self.minor = minor
    }

    init(_ version: CK_VERSION) {
        self.init(major: version.major, minor: version.minor)
    }

    public var description: String { "\(self.major).\(self.minor)" }
}

/// Reads a fixed field that is padded with blanks (PKCS #11 v2.40, section 3.1). Some modules pad with zeros.
func blankPadded<Field>(_ field: Field) -> String {
    withUnsafeBytes(of: field) { bytes in
        let end = bytes.lastIndex { $0 != 0x20 && $0 != 0 }.map { $0 + 1 } ?? 0
        return String(decoding: bytes[..<end], as: UTF8.self)
    }
}
