import BenchmarkSupport
import Foundation
import Synchronization

/// `signetd` of the same build, answering on the loopback.
final class RunningService: Sendable {
    private let port: Int
    private let process: Mutex<Process>
    private let spent = Mutex((clients: 0.0, service: 0.0))

    /// Starts it and waits until it answers.
    init(instance: String, port: Int) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ChildRun.besideProgram("signetd"))
        process.arguments = ["--instance", instance]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.port = port
        self.process = Mutex(process)
        let health = Array("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)
        for _ in 0..<600 {
            if let connection = HTTPConnection(port: port + 1), connection.exchange(health) != nil { return }
            guard self.process.withLock({ $0.isRunning }) else { break }
            usleep(50_000)
        }
        throw BenchmarkFailure.commandFailed("signetd --instance \(instance)")
    }

    func stop() {
        self.process.withLock { process in
            process.terminate()
            process.waitUntilExit()
        }
    }

    /// Sends the same message from `clients` clients with a connection each. CPU time is this process's and the service's.
    func rate(clients: Int, seconds: Double, _ message: [UInt8]) throws -> Rate {
        var load = try HTTPLoad(port: self.port, clients: clients, request: message, mark: "was issued to you")
        defer { load.close() }
        let before = try self.cpuSeconds()
        let stopwatch = Stopwatch()
        let done = try load.run(until: DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9))
        let own = stopwatch.rate(of: done)
        let service = try self.cpuSeconds() - before
        self.spent.withLock { spent in
            spent.clients += own.cpuSeconds
            spent.service += service
        }
        return stopwatch.rate(of: done, furtherCPUSeconds: service)
    }

    /// What part of all the CPU time so far the clients have spent.
    var clientShare: Double { self.spent.withLock { $0.clients / ($0.clients + $0.service) } }

    /// utime and stime of proc(5), in hundredths of a second.
    private func cpuSeconds() throws -> Double {
        let identifier = self.process.withLock { $0.processIdentifier }
        let text = try String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8)
        // The name of the program, in parentheses, may have blanks.
        let fields = text.drop { $0 != ")" }.split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            throw BenchmarkFailure.callFailed
        }
        return (user + system) / 100
    }
}

/// Two neighbouring TCP ports that nobody listens on.
enum FreePorts {
    static func pair() throws -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: 10_000..<32_000)
            if self.isFree(port), self.isFree(port + 1) { return port }
        }
        throw BenchmarkFailure.callFailed
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return SocketAddress.loopback(port) { bind(descriptor, $0, $1) } == 0
    }
}
