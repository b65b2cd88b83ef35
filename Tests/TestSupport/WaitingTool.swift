internal import Foundation
internal import Glibc

/// `pkcs11-tool` that has a token open and waits for its input, for as long as a test wants.
package final class WaitingTool: Sendable {
    private let directory: TemporaryDirectory
    private let process: ChildProcess
    /// The writing end of what it reads.
    private let input: Int32

    /// - Parameter arguments: of `pkcs11-tool`, but for its input.
    package init(_ arguments: [String], environment: [String: String]) throws {
        self.directory = try TemporaryDirectory()
        let pipe = self.directory.path("input")
        guard mkfifo(pipe, 0o600) == 0 else { throw WaitingToolError(errno: errno) }
        // For reading as well, so that it can be opened before the tool does.
        self.input = open(pipe, O_RDWR | O_CLOEXEC)
        guard self.input >= 0 else { throw WaitingToolError(errno: errno) }
        try self.directory.write("output", [])
        try self.directory.write("error", [])
        self.process = try ChildProcess(
            ["pkcs11-tool"] + arguments + ["--input-file", pipe], environment: environment,
            output: self.directory.path("output"), error: self.directory.path("error"))
    }

    /// Gives it its input and waits for its end.
    package func goOn(_ bytes: [UInt8] = [1]) async throws -> ToolResult {
        _ = write(self.input, bytes, bytes.count)  // A pipe of our own that is empty takes them.
        close(self.input)
        let status = try await self.process.wait()
        return ToolResult(
            status: status, stdout: try self.directory.read("output"),
            stderr: String(decoding: try self.directory.read("error"), as: UTF8.self))
    }
}

package struct WaitingToolError: Error {
    let errno: Int32
}
