/// A small DER writer (X.690): exactly what a SubjectPublicKeyInfo and an ECDSA-Sig-Value need.
enum DERWriter {
    static func sequence(_ parts: [[UInt8]]) -> [UInt8] { self.value(0x30, parts.flatMap { $0 }) }

    static func octetString(_ bytes: [UInt8]) -> [UInt8] { self.value(0x04, bytes) }

    /// A BIT STRING of whole bytes.
    static func bitString(_ bytes: [UInt8]) -> [UInt8] { self.value(0x03, [0] + bytes) }

    static let null: [UInt8] = [0x05, 0x00]

    /// A non-negative INTEGER from big-endian bytes: leading zeros removed, one put back where the sign needs it.
    static func integer(_ magnitude: some Collection<UInt8>) -> [UInt8] {
        var bytes = Array(magnitude.drop { $0 == 0 })
        if bytes.first.map({ $0 >= 0x80 }) ?? true { bytes.insert(0, at: 0) }
        return self.value(0x02, bytes)
    }

    static func value(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = [UInt8(truncatingIfNeeded: content.count)]
        if content.count >= 0x80 {
            var rest = content.count
            length = []
            while rest > 0 {
                length.insert(UInt8(truncatingIfNeeded: rest), at: 0)
                rest >>= 8
            }
            length.insert(0x80 | UInt8(length.count), at: 0)
        }
        return [tag] + length + content
    }
}
