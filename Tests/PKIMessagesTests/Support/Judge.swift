import PKIMessages
import SecretMemory
import TestSupport

/// An independent tool did not accept what it was given.
struct Refusal: Error, CustomStringConvertible {
    let command: [String]
    let output: String

    var description: String { "\(self.command.joined(separator: " ")): \(self.output)" }
}

/// Runs an independent tool (openssl, certtool, python3) and gives what it printed.
///
/// - Throws: ``Refusal`` unless it exits with 0.
@discardableResult
func judge(_ command: String..., input: [UInt8] = []) async throws -> String {
    let result = try await run(command, input: input)
    guard result.status == 0 else { throw Refusal(command: command, output: result.stderr + result.text) }
    return result.text
}

extension SecretBytes {
    /// A copy in the open, for comparing in tests.
    var exposed: [UInt8] { self.withUnsafeBytes { Array($0) } }
}

func secret(_ text: String) throws -> SecretBytes {
    try SecretBytes(copying: Array(text.utf8))
}
