import Foundation
import TestSupport
import Testing

@Suite("TLS client certificates")
struct ClientCertificateTests {
    @Test("A mapped client certificate stands for its user; an unmapped one for nobody; one of a stranger ends TLS")
    func mutualTLS() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        try await self.makeClients(site)
        let instance = site.path("issuing")
        try FileManager.default.copyItem(atPath: site.path("clients.crt"), toPath: instance + "/clients.pem")
        let yaml = try String(contentsOfFile: instance + "/signet.yaml", encoding: .utf8)
        try yaml.replacing("  tls:\n", with: "  tls:\n    client-authorities: clients.pem\n")
            .write(toFile: instance + "/signet.yaml", atomically: true, encoding: .utf8)
        try await site.operate("user", "add", "--instance", instance, "--name", "dave", "--no-password")
        try await site.operate(
            "user", "map", "--instance", instance, "dave", "--certificate-name", "dave@example.test")

        let service = try await RunningService(site, port: port)
        func status(_ client: String?) async throws -> String {
            let identity = client.map { ["--cert", site.path("\($0).crt"), "--key", site.path("\($0).key")] } ?? []
            return try await run(
                ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", site.path("chain.pem")] + identity
                    + ["https://localhost:\(port)/certsrv/"]
            ).text
        }
        #expect(try await status("dave") == "200")
        #expect(try await status("erin") == "401")
        #expect(try await status(nil) == "401")
        #expect(try await status("stranger") == "000")
        #expect(try await service.stop() == 0)
    }

    /// An authority for clients, two certificates of it, and one that signed itself.
    private func makeClients(_ site: Site) async throws {
        func path(_ name: String) -> String { site.path(name) }
        let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        for name in ["clients", "stranger"] {
            try await succeed(
                ["openssl", "req", "-x509", "-days", "2", "-subj", "/CN=\(name)"] + newKey
                    + ["-keyout", path("\(name).key"), "-out", path("\(name).crt")])
        }
        for name in ["dave", "erin"] {
            try await succeed(
                ["openssl", "req", "-subj", "/CN=\(name)"] + newKey
                    + ["-keyout", path("\(name).key"), "-out", path("\(name).req")])
            let extensions = try site.directory.write(
                "\(name).ext", Array("extendedKeyUsage=clientAuth\nsubjectAltName=email:\(name)@example.test\n".utf8))
            try await succeed([
                "openssl", "x509", "-req", "-days", "1", "-in", path("\(name).req"), "-CA", path("clients.crt"),
                "-CAkey",
                path("clients.key"), "-CAcreateserial", "-extfile", extensions, "-out", path("\(name).crt"),
            ])
        }
    }
}
