import Foundation
import Glibc

/// A child process in a group of its own, so that ending it ends what it started as well. It gets neither this process's
/// environment, where a PIN may be, nor any of its files. For one thread.
final class SpawnedProgram {
    enum Failure: Error, Equatable {
        /// Why, as a clause.
        case notStarted(String)
        /// It was killed when its time was up.
        case overdue
        /// It wrote more than that many bytes, and was killed.
        case tooLong(limit: Int)
    }

    /// What a program left.
    struct Result: Sendable {
        /// The exit status, or 128 and the signal that ended it.
        let status: Int32
        let output: [UInt8]
        /// The beginning of its standard error.
        let complaint: String
    }

    /// How a program is run.
    struct Order: Sendable {
        let path: String
        var arguments: [String] = []
        /// Beside a search path and a locale.
        var environment: [String: String] = [:]
        /// On its standard input; it need not read it.
        var input: [UInt8] = []
        let deadlineSeconds: Int
        /// Bytes of standard output at most; `nil` reads and drops what comes.
        var outputLimit: Int?
    }

    /// At most that many run at a time; more wait.
    private static let queue: OperationQueue = {
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 8
        return queue
    }()
    private static let complaintBytes = 500
    /// How often a program is tried again that somebody has open for writing: 5 s in all.
    private static let busyTries = 250
    private static let busyPauseMicroseconds: useconds_t = 20_000
    /// So long at most until the end of a program is seen of which somebody else holds the outputs open.
    private static let patienceMilliseconds: Int32 = 100

