internal import Diagnostics
internal import Glibc
internal import Synchronization

/// Numbered lines about what the simulator did, in a file that processes share. A line names functions, codes and
/// cards, and never a PIN or bytes of data.
///
/// `PID.NUMBER SECONDS FUNCTION: TEXT`
final class EventLog: Sendable {
    private let descriptor: Int32
    private let number = Atomic<Int>(0)
    let logsCalls: Bool

    /// - Parameter logsCalls: whether every call is written, with its result.
    /// - Throws: ``SimulatorError`` when the file cannot be opened.
    init(path: String, logsCalls: Bool) throws(SimulatorError) {
        self.descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        self.logsCalls = logsCalls
        guard self.descriptor >= 0 else { throw .log(path, reason: String(cString: strerror(errno))) }
    }

    deinit {
        close(self.descriptor)
    }

    func write(_ function: FunctionName?, _ text: String) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let milliseconds = String(1000 + now.tv_nsec / 1_000_000).dropFirst()
        let number = self.number.wrappingAdd(1, ordering: .relaxed).newValue
        let subject = function.map { "\($0.rawValue): " } ?? ""
        let line = Array("\(getpid()).\(number) \(now.tv_sec).\(milliseconds) \(subject)\(text)\n".utf8)
        // One write for a line, so that lines of several processes do not mix. A line that cannot be written is lost:
        // the call that it is about has its own result.
        _ = Glibc.write(self.descriptor, line, line.count)
    }

    func write(_ call: Call, result: UInt) {
        guard self.logsCalls else { return }
        let query = call.isSizeQuery ? "size query, " : ""
        self.write(call.function, "\(query)\(ReturnValue(rawValue: result))")
    }

    func write(_ call: Call, met: FaultScript.Met) {
        self.write(call.function, "fault at call \(met.number), replay: \(met.fault.replayLine(at: met.number))")
    }
}
