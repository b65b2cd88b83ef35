import Glibc
package import Logging
import Synchronization

/// Writes log events as lines of text, each in one piece: time, level, label, metadata in the order of their names, module
/// and message, as swift-log's own handler for standard error has them.
///
/// Every request writes a line; that handler asks the system for the time zone at each, prints the level by reflection, and
/// takes a lock of the C library.
package struct LineLogHandler: LogHandler {
    package var logLevel = Logger.Level.info
    package var metadata = Logger.Metadata()
    private let label: String
    private let output: Output

    /// Where the lines go, and the time as text, which is made once a second.
    private final class Output: Sendable {
        let write: @Sendable (UnsafeRawBufferPointer) -> Void
        private let now: @Sendable () -> time_t
        private let time = Mutex((second: time_t.min, text: [UInt8]()))

        init(write: @escaping @Sendable (UnsafeRawBufferPointer) -> Void, now: @escaping @Sendable () -> time_t) {
            self.write = write
            self.now = now
        }

        var timestamp: [UInt8] {
            let second = self.now()
            return self.time.withLock { time in
                if time.second != second { time = (second, Output.text(of: second)) }
                return time.text
            }
        }

        /// Local time with its distance from UTC.
        private static func text(of second: time_t) -> [UInt8] {
            var second = second
            var parts = tm()
            localtime_r(&second, &parts)
            return [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
                count = buffer.withMemoryRebound(to: CChar.self) { text in
                    text.baseAddress.map { strftime($0, text.count, "%Y-%m-%dT%H:%M:%S%z", &parts) } ?? 0
                }
            }
        }
    }

    /// - Parameters:
    ///   - write: takes one line with its line feed.
    ///   - now: seconds since 1970.
    package init(
        label: String, write: @escaping @Sendable (UnsafeRawBufferPointer) -> Void,
        now: @escaping @Sendable () -> Int = { time(nil) }
    ) {
        self.label = label
        self.output = Output(write: write, now: now)
    }

    /// To standard error. A line that cannot be written is lost: there is nobody left to tell.
    package static func standardError(label: String) -> LineLogHandler {
        LineLogHandler(label: label) { line in
            var rest = line[...]
            while !rest.isEmpty {
                let count = Glibc.write(STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = self.output.timestamp
        line.reserveCapacity(512)
        LineLogHandler.append(" \(event.level.rawValue) \(self.label):", to: &line)
        var pairs = self.metadata.map { ($0.key, $0.value) }
        if let own = event.metadata {
            pairs.removeAll { own[$0.0] != nil }
            pairs += own.map { ($0.key, $0.value) }
        }
        if let error = event.error {
            pairs += [("error.message", "\(error)"), ("error.type", "\(String(reflecting: type(of: error)))")]
        }
        for (key, value) in pairs.sorted(by: { $0.0 < $1.0 }) {
            LineLogHandler.append(" ", to: &line)
            LineLogHandler.append(key, to: &line)
            LineLogHandler.append("=", to: &line)
            if case .string(let text) = value {
                LineLogHandler.append(text, to: &line)
            } else {
                LineLogHandler.append(value.description, to: &line)
            }
        }
        LineLogHandler.append(" [\(event.source)] ", to: &line)
        LineLogHandler.append(event.message.description, to: &line)
        line.append(UInt8(ascii: "\n"))
        line.withUnsafeBytes(self.output.write)
    }

    private static func append(_ text: String, to line: inout [UInt8]) {
        line.append(contentsOf: text.utf8)
    }
}
