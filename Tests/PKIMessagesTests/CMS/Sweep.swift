import Testing

@testable import PKIMessages

/// Damages a message at many places: nothing crashes, and every refusal is this module's own error.
enum Sweep {
    /// The first 64 bytes, where the outer structure is, and every `step`-th byte behind them.
    private static func positions(_ count: Int, step: Int) -> [Int] {
        Array(0..<min(64, count)) + Array(stride(from: 64, to: count, by: step))
    }

    /// Cuts the message at many places. None of the rests may be accepted.
    static func truncation(_ message: [UInt8], step: Int = 1, _ read: ([UInt8]) throws -> Void) {
        for length in self.positions(message.count, step: step) {
            #expect(throws: PKIMessageError.self, "cut to \(length) of \(message.count) bytes") {
                try read(Array(message.prefix(length)))
            }
        }
    }

    /// Flips one bit, then all bits, of many bytes. What is accepted must write the same bytes again.
    static func byteFlips(_ message: [UInt8], step: Int = 1, _ readAndWrite: ([UInt8]) throws -> [UInt8]?) {
        for index in self.positions(message.count, step: step) {
            for mask in [UInt8(0x01), 0xFF] {
                var damaged = message
                damaged[index] ^= mask
                do {
                    if let written = try readAndWrite(damaged) {
                        #expect(written == damaged, "byte \(index) flipped by \(mask)")
                    }
                } catch {
                    #expect(error is PKIMessageError, "byte \(index) flipped by \(mask): \(error)")
                }
            }
        }
    }
}
