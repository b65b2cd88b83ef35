import Foundation
import TestSupport

/// The programs under test, as they were built beside the tests.
enum Programs {
    /// The directory of the build's products.
    static let directory: String = {
        var directory = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        while directory.path != "/",
            !FileManager.default.isExecutableFile(atPath: directory.appendingPathComponent("signet").path)
        {
            directory.deleteLastPathComponent()
        }
        return directory.path
    }()

    static var signet: String { Programs.directory + "/signet" }
    static var signetd: String { Programs.directory + "/signetd" }
    static var simulator: String { Programs.directory + "/libsignet-token-simulator.so" }

    /// `PATH` with the programs under test in front.
    static var searchPath: String { "\(directory):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin")" }

    /// The shell blocks of a document in `docs/`, in order, as one script.
    static func script(ofDocument name: String) throws -> String {
        let text = try String(contentsOfFile: "\(self.checkout)/docs/\(name)", encoding: .utf8)
        return text.components(separatedBy: "```sh\n").dropFirst()
            .map { $0.components(separatedBy: "```")[0] }.joined(separator: "\n")
    }

    /// The checkout, for profiles and scripts.
    static let checkout = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
}

/// A tool ended in a way that the test did not expect.
struct UnexpectedStatus: Error, CustomStringConvertible {
    let command: [String]
    let result: ToolResult

    var description: String {
        "\(self.command.joined(separator: " ")) ended with \(self.result.status)\n\(self.result.text)\n\(self.result.stderr)"
    }
}

/// Runs a tool that has to succeed.
@discardableResult
func succeed(
    _ command: [String], input: [UInt8] = [], environment: [String: String] = [:]
) async throws -> ToolResult {
    let result = try await run(command, input: input, environment: environment)
    guard result.status == 0 else { throw UnexpectedStatus(command: command, result: result) }
    return result
}
