import Foundation
import TestSupport
import Testing

@Suite("signetd, killed")
struct CrashTests {
    /// Submits requests from two clients until the service dies, and collects the numbers it acknowledged.
    private func load(
        _ site: Site, port: Int, request: String, killAfter delay: Duration, _ service: RunningService
    )
        async throws -> [String]
    {
        let acknowledged = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<2 {
                group.addTask {
                    var numbers: [String] = []
                    while true {
                        let answer = try await run(
                            site.curl("certfnsh.asp", port: port) + [
                                "--data-urlencode", "Mode=newreq", "--data-urlencode", "CertRequest@\(request)",
                                "--data-urlencode", "CertAttrib=CertificateTemplate:WebServer",
                            ])
                        guard answer.status == 0 else { return numbers }
                        guard let match = answer.text.firstMatch(of: /location="certnew.cer\?ReqID=(\d+)&/) else {
                            return numbers
                        }
                        numbers.append(String(match.1))
                    }
                }
            }
            try await Task.sleep(for: delay)
            try await service.killHard()
            return try await group.reduce(into: []) { $0 += $1 }
        }
        return acknowledged
    }

    @Test("SIGKILL at any of 50 moments under load loses no acknowledged certificate and leaves no request open")
    func killedUnderLoad() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        let request = try await site.makeRequest("www")
        let issuing = site.path("issuing")
        var acknowledged: [String] = []
        for round in 0..<50 {
            let service = try await RunningService(site, port: port)
            // Moments spread evenly over the time in which a dozen requests are under way.
            acknowledged += try await self.load(
                site, port: port, request: request, killAfter: .milliseconds(20 + round * 11), service)
        }
        let service = try await RunningService(site, port: port)
        #expect(try await service.stop() == 0)
        #expect(!acknowledged.isEmpty)
        #expect(Set(acknowledged).count == acknowledged.count)
        let issued = try await site.operate(
            "request", "list", "--instance", issuing, "--disposition", "issued", "--numbers", "--limit", "100000")
        let stored = Set(issued.text.split(separator: "\n").map(String.init))
        #expect(Set(acknowledged).subtracting(stored).isEmpty)
        let active = try await site.operate(
            "request", "list", "--instance", issuing, "--disposition", "active", "--numbers")
        #expect(active.text.isEmpty)
        try await site.operate("audit", "verify", "--instance", issuing)
        let open = try await succeed([
            "python3", "-c",
            "import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])",
            "\(issuing)/signet.sqlite", "SELECT count(*) FROM intent WHERE outcome = 'open'",
        ])
        #expect(open.text == "0\n")
    }
}
