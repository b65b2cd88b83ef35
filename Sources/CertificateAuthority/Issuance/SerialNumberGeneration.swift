/// How this CA makes serial numbers (protocols.md 1.9): 8 random bytes, 2 bytes of CA key index, 4 bytes of request
/// number, 14 in all.
///
/// Windows has 4 random bytes; RFC 5280 and the CA/Browser Forum ask for 64 bits that nobody can foresee.
enum SerialNumberGeneration {
    static func make(
        keyIndex: Int, requestID: Int64, randomBytes: (Int) throws -> [UInt8]
    ) throws -> [UInt8] {
        var serial = try randomBytes(8)
        guard serial.count == 8 else { throw IssuanceError.unexpected("random source gave \(serial.count) bytes") }
        // Positive, and no leading zero byte, so that the INTEGER is minimal and as long for everybody.
        serial[0] &= 0x7F
        if serial[0] == 0 { serial[0] = 0x61 }
        if serial[0] & 0xF0 == 0 { serial[0] ^= 0x10 }
        let key = UInt16(truncatingIfNeeded: keyIndex)
        serial += [UInt8(key >> 8), UInt8(truncatingIfNeeded: key)]
        return serial + self.octets(of: requestID)
    }

    /// The same serial number with another request's number.
    static func replacingRequest(in serial: [UInt8], by requestID: Int64) -> [UInt8] {
        serial.dropLast(4) + self.octets(of: requestID)
    }

    private static func octets(of requestID: Int64) -> [UInt8] {
        let request = UInt32(truncatingIfNeeded: requestID)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: request >> $0) }
    }
}
