/// The field of 256 elements with the polynomial x⁸ + x⁴ + x³ + x + 1 (FIPS 197, section 4).
///
/// No table and no branch depends on a value: neither the time nor the cache tells anything of a share.
enum GaloisField {
    /// The product (FIPS 197, section 4.2).
    static func multiply(_ a: UInt8, _ b: UInt8) -> UInt8 {
        var product: UInt8 = 0
        var shifted = a
        for bit in UInt8(0)..<8 {
            product ^= shifted & (0 &- ((b >> bit) & 1))
            shifted = (shifted << 1) ^ (0x1B & (0 &- (shifted >> 7)))
        }
        return product
    }

    /// The inverse, as the 254th power; 0 for 0.
    static func inverse(_ a: UInt8) -> UInt8 {
        var power = a
        var result: UInt8 = 1
        for _ in 0..<7 {
            power = self.multiply(power, power)
            result = self.multiply(result, power)
        }
        return result
    }
}
