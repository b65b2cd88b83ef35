import Foundation
import TestSupport
import Testing

@Suite("A CA whose parent is an enrolment service")
struct ParentServiceTests {
    @Test("The request waits at the parent, is resumed, renewed with a new key, and every chain verifies")
    func pending() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        let issuing = site.path("issuing")
        try await site.operate(
            "user", "add", "--instance", issuing, "--name", "operator", "--password", "file:\(site.path("alice"))",
            "--role", "enrollee", "--role", "administrator")
        try await site.operate("template", "edit", "SubCA", "--instance", issuing, "--set", "pendAll=true")
        let token = try await site.makeToken("child")
        let parent = [
            "--parent", "https://localhost:\(port)/certsrv", "--parent-user", "operator", "--parent-password",
            "file:\(site.path("alice"))", "--tls-trust", site.path("chain.pem"),
        ]
        // The parent is not there: the request is kept, and sent later.
        let absent = try await site.signet(
            [
                "init", "subordinate", site.path("child"), "--name", "Child CA", "--subject", "CN=Child CA",
                "--token-file", token, "--key-algorithm", "p-256", "--publication-url", "http://localhost:1",
            ] + parent)
        #expect(absent.status == 1 && absent.stderr.contains("Nothing was sent"), "\(absent.stderr)")

        let service = try await RunningService(site, port: port)
        let resume = { try await site.signet(["ca", "resume", "--instance", site.path("child")] + parent) }
        try await self.answer(site, resume: resume)
        try await self.judge(site, "child-1")
        let renewed = try await site.signet(
            ["ca", "renew", "--new-key", "--form", "pkcs7", "--instance", site.path("child")] + parent)
        #expect(renewed.status == 0 && renewed.text.contains("is pending at the parent"), "\(renewed.stderr)")
        let number = try await site.pendingRequest()
        try await site.operate(
            "request", "export", "--instance", issuing, "--column", "RawOldCertificate", "--out",
            site.path("renewed.crt"), number)
        #expect(try site.directory.read("renewed.crt") == site.directory.read("child/publish/Child CA.crt"))
        try await self.answer(site, resume: resume)
        try await self.judge(site, "child-2")
        #expect(
            FileManager.default.fileExists(atPath: site.path("child/publish/Child CA(1).crt")))
        let nothing = try await resume()
        #expect(nothing.status == 1 && nothing.stderr.contains("0x80094003"))
        // A renewal that is given up is not asked after any more.
        let third = try await site.signet(["ca", "renew", "--instance", site.path("child")] + parent)
        #expect(third.text.contains("is pending at the parent"), "\(third.stderr)")
        try await site.operate("ca", "renew", "--abandon", "--instance", site.path("child"))
        let forgotten = try await resume()
        #expect(forgotten.status == 1 && forgotten.stderr.contains("0x80094003"))
        #expect(try await service.stop() == 0)
    }

    /// A certificate manager of the parent issues what waits.
    private func answer(_ site: Site, resume: () async throws -> ToolResult) async throws {
        let waiting = try await resume()
        #expect(waiting.status == 0 && waiting.text.contains("is pending at the parent"), "\(waiting.stderr)")
        let number = try await site.pendingRequest()
        try await site.operate("request", "approve", "--instance", site.path("issuing"), number)
        let installed = try await resume()
        #expect(installed.status == 0 && installed.text.contains("Root, to be compared"), "\(installed.stderr)")
    }

    private func judge(_ site: Site, _ name: String) async throws {
        let child = site.path("child")
        try await site.operate("crl", "publish", "--instance", child)
        try await site.operate("ca", "show", "--instance", child, "--pem-out", site.path("\(name).pem"))
        try await site.operate(
            "request", "submit", "--instance", child, "--template", "WebServer", "--out", site.path("\(name).crt"),
            try await site.makeRequest(name))
        let root = try await site.pem(["root/publish/Test Root CA.crt"], "\(name)-root")
        try await succeed([
            "openssl", "verify", "-x509_strict", "-CAfile", root, "-untrusted", site.path("\(name).pem"),
            site.path("\(name).crt"),
        ])
    }
}
