import Foundation

/// The token simulator around a copy of SoftHSM, for the token of one run.
package struct SimulatedModule: Sendable {
    /// Path of the module that is loaded in the place of SoftHSM.
    package let path: String
    package let controlPath: String

    /// Writes the configuration and names it in the environment; a process has one.
    ///
    /// - Parameters:
    ///   - rule: YAML lines of the rule for the token, without a rule when empty.
    ///   - profiles: directory of the device profiles.
    ///   - hasControl: serve the control socket.
    package init(
        for token: BenchmarkToken, rule: [String] = [], profiles: String = BenchmarkToken.profiles,
        hasControl: Bool = false
    ) throws {
        let directory = token.directory
        let library = ChildRun.besideProgram("libsignet-token-simulator.so")
        guard FileManager.default.fileExists(atPath: library) else { throw BenchmarkFailure.noModule(library) }
        self.path = library
        self.controlPath = directory + "/control.sock"
        // A copy of SoftHSM: the state of a module is per mapped file.
        let inner = directory + "/inner.so"
        try FileManager.default.copyItem(
            at: URL(fileURLWithPath: BenchmarkToken.module).resolvingSymlinksInPath(), to: URL(fileURLWithPath: inner))
        var lines = ["simulate: true", "module: \(inner)", "profiles: \(profiles)"]
        if !rule.isEmpty || hasControl {
            lines += ["ledger: \(directory)/ledger", "tokens:", "  - label: \"^\(token.label)$\""]
            lines += rule.map { "    \($0)" }
        }
        if hasControl { lines.append("control: \(self.controlPath)") }
        let configuration = directory + "/simulator.yaml"
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: configuration))
        setenv("SIGNET_SIMULATOR", configuration, 1)
    }

    /// Sends a command over the control socket, and waits for its answer. While a recovery initialises the module anew
    /// nobody answers, and it is sent again.
    package func command(_ text: String) throws {
        for _ in 0..<1000 {
            do { return try self.send(text) } catch { usleep(10_000) }
        }
        try self.send(text)
    }

    private func send(_ text: String) throws {
        let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(file) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(self.controlPath.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let connected = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        let line = Array((text + "\n").utf8)
        guard connected == 0, write(file, line, line.count) == line.count else {
            throw BenchmarkFailure.commandFailed(text)
        }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = read(file, &answer, answer.count)
        guard count > 0, String(decoding: answer.prefix(count), as: UTF8.self).contains("ok") else {
            throw BenchmarkFailure.commandFailed(text)
        }
    }
}
