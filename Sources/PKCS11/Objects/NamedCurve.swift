/// The NIST curves over prime fields (FIPS 186-4, appendix D.1.2), by their DER ECParameters (RFC 3279, section
/// 2.3.5): a named curve is an OBJECT IDENTIFIER.
public enum NamedCurve: Hashable, Sendable, CaseIterable {
    case p256, p384, p521

    /// What `CKA_EC_PARAMS` has: the DER OBJECT IDENTIFIER with its tag.
    public var parametersDER: [UInt8] {
        switch self {
        case .p256: [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        case .p384: [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22]
        case .p521: [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23]
        }
    }

    /// The length of a coordinate and of a signature's half, in bytes.
    public var fieldBytes: Int {
        switch self {
        case .p256: 32
        case .p384: 48
        case .p521: 66
        }
    }

    /// The curve that `CKA_EC_PARAMS` names, or `nil` for another one.
    public init?(parametersDER: [UInt8]) {
        guard let curve = NamedCurve.allCases.first(where: { $0.parametersDER == parametersDER }) else { return nil }
        self = curve
    }

    /// The uncompressed point (SEC 1, section 2.3.3) in `CKA_EC_POINT`: a DER OCTET STRING by PKCS #11 v2.40, the
    /// bare point on some devices. Both begin with 0x04, so the length decides.
    ///
    /// - Returns: `04 || X || Y`, or `nil` when the value is neither form for this curve.
    public func uncompressedPoint(attributeValue: [UInt8]) -> [UInt8]? {
        let length = 1 + 2 * self.fieldBytes
        let header: [UInt8] = length < 0x80 ? [0x04, UInt8(length)] : [0x04, 0x81, UInt8(length)]
        let point: [UInt8]
        if attributeValue.count == length {
            point = attributeValue
        } else if attributeValue.count == header.count + length, attributeValue.starts(with: header) {
            point = Array(attributeValue.dropFirst(header.count))
        } else {
            return nil
        }
        return point.first == 0x04 ? point : nil
    }
}
