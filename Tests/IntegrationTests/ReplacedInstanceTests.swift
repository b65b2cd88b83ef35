import Foundation
import TestSupport
import Testing

@Suite("What restores have replaced")
struct ReplacedInstanceTests {
    private static func replaced(_ site: Site, _ options: String...) async throws -> ToolResult {
        try await site.signet(["backup", "replaced", "--instance", site.path("issuing")] + options)
    }

    private static func directories(_ site: Site) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: site.directory.path)
            .filter { $0.hasPrefix("issuing.before-restore-") }.sorted().map { site.path($0) }
    }

    @Test("It is kept and listed, removed by name and by nothing else, and only while the keys of the CA work")
    func removal() async throws {
        let site = try await Site.issuing(simulated: true)
        let issuing = site.path("issuing")
        #expect(try await Self.replaced(site).text == "No restore has left anything.\n")
        try await site.backUp(to: "full")
        for _ in 0..<2 { #expect(try await site.restore("full", to: "issuing", ["--force"]).status == 0) }
        let directories = try Self.directories(site)
        #expect(directories.count == 2)
        let listed = try await Self.replaced(site)
        #expect(listed.text.split(separator: "\n").count == 3, "\(listed.text)")
        for directory in directories { #expect(listed.text.contains(directory), "\(listed.text)") }

        for foreign in [issuing, site.path("root"), site.path("full"), directories[0] + "/publish"] {
            let refused = try await Self.replaced(site, "--remove", foreign)
            #expect(refused.status == 1 && refused.stderr.contains("0x8007010b"), "\(refused.stderr)")
            #expect(FileManager.default.fileExists(atPath: foreign))
        }
        try site.setFaults("  - {function: C_Sign, every: 1, returns: CKR_DEVICE_ERROR}", on: "issuing")
        let failed = try await Self.replaced(site, "--remove", directories[0])
        #expect(failed.status == 1 && failed.stderr.contains("CKR_DEVICE_ERROR"), "\(failed.stderr)")
        try site.setFaults("", on: "issuing")
        #expect(try Self.directories(site) == directories)

        let removed = try await Self.replaced(site, "--remove", directories[0])
        #expect(removed.text == "Removed: \(directories[0])\n", "\(removed.stderr)")
        #expect(try Self.directories(site) == [directories[1]])
        let trail = try await site.operate("audit", "show", "--instance", issuing, "--limit", "1000")
        #expect(trail.text.contains("removed: \(directories[0])"))
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    @Test("It does not open while another one is in its place, and works again when it is put back and that is said")
    func wayBack() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        try await site.backUp(to: "full")
        try await site.certify("late")
        #expect(try await site.restore("full", to: "issuing", ["--force"]).status == 0)
        let former = try #require(Self.directories(site).first)
        let refused = try await site.signet("crl", "publish", "--instance", former)
        #expect(refused.status == 1 && refused.stderr.contains("was replaced by a restore"), "\(refused.stderr)")
        #expect(refused.stderr.contains("0x80094006"))
        try FileManager.default.moveItem(atPath: issuing, toPath: site.path("restored"))
        try FileManager.default.moveItem(atPath: former, toPath: issuing)
        try await site.operate("move", "undo", "--instance", issuing, "--confirm")
        try await site.certify("again")
        try await site.operate("audit", "verify", "--instance", issuing)
    }
}
