internal import Foundation
internal import Glibc

/// `pkcs11-tool` that has a token open and waits for its input, for as long as a test wants.
package final class WaitingTool: Sendable {
    private let directory: TemporaryDirectory
    private let process: ChildProcess
    /// The pipe that it reads, and waits for as long as nobody writes.
    private let pipe: String

    /// - Parameter arguments: of `pkcs11-tool`, but for its input.
    package init(_ arguments: [String], environment: [String: String]) throws {
        self.directory = try TemporaryDirectory()
        self.pipe = self.directory.path("input")
        guard mkfifo(self.pipe, 0o600) == 0 else { throw WaitingToolError(errno: errno) }
        try self.directory.write("output", [])
        try self.directory.write("error", [])
        self.process = try ChildProcess(
            ["pkcs11-tool"] + arguments + ["--input-file", self.pipe], environment: environment,
            output: self.directory.path("output"), error: self.directory.path("error"))
    }

    deinit {
        // A test that failed before it went on leaves nobody waiting.
        self.process.signal(SIGKILL)
    }

    /// Gives it its input and waits for its end.
    package func goOn(_ bytes: [UInt8] = [1]) async throws -> ToolResult {
        while self.process.isRunning {
            // There is somebody at the other end when the tool has come to it.
            let descriptor = open(self.pipe, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            if descriptor >= 0 {
                _ = write(descriptor, bytes, bytes.count)  // An empty pipe takes them.
                close(descriptor)
                break
            }
            guard errno == ENXIO || errno == EINTR else { throw WaitingToolError(errno: errno) }
            try await Task.sleep(for: .milliseconds(10))
        }
        let status = try await self.process.wait()
        return ToolResult(
            status: status, stdout: try self.directory.read("output"),
            stderr: String(decoding: try self.directory.read("error"), as: UTF8.self))
    }
}

package struct WaitingToolError: Error {
    let errno: Int32
}
