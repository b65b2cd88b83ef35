internal import PKCS11

/// An ECDSA signature from the token, as `ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279, section
/// 2.2.3).
enum ECDSASignature {
    /// Encodes `r || s`, each half exactly as long as the field (PKCS #11 v2.40, section 2.3.1).
    ///
    /// - Returns: `nil` when the length is another one or a half is zero.
    static func der(rawSignature: UnsafeBufferPointer<UInt8>, curve: NamedCurve) -> [UInt8]? {
        guard rawSignature.count == 2 * curve.fieldBytes, let start = rawSignature.baseAddress else { return nil }
        // Written in one go: this is the way of every signature.
        let (middle, end) = (curve.fieldBytes, rawSignature.count)
        guard let r = rawSignature[..<middle].firstIndex(where: { $0 != 0 }),
            let s = rawSignature[middle...].firstIndex(where: { $0 != 0 })
        else { return nil }
        let rBytes = middle - r + (rawSignature[r] >= 0x80 ? 1 : 0)
        let sBytes = end - s + (rawSignature[s] >= 0x80 ? 1 : 0)
        let length = 4 + rBytes + sBytes
        let isLong = length >= 0x80
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 3 + length) { der in
            guard let target = der.baseAddress else { return [] }
            var count = 0
            func append(_ byte: UInt8) {
                target[count] = byte
                count += 1
            }
            func append(_ bytes: Range<Int>, _ length: Int) {
                append(0x02)
                append(UInt8(truncatingIfNeeded: length))
                if length > bytes.count { append(0) }
                (target + count).update(from: start + bytes.lowerBound, count: bytes.count)
                count += bytes.count
            }
            append(0x30)
            if isLong { append(0x81) }
            append(UInt8(truncatingIfNeeded: length))
            append(r..<middle, rBytes)
            append(s..<end, sBytes)
            return Array(UnsafeBufferPointer(start: target, count: count))
        }
    }

    /// True for exactly one DER `ECDSA-Sig-Value` whose integers fit the field.
    static func isValid(der: [UInt8], curve: NamedCurve) -> Bool {
        do throws(DERFault) {
            var outer = DERReader(der[...])
            var inner = DERReader(try outer.element(0x30, "a SEQUENCE").content)
            try outer.end()
            let r = try inner.positiveInteger("r")
            let s = try inner.positiveInteger("s")
            try inner.end()
            return max(r.count, s.count) <= curve.fieldBytes
        } catch {
            return false
        }
    }
}
