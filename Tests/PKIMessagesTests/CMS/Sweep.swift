import Testing

@testable import PKIMessages

/// Damages a message at many places: nothing crashes, and every refusal is this module's own error.
enum Sweep {
    /// Cuts the message at every `step`-th byte. None of the rests may be accepted.
    static func truncation(_ message: [UInt8], step: Int = 1, _ read: ([UInt8]) throws -> Void) {
        for length in stride(from: 0, to: message.count, by: step) {
            #expect(throws: PKIMessageError.self, "cut to \(length) of \(message.count) bytes") {
                try read(Array(message.prefix(length)))
            }
        }
    }

    /// Flips one bit, then all bits, of every `step`-th byte. What is accepted must write the same bytes again.
    static func byteFlips(_ message: [UInt8], step: Int = 1, _ readAndWrite: ([UInt8]) throws -> [UInt8]?) {
        for index in stride(from: 0, to: message.count, by: step) {
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
