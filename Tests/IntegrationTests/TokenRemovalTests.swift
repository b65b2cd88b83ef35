import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("A token that is taken out under the service")
struct TokenRemovalTests {
    /// What the clients saw.
    private final class Answers: Sendable {
        private let state = Mutex<(acknowledged: [String], failures: Int)>(([], 0))

        var acknowledged: [String] { self.state.withLock { $0.acknowledged } }
        var failures: Int { self.state.withLock { $0.failures } }

        func add(_ number: String?) {
            self.state.withLock { state in
                if let number { state.acknowledged.append(number) } else { state.failures += 1 }
            }
        }
    }

    @Test(
        "The service works again when the token is back in any slot, without restart, and nothing acknowledged is lost",
        arguments: [nil, 41] as [Int?])
    func removalUnderLoad(_ slot: Int?) async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port, simulated: true)
        let issuing = site.path("issuing")
        let request = try await site.makeRequest("www")
        let before = try await site.objects(on: "issuing")
        try site.addSimulatorSetting("control: \"\(site.path("control"))\"", on: "issuing")
        let service = try await RunningService(site, port: port)
        let answers = Answers()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    while !Task.isCancelled { answers.add(try await self.submit(site, port: port, request)) }
                }
            }
            try await until("some are acknowledged") { answers.acknowledged.count >= 4 }
            try await self.simulator(site, "eject")
            let failures = answers.failures
            try await until("requests fail") { answers.failures >= failures + 2 }
            try await self.simulator(site, "insert", slot.map { ["--slot", "\($0)"] } ?? [])
            let acknowledged = answers.acknowledged.count
            try await until("requests are acknowledged again") { answers.acknowledged.count >= acknowledged + 4 }
            group.cancelAll()
        }
        #expect(try await service.stop() == 0)
        let issued = try await site.operate(
            "request", "list", "--instance", issuing, "--disposition", "issued", "--numbers", "--limit", "10000")
        let stored = Set(issued.text.split(separator: "\n").map(String.init))
        #expect(Set(answers.acknowledged).subtracting(stored).isEmpty)
        let active = try await site.operate(
            "request", "list", "--instance", issuing, "--disposition", "active", "--numbers")
        #expect(active.text.isEmpty)
        try await site.operate("audit", "verify", "--instance", issuing)
        #expect(
            try await site.objects(on: "issuing").split(separator: "\n").sorted()
                == before.split(separator: "\n").sorted())
        let log = String(decoding: try site.directory.read("signetd.log"), as: UTF8.self)
        #expect(log.contains("token is down") || log.contains("token is degraded"))
    }

    /// The number of the issued request, or `nil` for anything else.
    private func submit(_ site: Site, port: Int, _ request: String) async throws -> String? {
        let answer = try await run(
            site.curl("certfnsh.asp", port: port) + [
                "--data-urlencode", "Mode=newreq", "--data-urlencode", "CertRequest@\(request)", "--data-urlencode",
                "CertAttrib=CertificateTemplate:WebServer",
            ])
        guard answer.status == 0 else { return nil }
        return answer.text.firstMatch(of: /location="certnew.cer\?ReqID=(\d+)&/).map { String($0.1) }
    }

    /// A command to the simulator. While the service initializes its module anew nobody answers for a moment.
    private func simulator(_ site: Site, _ command: String, _ options: [String] = []) async throws {
        let line = [Programs.signet, "simulator", command, "--control", site.path("control"), "--card", "issuing"]
        for _ in 0..<2400 {
            let answer = try await run(line + options)
            if answer.status == 0 { return }
            #expect(answer.stderr.contains("No simulator answers"), "\(answer.stderr)")
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("no simulator answered for two minutes")
    }
}
