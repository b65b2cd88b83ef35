import Foundation
import TestSupport
import Testing

@Suite("Backup and restore, killed")
struct BackupKillTests {
    /// `make sweep` takes all of them.
    private static let moments = ProcessInfo.processInfo.environment["SIGNET_SWEEP"] == "full" ? 50 : 6

    /// Runs a command, and kills it when that part of the time has passed that it takes undisturbed.
    private static func kill(_ site: Site, _ arguments: [String], at moment: Int, of duration: Duration) async throws {
        let process = try ChildProcess(
            [Programs.signet] + arguments, output: site.path("killed.out"), error: site.path("killed.err"))
        try await Task.sleep(for: duration * moment / Self.moments)
        process.signal(SIGKILL)
        _ = try await process.wait()
        // SoftHSM empties the file of its token at each login and writes it anew: killed in between it has none. What is
        // killed here is not the device.
        try await succeed(["cp", "-aT", site.path("tokens-kept"), site.path("tokens-issuing")])
    }

    private static func password(_ site: Site) -> [String] { ["--password", "file:\(site.path("pin-user"))"] }

    /// A CA with some certificates, and how long a command takes there.
    private static func site() async throws -> Site {
        let site = try await Site.issuing()
        for number in 0..<3 { try await site.certify("before-\(number)") }
        try await succeed(["cp", "-aT", site.path("tokens-issuing"), site.path("tokens-kept")])
        return site
    }

    @Test(
        "SIGKILL at any moment of a backup leaves no directory that looks like a backup and is none, and the CA as it was",
        arguments: [false, true])
    func backup(isIncremental: Bool) async throws {
        let site = try await Self.site()
        let issuing = site.path("issuing")
        let options = Self.password(site) + (isIncremental ? ["--incremental"] : [])
        func arguments(_ name: String) -> [String] {
            ["backup", "create", "--instance", issuing, site.path(name)] + options
        }
        try await site.backUp(to: "base")
        let clock = ContinuousClock()
        let duration = try await clock.measure { try await succeed([Programs.signet] + arguments("whole")) }
        var whole = 0
        for moment in 0..<Self.moments {
            let name = "backup-\(moment)"
            try await Self.kill(site, arguments(name), at: moment, of: duration)
            guard FileManager.default.fileExists(atPath: site.path(name)) else { continue }
            whole += 1
            let verified = try await site.signet(
                ["backup", "verify", "--instance", issuing, site.path(name)] + Self.password(site))
            #expect(verified.status == 0, "moment \(moment): \(verified.stderr)")
        }
        // None of what is left is taken for a backup, and the next one of the name removes it.
        let listed = try await site.operate("backup", "list", site.directory.url.path)
        #expect(listed.text.split(separator: "\n").count == 3 + whole)
        #expect(!listed.text.contains("partial"))
        for moment in 0..<Self.moments { try await site.backUp(to: "backup-\(moment)", "--force") }
        let names = try FileManager.default.contentsOfDirectory(atPath: site.directory.url.path)
        #expect(!names.contains { $0.contains("partial") })
        #expect(!FileManager.default.fileExists(atPath: site.path("issuing/backup.sqlite")))
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    @Test("SIGKILL at any moment of a restore into a new directory leaves nothing that starts half-restored")
    func restoreAnew() async throws {
        let site = try await Self.site()
        try await site.backUp(to: "full")
        try await site.certify("late")
        try await site.backUp(to: "increment", "--incremental")
        let hash = try await site.issuingSHA256()
        func arguments(_ name: String) -> [String] {
            [
                "restore", site.path("increment"), site.path("full"), "--instance", site.path(name),
                "--authority-sha256", hash,
            ]
                + Self.password(site)
        }
        let duration = try await ContinuousClock().measure { try await succeed([Programs.signet] + arguments("whole")) }
        for moment in 0..<Self.moments {
            let name = "new-\(moment)"
            try await Self.kill(site, arguments(name), at: moment, of: duration)
            if FileManager.default.fileExists(atPath: site.path("\(name)/signet.yaml")) {
                try await site.operate("audit", "verify", "--instance", site.path(name))
            } else {
                let refused = try await site.signet("ca", "show", "--instance", site.path(name))
                #expect(refused.status == 1)
                // What is half, under the name that it has while it is made.
                let half = try await site.signet("ca", "show", "--instance", site.path("\(name).restoring"))
                if half.status != 0, FileManager.default.fileExists(atPath: site.path("\(name).restoring/signet.yaml"))
                {
                    #expect(half.stderr.contains("0x80094006"), "moment \(moment): \(half.stderr)")
                }
                try await succeed([Programs.signet] + arguments(name))
            }
            let list = try await site.operate("request", "list", "--instance", site.path(name), "--limit", "100")
            #expect(list.text.contains("late.example.test"), "moment \(moment)")
            try await site.operate("audit", "verify", "--instance", site.path(name))
        }
    }

    @Test("SIGKILL at any moment of a restore over an instance leaves the old one or the new one, whole")
    func restoreOver() async throws {
        let site = try await Self.site()
        let issuing = site.path("issuing")
        try await site.backUp(to: "full")
        let revoked = try await site.certify("late")
        try await site.operate("certificate", "revoke", "--instance", issuing, revoked)
        let arguments = ["restore", site.path("full"), "--instance", issuing, "--force"] + Self.password(site)
        let duration = try await ContinuousClock().measure { try await succeed([Programs.signet] + arguments) }
        for moment in 0..<Self.moments {
            try await Self.kill(site, arguments, at: moment, of: duration)
            let verified = try await site.signet("audit", "verify", "--instance", issuing)
            #expect(verified.status == 0, "moment \(moment): \(verified.stderr)")
            let list = try await site.operate("request", "list", "--instance", issuing, "--disposition", "revoked")
            #expect(list.text.contains("late"), "moment \(moment): \(list.text)")
        }
        try await succeed([Programs.signet] + arguments)
        #expect(!FileManager.default.fileExists(atPath: issuing + ".restoring"))
        try await site.operate("audit", "verify", "--instance", issuing)
        try await site.certify("after")
    }
}
