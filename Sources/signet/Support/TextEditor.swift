import ArgumentParser
import CAService
import Foundation

/// The operator's own editor.
enum TextEditor {
    /// Opens the text in the program that `EDITOR` names, and gives what it was saved as.
    static func edit(_ text: String, suffix: String) throws -> String {
        let environment = ProcessInfo.processInfo.environment
        guard let editor = environment["VISUAL"] ?? environment["EDITOR"], !editor.isEmpty else {
            throw ValidationError("Set EDITOR, or name the changes with --set KEY=VALUE.")
        }
        let path = NSTemporaryDirectory() + "signet-" + UUID().uuidString + suffix
        try FilePaths.create(path, with: Array(text.utf8), mode: 0o600)
        let result = Result { try self.run(editor, path) }.flatMap { _ in Result { try FilePaths.read(path) } }
        try FilePaths.remove(path)
        return String(decoding: try result.get(), as: UTF8.self)
    }

    private static func run(_ editor: String, _ path: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        // The variable may hold arguments, as `code --wait`.
        process.arguments = ["-c", "exec \(editor) \"$1\"", "sh", path]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ValidationError("\(editor) ended with \(process.terminationStatus); nothing was changed.")
        }
    }
}
