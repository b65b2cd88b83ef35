import Foundation
import TestSupport

/// `signetd` as a process of its own, answering on loopback.
final class RunningService: Sendable {
    let port: Int
    private let process: ChildProcess

    /// Starts the service of `site/issuing` and waits until it answers.
    init(_ site: Site, port: Int) async throws {
        self.port = port
        let log = site.path("signetd.log")
        self.process = try ChildProcess(
            [Programs.signetd, "--instance", site.path("issuing")], output: log, error: log)
        try await self.untilItAnswers(site)
    }

    /// What the system lets it do.
    func limits() throws -> String {
        try String(contentsOfFile: "/proc/\(self.process.identifier)/limits", encoding: .utf8)
    }

    /// Ends it without a chance to clean up.
    func killHard() async throws {
        self.process.signal(SIGKILL)
        _ = try await self.process.wait()
    }

    /// Asks it to stop and gives its exit status.
    func stop() async throws -> Int32 {
        self.process.signal(SIGTERM)
        return try await self.process.wait()
    }

    private func untilItAnswers(_ site: Site) async throws {
        for _ in 0..<2400 {
            let answer = try await run(["curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:\(self.port + 1)/healthz"])
            if answer.status == 0 { return }
            guard self.process.isRunning else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        let log = try site.directory.read("signetd.log")
        throw ServiceDidNotStart(log: String(decoding: log, as: UTF8.self))
    }

    /// Two neighbouring ports that nobody listens on.
    static func freePorts() async throws -> Int {
        let program = """
            import random, socket
            while True:
                port = random.randrange(10000, 32000)
                try:
                    for p in (port, port + 1):
                        with socket.socket() as s: s.bind(('127.0.0.1', p))
                    print(port); break
                except OSError: pass
            """
        let text = try await succeed(["python3", "-c", program]).text
        guard let port = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw ServiceDidNotStart(log: "no free port: \(text)")
        }
        return port
    }
}

struct ServiceDidNotStart: Error, CustomStringConvertible {
    let log: String
    var description: String { "signetd did not start:\n\(self.log)" }
}

extension Site {
    /// An issuing CA with TLS and the user `alice`.
    static func serving(port: Int, simulated: Bool = false, options: [String] = []) async throws -> Site {
        let site = try await Site.issuing(port: port, simulated: simulated, options: options)
        let issuing = site.path("issuing")
        try await site.operate(
            "web", "certificate", "--instance", issuing, "--dns-name", "localhost", "--key-token", "ca")
        try site.secret("alice's secret", to: "alice")
        try await site.operate(
            "user", "add", "--instance", issuing, "--name", "alice", "--password", "file:\(site.path("alice"))")
        return site
    }

    /// curl's arguments for the service, as alice.
    func curl(_ path: String, port: Int) -> [String] {
        [
            "curl", "-sS", "--cacert", self.path("chain.pem"), "-u", "alice:alice's secret",
            "https://localhost:\(port)/certsrv/\(path)",
        ]
    }
}
