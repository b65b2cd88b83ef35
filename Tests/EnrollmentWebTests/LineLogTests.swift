import Foundation
import Logging
import Synchronization
import Testing

@testable import EnrollmentWeb

@Suite("A line of the log")
struct LineLogTests {
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { self.lines.withLock { $0 } }
        func append(_ line: UnsafeRawBufferPointer) {
            self.lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
    }

    private func logger(_ lines: Lines, now: @escaping @Sendable () -> Int) -> Logger {
        Logger(label: "signetd") { LineLogHandler(label: $0, write: lines.append, now: now) }
    }

    @Test("It has time, level, label, metadata by name with the event's own before the logger's, module and message")
    func content() throws {
        let lines = Lines()
        var logger = self.logger(lines) { 1_700_000_000 }
        logger[metadataKey: "b"] = "logger's"
        logger[metadataKey: "c"] = "kept"
        logger.info("request", metadata: ["b": "own", "a": .array(["x", "y"])], source: "EnrollmentWeb")
        logger.debug("not at this level")
        let line = try #require(lines.all.first)
        #expect(lines.all.count == 1)
        let time = Date(timeIntervalSince1970: 1_700_000_000)
        let offset = TimeZone.current.secondsFromGMT(for: time)
        let local = Date(timeIntervalSince1970: 1_700_000_000 + TimeInterval(offset))
        #expect(line.hasPrefix(local.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: false))))
        #expect(line.hasSuffix(" info signetd: a=[\"x\", \"y\"] b=own c=kept [EnrollmentWeb] request\n"))
    }

    @Test("The time goes on, and an error is named with its type")
    func goesOn() {
        let lines = Lines()
        let second = Mutex(1_700_000_000)
        let logger = self.logger(lines) { second.withLock { $0 } }
        logger.error("first")
        second.withLock { $0 += 1 }
        logger.error("second", error: EnrollmentWebError.busy)
        #expect(lines.all.count == 2 && lines.all[0].prefix(19) != lines.all[1].prefix(19))
        #expect(lines.all[1].contains(" error.type=EnrollmentWeb.EnrollmentWebError "))
    }
}
