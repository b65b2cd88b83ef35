import Testing

@testable import TokenSimulator

/// What programs hand to a card that has encodings of its own.
@Suite("DER of signatures and points")
struct EncodingTests {
    /// r has its highest bit set, s begins with a zero byte.
    static let raw = [0x80] + (1..<32).map { UInt8($0) } + [0x00, 0x7F] + (2..<32).map { UInt8($0) }

    @Test("A signature comes back from DER as it was, for each curve, and is never longer than was told")
    func roundTrip() {
        for order in [32, 48, 66] {
            for bytes in [[UInt8](repeating: 0xFF, count: 2 * order), [UInt8](repeating: 0, count: 2 * order)] {
                let der = ECDSASignature.der(raw: bytes)
                #expect(der.count <= ECDSASignature.longest(orderBytes: order))
                #expect(ECDSASignature.raw(der: der, orderBytes: order) == bytes)
            }
        }
        #expect(ECDSASignature.longest(orderBytes: 32) == 72)
        #expect(ECDSASignature.longest(orderBytes: 66) == 141)
    }

    @Test("A signature that is cut is refused, and one with a bit flipped is refused or another one in the same form")
    func damaged() {
        let der = ECDSASignature.der(raw: Self.raw)
        for count in 0..<der.count { #expect(ECDSASignature.raw(der: Array(der.prefix(count)), orderBytes: 32) == nil) }
        #expect(ECDSASignature.raw(der: der + [0], orderBytes: 32) == nil)
        #expect(ECDSASignature.raw(der: der, orderBytes: 31) == nil)
        for bit in 0..<(8 * der.count) {
            var flipped = der
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let raw = ECDSASignature.raw(der: flipped, orderBytes: 32) else { continue }
            #expect(raw != Self.raw && ECDSASignature.der(raw: raw) == flipped)
        }
    }

    @Test("An OCTET STRING is told from a bare point, and one that is cut or damaged is none")
    func points() {
        for size in [65, 97, 133] {
            let point = [0x04] + [UInt8](repeating: 0x41, count: size - 1)
            // The second byte of a bare point may be the length of what follows.
            for second in UInt8.min ... .max {
                var bare = point
                bare[1] = second
                #expect(OctetString.content(of: bare) == nil)
            }
            let wrapped = OctetString.encoded(point)
            #expect(OctetString.content(of: wrapped) == point)
            for count in 0..<wrapped.count { #expect(OctetString.content(of: Array(wrapped.prefix(count))) == nil) }
            #expect(OctetString.content(of: wrapped + [0]) == nil)
            for bit in 0..<(8 * wrapped.count) {
                var flipped = wrapped
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                guard let content = OctetString.content(of: flipped) else { continue }
                #expect(content != point && OctetString.encoded(content) == flipped)
            }
        }
    }
}
