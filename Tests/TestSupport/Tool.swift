/// What a tool answered.
package struct ToolResult: Sendable {
    package let status: Int32
    package let stdout: [UInt8]
    package let stderr: String

    package var text: String { String(decoding: self.stdout, as: UTF8.self) }
}

/// Runs a tool that is found on `PATH`, such as `openssl`, and waits for its end without blocking a thread of the
/// cooperative pool.
///
/// - Parameters:
///   - command: name and arguments.
///   - input: what the tool reads from its standard input.
///   - environment: variables beside those of this process.
package func run(
    _ command: [String], input: [UInt8] = [], environment: [String: String] = [:]
) async throws -> ToolResult {
    // Files instead of pipes: a full pipe can never stop the tool.
    let directory = try TemporaryDirectory()
    try directory.write("stdin", input)
    try directory.write("stdout", [])
    try directory.write("stderr", [])
    let process = try ChildProcess(
        command, environment: environment, input: directory.path("stdin"), output: directory.path("stdout"),
        error: directory.path("stderr"))
    let status = try await process.wait()
    return ToolResult(
        status: status, stdout: try directory.read("stdout"),
        stderr: String(decoding: try directory.read("stderr"), as: UTF8.self))
}
