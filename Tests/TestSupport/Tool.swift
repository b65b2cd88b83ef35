internal import Foundation

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
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = try FileHandle(forReadingFrom: directory.url.appendingPathComponent("stdin"))
    process.standardOutput = try FileHandle(forWritingTo: directory.url.appendingPathComponent("stdout"))
    process.standardError = try FileHandle(forWritingTo: directory.url.appendingPathComponent("stderr"))
    let status = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
        process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
        do {
            try process.run()
        } catch {
            process.terminationHandler = nil
            continuation.resume(throwing: error)
        }
    }
    return ToolResult(
        status: status, stdout: try directory.read("stdout"),
        stderr: String(decoding: try directory.read("stderr"), as: UTF8.self))
}
