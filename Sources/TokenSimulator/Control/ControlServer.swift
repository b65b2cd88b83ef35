internal import Glibc
internal import Synchronization

/// The control socket. Of the processes that use the same configuration one serves it, and another takes over when
/// that ends: who holds the lock of the file beside it.
final class ControlServer: Sendable {
    private let path: String
    private let answer: @Sendable (String) -> String
    /// Written to when the thread is to end.
    private let stopping: (read: Int32, write: Int32)
    private let thread = Mutex<pthread_t?>(nil)
    /// What the thread begins with.
    private let turn = Mutex<Turn?>(nil)

    /// What the process has that serves the socket.
    private struct Turn {
        let lock: Int32
        let listener: Int32

        /// Leaves the socket to the next one.
        func end(_ path: String) {
            close(self.listener)
            unlink(path)
            close(self.lock)
        }
    }

    /// The socket is there when this returns, unless another process serves it: then it is that one which answers.
    ///
    /// - Parameter answer: gets a line without its end, and gives the answer without its end.
    /// - Throws: ``SimulatorError`` when no thread or socket can be had or the path does not fit in an address.
    init(path: String, answer: @escaping @Sendable (String) -> String) throws(SimulatorError) {
        guard ControlSocket.address(path) != nil else { throw .control(path, reason: "the path is too long") }
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw ControlServer.failure(path) }
        for end in ends { ControlSocket.closeAtExec(end) }
        self.path = path
        self.answer = answer
        self.stopping = (ends[0], ends[1])
        let turn = try ControlServer.takeTurn(path)
        self.turn.withLock { $0 = turn }
        // The thread keeps the server until it ends, which stop() waits for.
        let argument = Unmanaged.passRetained(self).toOpaque()
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<ControlServer>.fromOpaque(argument).takeRetainedValue().serve() }
                return nil
            }, argument)
        guard result == 0 else {
            Unmanaged<ControlServer>.fromOpaque(argument).release()
            turn?.end(path)
            throw .control(path, reason: String(cString: strerror(result)))
        }
        self.thread.withLock { $0 = thread }
    }

    deinit {
        close(self.stopping.read)
        close(self.stopping.write)
    }

    /// Ends the thread and waits for its end.
    func stop() {
        let thread = self.thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let thread else { return }
        var byte: UInt8 = 0
        _ = write(self.stopping.write, &byte, 1)  // A pipe of our own that is empty takes a byte.
        pthread_join(thread, nil)
    }

    private func serve() {
        var signals = sigset_t()
        sigfillset(&signals)
        pthread_sigmask(SIG_BLOCK, &signals, nil)  // Signals are the program's.
        guard let turn = self.waitForTurn() else { return }
        defer { turn.end(self.path) }
        while self.wait(for: turn.listener, milliseconds: -1) {
            let connection = accept(turn.listener, nil, nil)
            guard connection >= 0 else { continue }
            defer { close(connection) }
            ControlSocket.closeAtExec(connection)
            guard let request = ControlSocket.readLine(connection) else { continue }
            ControlSocket.write(self.answer(request) + "\n", to: connection)
        }
    }

    /// Waits until no other process serves the socket.
    ///
    /// - Returns: `nil` when the thread is to end, or the socket cannot be had.
    private func waitForTurn() -> Turn? {
        if let first = self.turn.withLock({ $0 }) { return first }
        while self.wait(for: -1, milliseconds: 100) {
            do {
                if let turn = try ControlServer.takeTurn(self.path) { return turn }
            } catch {
                Simulator.log(error)
                return nil
            }
        }
        return nil
    }

    /// - Returns: `nil` while another process serves the socket.
    private static func takeTurn(_ path: String) throws(SimulatorError) -> Turn? {
        let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw ControlServer.failure(path) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            return nil
        }
        guard let listener = ControlSocket.listen(path) else {
            let failure = ControlServer.failure(path)
            close(lock)
            throw failure
        }
        return Turn(lock: lock, listener: listener)
    }

    /// - Returns: false when the thread is to end; true when there is something to read, or the time is up.
    private func wait(for descriptor: Int32, milliseconds: Int32) -> Bool {
        var descriptors = [
            pollfd(fd: self.stopping.read, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while poll(&descriptors, 2, milliseconds) < 0, errno == EINTR {}
        return descriptors[0].revents == 0
    }

    private static func failure(_ path: String) -> SimulatorError {
        .control(path, reason: String(cString: strerror(errno)))
    }
}
