import Diagnostics
import Glibc
package import SecretMemory

/// The controlling terminal.
package enum Terminal {
    /// Control-C.
    private static let interrupt: UInt8 = 3

    /// Asks for a secret without echo.
    ///
    /// - Throws: ``ServiceError`` when there is no terminal, when the line is empty, or on end of input.
    package static func readSecret(_ what: String) throws -> SecretBytes {
        let terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else {
            throw ServiceError.secretUnavailable(
                what, "there is no terminal to ask on", "Name a source that needs none: file:PATH or env:NAME.")
        }
        defer { close(terminal) }
        var settings = termios()
        guard tcgetattr(terminal, &settings) == 0 else {
            throw ServiceError.secretUnavailable(
                what, "the terminal's echo cannot be switched off", "Use file:PATH or env:NAME.")
        }
        Terminal.write("Enter \(what): ", to: terminal)
        var silent = settings
        // The interrupt key ends the line instead of the process, so that echo is switched on again before we stop.
        silent.c_lflag &= ~tcflag_t(ECHO | ISIG)
        silent.c_cc.11 = Terminal.interrupt  // VEOL
        tcsetattr(terminal, TCSAFLUSH, &silent)
        defer {
            tcsetattr(terminal, TCSAFLUSH, &settings)
            Terminal.write("\n", to: terminal)
        }
        return try SecretBytes(capacity: 1024) { try Terminal.readLine(into: $0, from: terminal, what: what) }
    }

    /// Asks for a line that has to be `answer`, with echo.
    ///
    /// - Returns: false for another line, at the end of input, and without a terminal.
    package static func confirm(_ question: String, answer: String) -> Bool {
        self.ask(question) == answer
    }

    /// Asks for a line of at most 1023 bytes, with echo.
    ///
    /// - Returns: `nil` without a terminal.
    package static func ask(_ question: String) -> String? {
        let terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { return nil }
        defer { close(terminal) }
        Terminal.write(question, to: terminal)
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while line.count < 1024, Glibc.read(terminal, &byte, 1) == 1, byte != 0x0A { line.append(byte) }
        return String(decoding: line, as: UTF8.self)
    }

    private static func readLine(
        into buffer: UnsafeMutableRawBufferPointer, from terminal: Int32, what: String
    ) throws -> Int {
        var count = 0
        while count < buffer.count, let base = buffer.baseAddress {
            let read = Glibc.read(terminal, base + count, 1)
            guard read == 1, buffer[count] != 0x0A else { break }
            guard buffer[count] != Terminal.interrupt else { throw ServiceError.cancelled(what) }
            count += 1
        }
        guard count > 0 else {
            throw ServiceError.secretUnavailable(what, "nothing was entered", "Try again and enter it.")
        }
        return count
    }

    private static func write(_ text: String, to terminal: Int32) {
        var bytes = Array(text.utf8)
        // A terminal that takes no prompt still gives an answer; there is nobody to tell.
        _ = Glibc.write(terminal, &bytes, bytes.count)
    }
}
