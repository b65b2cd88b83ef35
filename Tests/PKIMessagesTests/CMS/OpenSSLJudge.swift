import Foundation

/// A directory of its own in which `openssl` runs, removed with the last reference to it.
final class OpenSSLJudge {
    struct Failure: Error, CustomStringConvertible {
        let arguments: [String]
        let status: Int32
        let message: String

        var description: String { "openssl \(self.arguments.joined(separator: " ")): \(self.status) \(self.message)" }
    }

    private let directory: URL

    init() throws {
        self.directory = FileManager.default.temporaryDirectory.appending(path: "pkimessages-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
    }

    deinit {
        // `try?`: nobody is left who could be told.
        try? FileManager.default.removeItem(at: self.directory)
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: self.directory.appending(path: name))
    }

    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: self.directory.appending(path: name)))
    }

    /// Runs `openssl` with these arguments in the directory.
    ///
    /// - Returns: what it wrote to its standard output.
    /// - Throws: ``Failure`` when it does not exit with 0.
    @discardableResult
    func run(_ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = self.directory
        let output = Pipe()
        let errors = self.directory.appending(path: "stderr-\(UUID().uuidString)")
        try Data().write(to: errors)
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(
                arguments: arguments, status: process.terminationStatus,
                message: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
        }
        return String(decoding: data, as: UTF8.self)
    }
}
