public import Diagnostics
internal import Glibc
internal import Synchronization

/// A record of every call into a module: when, which function, on which handles, by which mechanism, with which
/// answer, and how long it took. Never data, attributes, keys or PINs: they are not given to it.
///
/// One line when a call begins and one when it returns, so that the last line of a thread names the call that hangs.
public final class CallTrace: Sendable {
    /// The file that is written.
    public let path: String
    private let descriptor: Mutex<Int32>
    private let epoch: UInt64

    /// Opens the file to append, readable by its owner only.
    ///
    /// - Throws: ``CallTraceError``.
    public init(path: String) throws(CallTraceError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw CallTraceError(path: path, errno: errno) }
        self.path = path
        self.descriptor = Mutex(descriptor)
        self.epoch = MonotonicClock.now
        self.write("# pid \(getpid()), times in milliseconds since the trace began\n")
    }

    deinit {
        // The last line is written; nothing depends on the close.
        _ = self.descriptor.withLock { close($0) }
    }

    /// What a call is made on.
    struct Subject {
        var session: UInt?
        var object: UInt?
        var mechanism: MechanismType?
    }

    func began(_ function: String, _ subject: Subject) -> UInt64 {
        let now = MonotonicClock.now
        self.write("\(self.milliseconds(now - self.epoch)) \(self.thread) > \(function)\(self.text(subject))\n")
        return now
    }

    func ended(_ function: String, _ subject: Subject, _ result: ReturnValue, began: UInt64) {
        let now = MonotonicClock.now
        let line =
            "\(self.milliseconds(now - self.epoch)) \(self.thread) < \(function)\(self.text(subject)) \(result) "
            + "\(self.milliseconds(now - began)) ms\n"
        self.write(line)
    }

    /// Says what is not a call: a rung of the recovery, a thread that was given up.
    package func note(_ text: String) {
        let line = text.split(separator: "\n").joined(separator: " ")
        self.write("\(self.milliseconds(MonotonicClock.now - self.epoch)) \(self.thread) # \(line)\n")
    }

    /// Tells one thread of the process from another.
    private var thread: String { "t" + String(UInt(pthread_self()) >> 8 & 0xFFFFFF, radix: 16) }

    private func text(_ subject: Subject) -> String {
        (subject.session.map { " session=\($0)" } ?? "") + (subject.object.map { " object=\($0)" } ?? "")
            + (subject.mechanism.map { " mechanism=\($0)" } ?? "")
    }

    private func milliseconds(_ nanoseconds: UInt64) -> String {
        let micro = String(nanoseconds / 1000 % 1000)
        return "\(nanoseconds / 1_000_000)." + String(repeating: "0", count: 3 - micro.count) + micro
    }

    private func write(_ line: String) {
        let bytes = Array(line.utf8)
        // A trace that cannot be written must not stop the call that it tells of.
        _ = self.descriptor.withLock { Glibc.write($0, bytes, bytes.count) }
    }
}

/// The file of a trace could not be opened.
public struct CallTraceError: DiagnosableError, Equatable {
    public let path: String
    public let errno: Int32

    public var headline: String {
        "Could not write the call trace \(self.path): \(String(cString: strerror(self.errno)))."
    }

    public var hresult: HRESULT { .writeFault }

    public var advice: [Advice] { ["Name a file in a directory that this program may write to."] }
}
