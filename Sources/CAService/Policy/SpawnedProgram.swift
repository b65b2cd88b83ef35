import CertificateAuthority
import Glibc

/// A child process in a group of its own, so that ending it ends what it started as well. For one thread.
final class SpawnedProgram {
    /// The time is up.
    struct Overdue: Error {}

    private let path: String
    private var process: pid_t = 0
    private var input: Int32 = -1
    private var output: Int32 = -1
    private var complaint: Int32 = -1

    /// - Throws: ``PolicyModuleError`` with code `failed` when the program cannot be started.
    init(path: String, arguments: [String]) throws {
        self.path = path
        // Sockets: writing to a program that has ended is then an error and not a signal.
        var sockets: [[Int32]] = []
        for _ in 0..<3 {
            var pair: [Int32] = [-1, -1]
            guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
                sockets.joined().forEach { close($0) }
                throw PolicyModuleError.failed(path, "could not be started: no file descriptor is left")
            }
            sockets.append(pair)
        }
        (self.input, self.output, self.complaint) = (sockets[0][0], sockets[1][0], sockets[2][0])
        let theirs = sockets.map { $0[1] }
        let result = SpawnedProgram.spawn(&self.process, path, arguments, standard: theirs)
        theirs.forEach { close($0) }
        guard result == 0 else {
            self.process = 0
            throw PolicyModuleError.failed(path, "could not be started: \(String(cString: strerror(result)))")
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
        _ process: inout pid_t, _ path: String, _ arguments: [String], standard: [Int32]
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
        let texts = [path] + arguments
        let environment = ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"]
        var argv = texts.map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        return posix_spawn(&process, path, &actions, &attributes, &argv, &envp)
    }

    /// Writes the question and reads until both outputs end.
    ///
    /// - Throws: ``Overdue``; ``PolicyModuleError`` when the answer is longer than `limit` bytes.
    func converse(
        _ question: [UInt8], until deadline: ContinuousClock.Instant, limit: Int
    ) throws -> (answer: [UInt8], complaint: [UInt8]) {
        var pending = question[...]
        var answer: [UInt8] = []
        var complaint: [UInt8] = []
        while self.output >= 0 || self.complaint >= 0 {
            // A negative descriptor is left out by poll.
            var waits = [
                pollfd(fd: self.input, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: self.output, events: Int16(POLLIN), revents: 0),
                pollfd(fd: self.complaint, events: Int16(POLLIN), revents: 0),
            ]
            let milliseconds = SpawnedProgram.milliseconds(until: deadline)
            guard milliseconds > 0 else { throw Overdue() }
            let ready = poll(&waits, nfds_t(waits.count), milliseconds)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { throw Overdue() }
            if waits[0].revents != 0 { self.write(&pending) }
            if waits[1].revents != 0 { SpawnedProgram.read(&self.output, &answer) }
            if waits[2].revents != 0 { SpawnedProgram.read(&self.complaint, &complaint) }
            guard answer.count <= limit, complaint.count <= limit else {
                throw PolicyModuleError.badAnswer(self.path, "it is longer than \(limit) bytes")
            }
        }
        return (answer, complaint)
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

    /// - Returns: the exit status, or 128 and the signal that ended it.
    func wait(until deadline: ContinuousClock.Instant) throws -> Int32 {
        while true {
            var status: Int32 = 0
            let found = waitpid(self.process, &status, WNOHANG)
            if found == self.process {
                self.process = 0
                let signal = status & 0x7F
                return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
            }
            if found < 0, errno != EINTR {
                self.process = 0
                throw PolicyModuleError.failed(self.path, "was collected by somebody else")
            }
            guard SpawnedProgram.milliseconds(until: deadline) > 0 else { throw Overdue() }
            // It has closed its outputs and is about to end.
            usleep(1000)
        }
    }

    /// Ends the whole group, and takes the process's status so that nothing remains of it.
    func kill() {
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
