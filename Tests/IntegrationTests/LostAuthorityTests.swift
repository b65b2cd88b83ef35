import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("A CA that is lost")
struct LostAuthorityTests {
    private static let isFull = ProcessInfo.processInfo.environment["SIGNET_SWEEP"] == "full"
    /// `make sweep` takes the whole size.
    private static let certificates = Self.isFull ? 10_000 : 300
    private static let archivedKeys = Self.isFull ? 500 : 3

    /// Submits until it is told to stop; the numbers of requests that were acknowledged, each with the moment.
    private static func submit(
        _ site: Site, _ port: Int, _ request: String, _ load: Load
    ) async throws -> [(number: String, when: ContinuousClock.Instant)] {
        var acknowledged: [(number: String, when: ContinuousClock.Instant)] = []
        while !load.isDone {
            let answer = try await run(
                site.curl("certfnsh.asp", port: port) + [
                    "--data-urlencode", "Mode=newreq", "--data-urlencode", "CertRequest@\(request)",
                    "--data-urlencode", "CertAttrib=CertificateTemplate:WebServer",
                ])
            guard let match = answer.text.firstMatch(of: /location="certnew.cer\?ReqID=(\d+)&/) else { continue }
            acknowledged.append((String(match.1), .now))
            load.count()
        }
        return acknowledged
    }

    @Test(
        "Backed up under load and destroyed, it is restored with a backup token: nothing acknowledged before is missing, and it issues, revokes and recovers"
    )
    func lost() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port, options: ["--copyable-key"])
        let issuing = site.path("issuing")
        let card = try await site.makeAgent()
        for number in 0..<Self.archivedKeys {
            try await site.makeArchivalRequest("user-\(number)", format: "token-wrapped")
            try await site.operate(
                "request", "submit", "--instance", issuing, "--out", site.path("user-\(number).crt"),
                site.path("user-\(number).cmc"))
        }
        let serial = try await site.certify("before")
        try await succeed([
            "python3", "\(Programs.checkout)/Benchmarks/Tools/make-database.py", issuing, "--issued",
            "\(Self.certificates)", "--revoked", "0", "--failed", "10",
        ])
        let spare = try await site.makeToken("spare", beside: "issuing")
        try await site.operate("backup", "keys", "--instance", issuing, "--to", spare)
        let (acknowledged, start) = try await self.backUpUnderLoad(site, port)
        #expect(!acknowledged.isEmpty)
        let requests = try await site.operate(
            "request", "list", "--instance", issuing, "--disposition", "issued", "--numbers", "--limit", "1000000")

        try FileManager.default.removeItem(atPath: issuing)
        try await succeed(
            [
                "softhsm2-util", "--delete-token", "--token", "issuing",
            ], environment: ["SOFTHSM2_CONF": site.path("issuing.conf")])
        let restored = try await site.restore(
            "full", to: "issuing", ["--authority-sha256", site.issuingSHA256(), "--spare-token", "ca=\(spare)"])
        // The exchange key was on the lost token: it is named, and another one is made when it is needed.
        #expect(restored.status == 2, "\(restored.text)\n\(restored.stderr)")
        #expect(restored.text.contains("CA key 0: proven pkcs11:"))
        try await site.operate("audit", "verify", "--instance", issuing)
        let after = try await site.operate(
            "request", "list", "--instance", issuing, "--disposition", "issued", "--numbers", "--limit", "1000000")
        let stored = Set(after.text.split(separator: "\n"))
        #expect(stored.count >= Self.certificates)
        #expect(stored.isSubset(of: Set(requests.text.split(separator: "\n"))))
        for (number, when) in acknowledged where when < start {
            #expect(stored.contains(Substring(number)), "request \(number) was acknowledged before the backup")
        }
        try await self.goOn(site, card, serial)
    }

    private func backUpUnderLoad(
        _ site: Site, _ port: Int
    ) async throws -> ([(number: String, when: ContinuousClock.Instant)], ContinuousClock.Instant) {
        let service = try await RunningService(site, port: port)
        let request = try await site.makeRequest("www")
        let load = Load()
        return try await withThrowingTaskGroup(of: [(number: String, when: ContinuousClock.Instant)].self) { group in
            for _ in 0..<2 {
                group.addTask { try await Self.submit(site, port, request, load) }
            }
            try await until("requests are acknowledged") { load.acknowledged >= 4 }
            let start = ContinuousClock.now
            try await site.backUp(to: "full")
            load.end()
            let all: [(number: String, when: ContinuousClock.Instant)] = try await group.reduce(into: []) { $0 += $1 }
            #expect(try await service.stop() == 0)
            return (all, start)
        }
    }

    /// Issues, revokes, publishes, archives anew, and recovers a key that was archived before.
    private func goOn(_ site: Site, _ card: String, _ serial: String) async throws {
        let issuing = site.path("issuing")
        try await site.certify("after")
        try await site.operate("certificate", "revoke", "--instance", issuing, serial)
        try await site.operate("crl", "publish", "--instance", issuing)
        let user = try await site.serial(of: "user-0.crt")
        try await site.operate("key", "get", "--instance", issuing, "--out", site.path("user-0.rec"), user)
        try await site.operate(
            "recover", "--token-file", card, "--ca-certificates", site.path("chain.pem"), "--password",
            "file:\(site.path("pin-user"))", "--out", site.path("user-0.p12"), site.path("user-0.rec"))
        // The one that requests are encrypted to now.
        try FileManager.default.removeItem(atPath: site.path("exchange.crt"))
        try await site.operate("ca", "exchange", "--instance", issuing, "--out", site.path("exchange.crt"))
        try await site.makeArchivalRequest("later", format: "token-wrapped")
        try await site.operate(
            "request", "submit", "--instance", issuing, "--out", site.path("later.crt"), site.path("later.cmc"))
        try await site.operate("audit", "verify", "--instance", issuing)
    }
}

/// What tasks tell each other that submit requests.
private final class Load: Sendable {
    private let state = Mutex((isDone: false, acknowledged: 0))

    var isDone: Bool { self.state.withLock { $0.isDone } }
    var acknowledged: Int { self.state.withLock { $0.acknowledged } }

    func end() { self.state.withLock { $0.isDone = true } }
    func count() { self.state.withLock { $0.acknowledged += 1 } }
}
