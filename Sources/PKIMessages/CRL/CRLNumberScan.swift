/// Finds the number of a revocation list in its last bytes, for lists that are not read whole.
///
/// The extension cRLNumber is not critical, so that its bytes are fixed up to the INTEGER: SEQUENCE, the object
/// identifier 2.5.29.20, OCTET STRING, INTEGER. The file is this CA's own; a wrong hit could only make the next number
/// higher than it has to be.
package enum CRLNumberScan {
    private static let identifier: [UInt8] = [0x06, 0x03, 0x55, 0x1D, 0x14, 0x04]

    /// - Returns: the last number found, `nil` for none that fits 63 bits.
    package static func number(inTail bytes: [UInt8]) -> UInt64? {
        guard bytes.count > self.identifier.count + 4 else { return nil }
        for start in (0..<(bytes.count - self.identifier.count - 3)).reversed()
        where bytes[start..<(start + self.identifier.count)].elementsEqual(self.identifier) {
            let header = start + self.identifier.count
            let count = Int(bytes[header + 2])
            let end = header + 3 + count
            guard bytes[header + 1] == 0x02, Int(bytes[header]) == count + 2, (1...8).contains(count),
                end <= bytes.count,
                bytes[header + 3] & 0x80 == 0
            else { continue }
            return bytes[(header + 3)..<end].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        return nil
    }
}