    /// Runs a program to its end, on a thread that may block. What it has left running in the background stays.
    ///
    /// - Throws: ``Failure``.
    static func run(_ order: Order) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            SpawnedProgram.queue.addOperation {
                continuation.resume(
                    with: Swift.Result {
                        let child = try SpawnedProgram(order)
                        return try child.converse(until: .now + .seconds(order.deadlineSeconds))
                    })
            }
        }
    }

    private let order: Order
    private var process: pid_t = 0
    private var input: Int32 = -1
    private var output: Int32 = -1
    private var complaint: Int32 = -1

    private init(_ order: Order) throws {
        self.order = order
        // Sockets: writing to a program that has ended is then an error and not a signal.
        var sockets: [[Int32]] = []
        for _ in 0..<3 {
            var pair: [Int32] = [-1, -1]
            guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
                sockets.joined().forEach { close($0) }
                throw Failure.notStarted("no file descriptor is left")
            }
            sockets.append(pair)
        }
        (self.input, self.output, self.complaint) = (sockets[0][0], sockets[1][0], sockets[2][0])
        let theirs = sockets.map { $0[1] }
        var result = SpawnedProgram.spawn(&self.process, order, standard: theirs)
        // A script that was written a moment ago may still be open for writing in a child that is just being started
        // elsewhere in this process; that ends with the child's own exec.
        for _ in 0..<SpawnedProgram.busyTries where result == ETXTBSY {
            usleep(SpawnedProgram.busyPauseMicroseconds)
            result = SpawnedProgram.spawn(&self.process, order, standard: theirs)
        }
        theirs.forEach { close($0) }
        guard result == 0 else {
            self.process = 0
            throw Failure.notStarted(String(cString: strerror(result)))
        }
    }

    deinit {
        self.kill()
        for descriptor in [self.input, self.output, self.complaint] where descriptor >= 0 { close(descriptor) }
    }

    /// `posix_spawn_file_actions_addclosefrom_np` (glibc 2.34), which its header shows to C programs with _GNU_SOURCE only.
    private static let closeFrom: (@convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32)? =
        unsafeBitCast(
            dlsym(nil, "posix_spawn_file_actions_addclosefrom_np"),
            to: (@convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32)?.self)

    private static func spawn(
        _ process: inout pid_t, _ order: Order, standard: [Int32]
    ) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, descriptor) in standard.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
        }
        // Modules of tokens open files without a thought for children, also while this child is being started.
        _ = SpawnedProgram.closeFrom?(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"]
            .merging(order.environment) { $1 }
        var argv = ([order.path] + order.arguments).map { strdup($0) } + [nil]
        var envp = environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        return posix_spawn(&process, order.path, &actions, &attributes, &argv, &envp)
    }

    /// Writes the input and reads until both outputs end, or the program does.
    private func converse(until deadline: ContinuousClock.Instant) throws -> Result {
        var pending = self.order.input[...]
        var output: [UInt8] = []
        var complaint: [UInt8] = []
        var status: Int32?
        while self.output >= 0 || self.complaint >= 0 {
            // A negative descriptor is left out by poll.
            var waits = [
                pollfd(fd: self.input, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: self.output, events: Int16(POLLIN), revents: 0),
                pollfd(fd: self.complaint, events: Int16(POLLIN), revents: 0),
            ]
            let left = SpawnedProgram.milliseconds(until: deadline)
            guard left > 0 else { throw self.killed(.overdue) }
            // After the program's end only what it has written already is read.
            let ready = poll(&waits, nfds_t(waits.count), status == nil ? min(left, Self.patienceMilliseconds) : 0)
            if ready < 0, errno == EINTR { continue }
            if ready <= 0 {
                if let status { return self.result(status, output, complaint) }
                status = self.collected()
                continue
            }
            if waits[0].revents != 0 { self.write(&pending) }
            if waits[1].revents != 0 { SpawnedProgram.read(&self.output, &output) }
            if waits[2].revents != 0 { SpawnedProgram.read(&self.complaint, &complaint) }
            complaint = Array(complaint.prefix(SpawnedProgram.complaintBytes))
            if let limit = self.order.outputLimit {
                guard output.count <= limit else { throw self.killed(.tooLong(limit: limit)) }
            } else {
                output = []
            }
        }
        while status == nil {
            status = self.collected()
            guard status == nil else { break }
            guard SpawnedProgram.milliseconds(until: deadline) > 0 else { throw self.killed(.overdue) }
            // It has closed its outputs and is about to end.
            usleep(1000)
        }
        return self.result(status ?? -1, output, complaint)
    }

    private func result(_ status: Int32, _ output: [UInt8], _ complaint: [UInt8]) -> Result {
        Result(status: status, output: output, complaint: String(decoding: complaint, as: UTF8.self))
    }

    private func killed(_ failure: Failure) -> Failure {
        self.kill()
        return failure
    }

    private func write(_ pending: inout ArraySlice<UInt8>) {
        if !pending.isEmpty {
            let count = pending.withUnsafeBytes {
                send(self.input, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count > 0 { pending.removeFirst(count) }
            // A program that does not read its question may answer all the same.
            if count < 0, errno != EAGAIN, errno != EINTR { pending = [] }
        }
        guard pending.isEmpty else { return }
        close(self.input)
        self.input = -1
    }

    private static func read(_ descriptor: inout Int32, _ bytes: inout [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        if count > 0 {
            bytes.append(contentsOf: buffer[..<count])
        } else if count == 0 || errno != EINTR {
            close(descriptor)
            descriptor = -1
        }
    }

    /// Takes the status of a program that has ended; `nil` while it runs.
    private func collected() -> Int32? {
        var status: Int32 = 0
        let found = waitpid(self.process, &status, WNOHANG)
        if found == 0 || (found < 0 && errno == EINTR) { return nil }
        self.process = 0
        // Nobody else collects our children; if one did, the status is lost and no success.
        guard found > 0 else { return -1 }
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }

    /// Ends the whole group, and takes the process's status so that nothing remains of it.
    private func kill() {
        guard self.process > 0 else { return }
        Glibc.kill(-self.process, SIGKILL)
        var status: Int32 = 0
        while waitpid(self.process, &status, 0) < 0, errno == EINTR {}
        self.process = 0
    }

    private static func milliseconds(until deadline: ContinuousClock.Instant) -> Int32 {
        let left = (deadline - .now).components
        return Int32(clamping: left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000)
    }
}
