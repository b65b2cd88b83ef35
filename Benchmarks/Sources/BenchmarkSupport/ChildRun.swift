import Foundation

/// Programs in processes of their own, first of all this one again.
package enum ChildRun {
    /// Runs it with the arguments and further variables; its output goes where ours goes.
    package static func run(_ arguments: [String], environment: [String: String] = [:]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: self.executable)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw BenchmarkFailure.childFailed }
    }

    /// A file of the build directory in which this program lies.
    package static func besideProgram(_ name: String) -> String {
        URL(fileURLWithPath: self.executable).deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// The path of this program.
    package static var executable: String { URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path }

    /// Runs a program, and gives the numbers that it prints.
    ///
    /// - Parameter command: its path, and its arguments.
    package static func numbers(of command: [String]) throws -> [Double] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchmarkFailure.commandFailed(command.joined(separator: " "))
        }
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    }

    /// The most that this process had in memory, in KiB.
    package static func peakMemory() throws -> Double {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return Double(line.split(whereSeparator: { !$0.isNumber }).first ?? "") ?? 0
    }
}
