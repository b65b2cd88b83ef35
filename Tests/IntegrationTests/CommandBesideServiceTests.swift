import Foundation
import Synchronization
import TestSupport
import Testing

/// `signet` issues from an instance that `signetd` serves at the same time, and one of the two is killed.
@Suite("A command beside the service")
struct CommandBesideServiceTests {
    /// Hands requests in until somebody is killed, and gives the numbers that were acknowledged.
    private func submitByCommand(_ site: Site, _ request: String, until isOver: Switch) async throws -> [String] {
        var numbers: [String] = []
        while !isOver.isOn {
            let result = try await site.signet(
                "request", "submit", "--instance", site.path("issuing"), "--template", "WebServer", request)
            guard result.status == 0, let match = result.text.firstMatch(of: /RequestId: (\d+)/) else {
                throw UnexpectedStatus(command: ["signet", "request", "submit"], result: result)
            }
            numbers.append(String(match.1))
        }
        return numbers
    }

    private func submitToService(
        _ site: Site, port: Int, _ request: String, _ acknowledged: Acknowledgements
    ) async throws {
        while true {
            let answer = try await run(
                site.curl("certfnsh.asp", port: port) + [
                    "--data-urlencode", "Mode=newreq", "--data-urlencode", "CertRequest@\(request)",
                    "--data-urlencode", "CertAttrib=CertificateTemplate:WebServer",
                ])
            guard answer.status == 0,
                let match = answer.text.firstMatch(of: /location="certnew.cer\?ReqID=(\d+)&/)
            else { return }
            acknowledged.add(String(match.1))
        }
    }

    /// A certificate for every acknowledged number, no number twice, nothing open, and a whole trail.
    private func examine(_ site: Site, acknowledged: [String]) async throws {
        let issuing = site.path("issuing")
        #expect(Set(acknowledged).count == acknowledged.count)
        let issued = try await site.operate(
            "request", "list", "--instance", issuing, "--disposition", "issued", "--numbers", "--limit", "100000")
        #expect(Set(acknowledged).subtracting(issued.text.split(separator: "\n").map(String.init)).isEmpty)
        let active = try await site.operate(
            "request", "list", "--instance", issuing, "--disposition", "active", "--numbers")
        #expect(active.text.isEmpty)
        try await site.operate("audit", "verify", "--instance", issuing)
        let open = try await succeed([
            "python3", "-c",
            "import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall())",
            "\(issuing)/signet.sqlite",
            "SELECT (SELECT count(*) FROM intent WHERE outcome = 'open'), "
                + "(SELECT count(*) - count(DISTINCT serial_number) FROM certificate)",
        ])
        #expect(open.text == "[(0, 0)]\n")
    }

    @Test("The service is killed and started again while commands issue: what either acknowledged is there")
    func serviceKilled() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        let request = try await site.makeRequest("www")
        let isOver = Switch()
        async let byCommand = self.submitByCommand(site, request, until: isOver)
        let acknowledged = Acknowledgements()
        for round in 0..<6 {
            let service = try await RunningService(site, port: port)
            async let byService: Void = self.submitToService(site, port: port, request, acknowledged)
            try await Task.sleep(for: .milliseconds(30 + round * 60))
            try await service.killHard()
            try await byService
        }
        isOver.turnOn()
        // Nothing of the commands was settled as if they had been killed, too.
        let commands = try await byCommand
        #expect(!commands.isEmpty)
        let service = try await RunningService(site, port: port)
        #expect(try await service.stop() == 0)
        try await self.examine(site, acknowledged: acknowledged.numbers + commands)
    }

    @Test(
        "A command is killed at any moment while the service issues: the service goes on, and settles nothing of its own"
    )
    func commandKilled() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        let request = try await site.makeRequest("www")
        let service = try await RunningService(site, port: port)
        let acknowledged = Acknowledgements()
        async let byService: Void = self.submitToService(site, port: port, request, acknowledged)
        for round in 0..<12 {
            let command = try ChildProcess(
                [
                    Programs.signet, "request", "submit", "--instance", site.path("issuing"), "--template",
                    "WebServer", request,
                ], output: site.path("command.log"), error: site.path("command.log"))
            // Across the time that one takes.
            try await Task.sleep(for: .milliseconds(round * 25))
            command.signal(SIGKILL)
            _ = try await command.wait()
        }
        // The next command settles what those have left, while the service is at work.
        let commands = [
            try await site.operate(
                "request", "submit", "--instance", site.path("issuing"), "--template", "WebServer", request
            ).text.firstMatch(of: /RequestId: (\d+)/).map { String($0.1) }
        ].compactMap { $0 }
        #expect(commands.count == 1)
        while acknowledged.numbers.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try await service.stop() == 0)
        try await byService
        try await self.examine(site, acknowledged: acknowledged.numbers + commands)
    }
}

/// Numbers of requests that a client was told are issued.
private final class Acknowledgements: Sendable {
    private let list = Mutex<[String]>([])

    var numbers: [String] { self.list.withLock { $0 } }

    func add(_ number: String) { self.list.withLock { $0.append(number) } }
}

private final class Switch: Sendable {
    private let state = Mutex(false)

    var isOn: Bool { self.state.withLock { $0 } }

    func turnOn() { self.state.withLock { $0 = true } }
}
