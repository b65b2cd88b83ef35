import Foundation
import TestSupport
import Testing

@Suite("Templates that are changed while signetd runs")
struct TemplateReloadTests {
    @Test("A change counts without a restart; a file that cannot be read changes nothing and is logged")
    func reload() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        let issuing = site.path("issuing")
        let service = try await RunningService(site, port: port)
        #expect(try await self.purposes(site, port) == ["TLS Web Server Authentication"])
        try await site.operate(
            "template", "edit", "--instance", issuing, "WebServer", "--major", "--set",
            "extendedKeyUsages=[serverAuth, clientAuth]")
        try await until("the new version is used") { try await self.purposes(site, port).count == 2 }

        // By hand, and wrongly: what was in use stays in use.
        let file = site.path("issuing/templates/WebServer.yaml")
        let good = try String(contentsOfFile: file, encoding: .utf8)
        try (good + "nonsense: true\n").write(toFile: file, atomically: true, encoding: .utf8)
        try await until("the error is logged") { try self.log(site).contains("changed templates not used") }
        #expect(try self.log(site).contains("nonsense"))
        #expect(try await self.purposes(site, port).count == 2)
        #expect(try self.log(site).matches(of: /nonsense/).count == 1)
        try good.replacing("- clientAuth\n", with: "- codeSigning\n").write(
            toFile: file, atomically: true, encoding: .utf8)
        try await until("the corrected file is used") {
            try await self.purposes(site, port) == ["TLS Web Server Authentication", "Code Signing"]
        }

        // So is the list of those that are enabled.
        try await site.operate("template", "disable", "--instance", issuing, "WebServer")
        try await until("the template is not issued from") {
            try await self.submit(site, port).stderr.contains("0x80094800")
        }
        #expect(try await service.stop() == 0)
        let trail = try await site.operate("audit", "show", "--instance", issuing).text
        #expect(trail.split(separator: "\n").count { $0.contains(" 4899 ") } == 3)
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    private func log(_ site: Site) throws -> String {
        String(decoding: try site.directory.read("signetd.log"), as: UTF8.self)
    }

    private func submit(_ site: Site, _ port: Int) async throws -> ToolResult {
        let out = site.path("\(UUID().uuidString).crt")
        let result = try await site.signet(
            "request", "submit", "--url", "https://localhost:\(port)/certsrv", "--user", "alice", "--password",
            "file:\(site.path("alice"))", "--tls-trust", site.path("chain.pem"), "--template", "WebServer", "--out",
            out,
            try await site.makeRequest("www"))
        guard result.status == 0 else { return result }
        return try await succeed(["openssl", "x509", "-in", out, "-noout", "-ext", "extendedKeyUsage"])
    }

    /// What a new certificate is for, in openssl's words.
    private func purposes(_ site: Site, _ port: Int) async throws -> [String] {
        let result = try await self.submit(site, port)
        guard let line = result.text.split(separator: "\n").last, result.status == 0 else { return [] }
        return line.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
