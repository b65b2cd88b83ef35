internal import PKCS11

/// An ECDSA signature from the token, as `ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279, section
/// 2.2.3).
enum ECDSASignature {
    /// Encodes `r || s`, each half exactly as long as the field (PKCS #11 v2.40, section 2.3.1).
    ///
    /// - Returns: `nil` when the length is another one or a half is zero.
    static func der(rawSignature: [UInt8], curve: NamedCurve) -> [UInt8]? {
        guard rawSignature.count == 2 * curve.fieldBytes else { return nil }
        let r = rawSignature.prefix(curve.fieldBytes)
        let s = rawSignature.suffix(curve.fieldBytes)
        guard r.contains(where: { $0 != 0 }), s.contains(where: { $0 != 0 }) else { return nil }
        return DERWriter.sequence([DERWriter.integer(r), DERWriter.integer(s)])
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
