internal import Foundation
internal import Glibc
internal import Synchronization

/// A child process, started with `posix_spawn`.
///
/// Not Foundation's `Process`: when that starts a child it copies whole `dirent` records of `/proc/self/fd`, reads
/// past the end of a mapping where a record is shorter, and so crashes once in a few hundred starts (Swift 6.3.1).
package final class ChildProcess: Sendable {
    package let identifier: Int32
    private let status = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - command: name, looked up on `PATH`, and arguments.
    ///   - environment: variables beside those of this process.
    ///   - input: path of the file that it reads.
    ///   - output: path of the file to which its standard output is appended.
    ///   - error: the same for its standard error.
    package init(
        _ command: [String], environment: [String: String] = [:], input: String = "/dev/null", output: String,
        error: String
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let append = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, append, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, error, append, 0o600)
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var identifier: pid_t = 0
        let result = CStrings.with(command) { arguments in
            CStrings.with(variables.map { "\($0)=\($1)" }) { environment in
                posix_spawnp(&identifier, command[0], &actions, nil, arguments, environment)
            }
        }
        guard result == 0 else { throw ChildProcessError(command: command, errno: result) }
        self.identifier = identifier
    }

    /// Sends a signal, unless the child's end was seen already.
    package func signal(_ number: Int32) {
        self.status.withLock { status in
            guard status == nil else { return }
            kill(self.identifier, number)
        }
    }

    /// True until the child has ended.
    package var isRunning: Bool {
        self.status.withLock { status in
            if status == nil { status = self.collect(WNOHANG) }
            return status == nil
        }
    }

    /// Waits for the end without blocking a thread of the cooperative pool.
    ///
    /// - Returns: the exit status, or 128 and the number of the signal that ended it.
    package func wait() async throws -> Int32 {
        while self.isRunning { try await Task.sleep(for: .milliseconds(2)) }
        return self.status.withLock { $0 } ?? -1
    }

    private func collect(_ options: Int32) -> Int32? {
        var raw: Int32 = 0
        guard waitpid(self.identifier, &raw, options) == self.identifier else { return nil }
        let signal = raw & 0x7F
        return signal == 0 ? (raw >> 8) & 0xFF : 128 + signal
    }

    deinit {
        guard self.isRunning else { return }
        kill(self.identifier, SIGKILL)
        _ = self.collect(0)
    }
}

/// The child could not be started.
package struct ChildProcessError: Error {
    package let command: [String]
    package let errno: Int32
}

/// Null-terminated arrays of C strings.
private enum CStrings {
    static func with<R>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
        let strings = texts.map { strdup($0) }
        defer { strings.forEach { free($0) } }
        return body(strings + [nil])
    }
}
