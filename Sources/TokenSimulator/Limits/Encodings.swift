internal import CPKCS11
internal import DeviceProfiles

/// Cards that write signatures of ECDSA as DER (`template.ecdsa_sig`), or points of curves without the OCTET STRING
/// around them (`template.ec_point`). The module inside does as PKCS #11 says (v2.40, sections 2.3.1, 2.3.3).
extension SessionUse {
    /// Calls `body`, which signs, and gives out the signature as the card would.
    ///
    /// - Parameters:
    ///   - kind: the operation that signs.
    ///   - length: `nil` for a part of a message that is not its last one: nothing is signed yet.
    func giving(
        _ signature: UnsafeMutablePointer<UInt8>?, _ length: UnsafeMutablePointer<CK_ULONG>?,
        of kind: OperationKind = .sign,
        _ body: (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<CK_ULONG>?) -> CK_RV?
    ) -> CK_RV? {
        guard let order = self.orderBytes(kind), let length else { return body(signature, length) }
        let longest = UInt(ECDSASignature.longest(orderBytes: order))
        guard let signature, length.pointee >= longest else {
            length.pointee = longest
            return signature == nil ? CKR_OK : CKR_BUFFER_TOO_SMALL
        }
        var raw = [UInt8](repeating: 0, count: 2 * order)
        var rawLength = CK_ULONG(raw.count)
        let result = body(&raw, &rawLength)
        guard result == CKR_OK else { return result }
        let encoded = ECDSASignature.der(raw: raw)
        signature.update(from: encoded, count: encoded.count)
        length.pointee = CK_ULONG(encoded.count)
        return result
    }

    /// Calls `body`, which verifies, with a signature as the module inside wants it.
    ///
    /// - Parameters:
    ///   - signature: `nil` for a part of a message that is not its last one.
    ///   - kind: the operation that verifies.
    func taking(
        _ signature: UnsafeMutablePointer<UInt8>?, _ length: CK_ULONG, of kind: OperationKind = .verify,
        _ body: (UnsafeMutablePointer<UInt8>?, CK_ULONG) -> CK_RV?
    ) -> CK_RV? {
        guard let order = self.orderBytes(kind), let signature, let count = Int(exactly: length) else {
            return body(signature, length)
        }
        let given = Array(UnsafeBufferPointer(start: signature, count: count))
        // No signature has r and s of zero: the module inside says so and ends the operation.
        var raw = ECDSASignature.raw(der: given, orderBytes: order) ?? [UInt8](repeating: 0, count: 2 * order)
        return body(&raw, CK_ULONG(raw.count))
    }

    private func orderBytes(_ kind: OperationKind) -> Int? {
        guard self.card?.encodesSignatures == true else { return nil }
        return self.simulation.reader.withState { $0.sessions[self.outer]?.keys[kind]?.orderBytes }
    }

    /// `C_GetAttributeValue` with points as the card has them.
    func readAttributes(
        _ object: CK_OBJECT_HANDLE, _ pointer: UnsafeMutablePointer<CK_ATTRIBUTE>?, _ count: CK_ULONG
    ) -> CK_RV? {
        let template = Template(pointer, count)
        guard self.card?.givesBarePoints == true, let pointer,
            let index = template.types.firstIndex(of: CKA_EC_POINT)
        else { return self.functions.pointee.C_GetAttributeValue?(self.handle, object, pointer, count) }
        let wanted = pointer[index]
        var buffer = [UInt8](repeating: 0, count: 512)
        let result = buffer.withUnsafeMutableBytes { bytes in
            pointer[index].pValue = bytes.baseAddress
            pointer[index].ulValueLen = CK_ULONG(bytes.count)
            return self.functions.pointee.C_GetAttributeValue?(self.handle, object, pointer, count)
        }
        let length = pointer[index].ulValueLen
        pointer[index].pValue = wanted.pValue
        guard let read = Int(exactly: length), read <= buffer.count else { return result }  // not told
        let stored = Array(buffer.prefix(read))
        let point = OctetString.content(of: stored) ?? stored
        pointer[index].ulValueLen = CK_ULONG(point.count)
        guard let value = wanted.pValue else { return result }
        guard wanted.ulValueLen >= point.count else {
            pointer[index].ulValueLen = SIGNET_CK_UNAVAILABLE_INFORMATION
            return result == CKR_OK ? CKR_BUFFER_TOO_SMALL : result
        }
        value.copyMemory(from: point, byteCount: point.count)
        return result
    }

    /// Calls `body` with a template in which a point is written as the module inside has it. A point in an OCTET STRING
    /// is none for a card that has them without.
    func withInnerPoints(of template: Template, _ body: (Template) -> CK_RV?) -> CK_RV? {
        guard self.card?.givesBarePoints == true, let index = template.types.firstIndex(of: CKA_EC_POINT),
            let point = template.bytes(of: CKA_EC_POINT)
        else { return body(template) }
        guard OctetString.content(of: point) == nil else { return CKR_ATTRIBUTE_VALUE_INVALID }
        var wrapped = OctetString.encoded(point)
        var list = template.list
        return wrapped.withUnsafeMutableBytes { bytes in
            list[index].pValue = bytes.baseAddress
            list[index].ulValueLen = CK_ULONG(bytes.count)
            let count = CK_ULONG(list.count)
            return list.withUnsafeMutableBufferPointer { body(Template($0.baseAddress, count)) }
        }
    }
}

