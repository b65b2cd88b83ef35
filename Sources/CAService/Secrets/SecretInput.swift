import CDispatch
import CoreFoundation
import Diagnostics
import Foundation
import Glibc
package import SecretMemory

/// Reads PINs and passwords from where they may come from: a file of mode 0600, an environment variable, or the
/// terminal without echo.
package struct SecretInput: Sendable {
    private let environment: [String: String]
    private let prompt: @Sendable (String) throws -> SecretBytes
    /// Tells a person at the terminal what to do, such as to insert a card; `nil` where nobody is there.
    let tell: (@Sendable (String) -> Void)?

    /// - Parameters:
    ///   - environment: the process's variables.
    ///   - prompt: asks on the terminal; see ``Terminal/readSecret(_:)``.
    ///   - tell: shows a person what is waited for; `nil` where nothing is to be waited for.
    package init(
        environment: [String: String], prompt: @escaping @Sendable (String) throws -> SecretBytes,
        tell: (@Sendable (String) -> Void)? = nil
    ) {
        self.tell = tell
        self.environment = environment
        self.prompt = prompt
    }

    /// The process's own environment and terminal.
    package static var system: SecretInput {
        SecretInput(environment: ProcessInfo.processInfo.environment, prompt: Terminal.readSecret)
    }

    /// ``system``, and where standard input and error are a terminal, whoever sits there is asked for missing cards.
    package static var interactive: SecretInput {
        let isTerminal = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
        let tell: @Sendable (String) -> Void = { text in
            FileHandle.standardError.write(Data((text + "\n").utf8))
        }
        return SecretInput(
            environment: ProcessInfo.processInfo.environment, prompt: { try Terminal.readSecret($0) },
            tell: isTerminal ? tell : nil)
    }

    /// - Parameter what: named in the prompt and in errors, such as `the PIN of token "KRA 1"`.
    package func read(_ source: PINSource, what: String, relativeTo directory: String = ".") throws -> SecretBytes {
        switch source {
        case .prompt: return try self.prompt(what)
        case .environment(let name): return try self.fromEnvironment(name, what: what)
        case .file(let path): return try SecretInput.fromFile(FilePaths.resolve(path, in: directory), what: what)
        }
    }

    /// Reads a secret that is being set: on the terminal it is asked twice.
    package func readNew(_ source: PINSource, what: String) throws -> SecretBytes {
        let secret = try self.read(source, what: what)
        guard case .prompt = source else { return secret }
        guard try self.prompt("\(what) once more").matches(secret) else {
            throw ServiceError.secretUnavailable(
                what, "the two entries are different", "Enter the same twice.")
        }
        return secret
    }

    private func fromEnvironment(_ name: String, what: String) throws -> SecretBytes {
        guard let value = self.environment[name], !value.isEmpty else {
            throw ServiceError.secretUnavailable(
                what, "the environment variable \(name) is not set", Advice("Set \(name), or use file: or prompt."))
        }
        return try SecretBytes(copying: Array(value.utf8))
    }

    /// Refuses a file that others can read. The first line counts, without its line end.
    private static func fromFile(_ path: String, what: String) throws -> SecretBytes {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ServiceError.secretUnavailable(
                what, "\"\(path)\" cannot be opened (\(String(cString: strerror(errno))))",
                "Check the path of the PIN file.")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw ServiceError.looseFileMode(path, mode: "0" + String(status.st_mode & 0o777, radix: 8))
        }
        return try SecretBytes(capacity: 1024) { buffer in
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            let line = buffer.prefix(max(0, count)).prefix { $0 != 0x0A && $0 != 0x0D }
            guard !line.isEmpty else {
                throw ServiceError.secretUnavailable(
                    what, "\"\(path)\" is empty", "Write the secret into the file's first line.")
            }
            return line.count
        }
    }
}
