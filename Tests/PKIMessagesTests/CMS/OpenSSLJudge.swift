import TestSupport

/// A directory of its own in which `openssl` reads and writes files, removed with the last reference to it.
final class OpenSSLJudge: Sendable {
    private let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try self.directory.write(name, bytes)
    }

    func read(_ name: String) throws -> [UInt8] {
        try self.directory.read(name)
    }

    /// Runs `openssl`; arguments that begin with `@` are names of files in the directory.
    ///
    /// - Returns: what it wrote to its standard output.
    /// - Throws: ``Refusal`` when it does not exit with 0.
    @discardableResult
    func run(_ arguments: String...) async throws -> String {
        try await self.run(arguments)
    }

    @discardableResult
    func run(_ arguments: [String]) async throws -> String {
        let command =
            ["openssl"] + arguments.map { $0.hasPrefix("@") ? self.directory.path(String($0.dropFirst())) : $0 }
        let result = try await TestSupport.run(command)
        guard result.status == 0 else { throw Refusal(command: command, output: result.stderr + result.text) }
        return result.text
    }
}