extension KeyPairAlgorithm {
    /// Bytes of the order of the curve; `nil` for RSA.
    var orderBytes: Int? {
        switch self {
        case .rsa: nil
        case .p256: 32
        case .p384: 48
        case .p521: 66
        }
    }
}

/// DER elements of less than 65536 bytes (X.690, section 8.1).
private enum Element {
    static func encoded(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        switch content.count {
        case ..<0x80: [tag, UInt8(content.count)] + content
        case ..<0x100: [tag, 0x81, UInt8(content.count)] + content
        default: [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
        }
    }

    /// The first element of `bytes`, and what comes after it; `nil` when it is not one with the tag, or not in the
    /// shortest form.
    static func first(
        _ tag: UInt8, in bytes: ArraySlice<UInt8>
    ) -> (content: ArraySlice<UInt8>, rest: ArraySlice<UInt8>)? {
        guard bytes.count >= 2, bytes.first == tag, let form = bytes.dropFirst().first else { return nil }
        var body = bytes.dropFirst(2)
        var length = Int(form)
        if form >= 0x80 {
            guard form == 0x81 || form == 0x82, body.count >= Int(form & 0x7F) else { return nil }
            let digits = body.prefix(Int(form & 0x7F))
            length = digits.reduce(0) { $0 << 8 | Int($1) }
            guard length >= (form == 0x81 ? 0x80 : 0x100) else { return nil }
            body = body.dropFirst(digits.count)
        }
        guard body.count >= length else { return nil }
        return (body.prefix(length), body.dropFirst(length))
    }
}

/// A point as `CKA_EC_POINT` has it.
enum OctetString {
    static func encoded(_ content: [UInt8]) -> [UInt8] { Element.encoded(0x04, content) }

    /// - Returns: `nil` for what is not one OCTET STRING with a point in it and nothing else. A bare uncompressed point
    ///   begins with the same octet, and its second one may be the length of the rest: what would be inside then is two
    ///   bytes shorter, which no point is.
    static func content(of bytes: [UInt8]) -> [UInt8]? {
        guard let (content, rest) = Element.first(0x04, in: bytes[...]), rest.isEmpty,
            OctetString.pointLengths.contains(content.count)
        else { return nil }
        return Array(content)
    }

    /// Of points on curves of 224, 256, 384, 512 and 521 bits, compressed or not, and of Edwards curves.
    private static let pointLengths: Set = [29, 32, 33, 49, 57, 65, 67, 97, 129, 133]
}

/// `ECDSA-Sig-Value` (RFC 3279, section 2.2.3), and r and s side by side (PKCS #11 v2.40, section 2.3.1).
enum ECDSASignature {
    /// The most bytes that an encoding takes.
    static func longest(orderBytes: Int) -> Int {
        ECDSASignature.der(raw: [UInt8](repeating: 0xFF, count: 2 * orderBytes)).count
    }

    static func der(raw: [UInt8]) -> [UInt8] {
        let half = raw.count / 2
        return Element.encoded(
            0x30, ECDSASignature.integer(raw.prefix(half)) + ECDSASignature.integer(raw.dropFirst(half)))
    }

    private static func integer(_ magnitude: ArraySlice<UInt8>) -> [UInt8] {
        let digits = Array(magnitude.drop { $0 == 0 })
        return Element.encoded(0x02, (digits.first.map { $0 < 0x80 } ?? false) ? digits : [0] + digits)
    }

    /// - Returns: `nil` for what is not the DER of two numbers that fit.
    static func raw(der: [UInt8], orderBytes: Int) -> [UInt8]? {
        guard let (sequence, end) = Element.first(0x30, in: der[...]), end.isEmpty,
            let (r, afterR) = Element.first(0x02, in: sequence), let (s, afterS) = Element.first(0x02, in: afterR),
            afterS.isEmpty, let first = ECDSASignature.magnitude(r, bytes: orderBytes),
            let second = ECDSASignature.magnitude(s, bytes: orderBytes)
        else { return nil }
        return first + second
    }

    private static func magnitude(_ integer: ArraySlice<UInt8>, bytes count: Int) -> [UInt8]? {
        guard let first = integer.first, first < 0x80 else { return nil }
        var digits = integer
        if first == 0, digits.count > 1 {
            digits = digits.dropFirst()
            guard let next = digits.first, next >= 0x80 else { return nil }
        }
        guard digits.count <= count else { return nil }
        return [UInt8](repeating: 0, count: count - digits.count) + digits
    }
}
