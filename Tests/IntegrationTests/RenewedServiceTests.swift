import Foundation
import TestSupport
import Testing

@Suite("/certsrv of a CA that was renewed")
struct RenewedServiceTests {
    @Test("Certificates, chains and CRLs of every renewal are there, and each chain fits what it is the chain of")
    func renewals() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        let issuing = site.path("issuing")
        try await site.issue("before")
        try await site.operate("ca", "renew", "--instance", issuing, "--new-key", "--request", site.path("new.req"))
        try await site.answerRenewal("new")
        try await site.issue("after")
        // Alice may fetch what is hers.
        let service = try await RunningService(site, port: port)
        let page = try await self.get(site, port, "certcarc.asp")
        let text = String(decoding: page, as: UTF8.self)
        #expect(text.contains("var nRenewals=1;"))
        for renewal in 0...1 {
            #expect(text.contains("certnew.cer?ReqID=CACert&Renewal=\(renewal)&Mode=inst&Enc=b64"))
            let file = "issuing/publish/Test Issuing CA\(renewal == 0 ? "" : "(1)").crt"
            let own = try site.directory.read(file)
            #expect(try await self.get(site, port, "certnew.cer?ReqID=CACert&Renewal=\(renewal)&Enc=bin") == own)
            let chain = try await self.chain(site, port, "ReqID=CACert&Renewal=\(renewal)")
            #expect(chain == [own, try site.directory.read("root/publish/Test Root CA.crt")])
            // The list is signed by that very key.
            let list = try site.directory.write(
                "list", try await self.get(site, port, "certcrl.crl?Type=base&Renewal=\(renewal)&Enc=bin"))
            let certificate = try await site.pem([file], "signer-\(renewal)")
            let verdict = try await run([
                "openssl", "crl", "-inform", "DER", "-in", list, "-noout", "-verify", "-CAfile", certificate,
            ])
            #expect(verdict.stderr.contains("verify OK"), "\(verdict.stderr)")
        }
        let newest = try await self.get(site, port, "certnew.cer?ReqID=CACert&Enc=bin")
        #expect(newest == (try site.directory.read("issuing/publish/Test Issuing CA(1).crt")))
        #expect(try await service.stop() == 0)
    }

    @Test("The chain of a certificate is the one of the key that signed it, before and after the renewal")
    func leaves() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        let issuing = site.path("issuing")
        for (name, renews) in [("before", true), ("after", false)] {
            let service = try await RunningService(site, port: port)
            let enrolled = try await site.operate(
                "request", "submit", "--url", "https://localhost:\(port)/certsrv", "--user", "alice", "--password",
                "file:\(site.path("alice"))", "--tls-trust", site.path("chain.pem"), "--template", "WebServer", "--out",
                site.path("\(name).crt"), site.makeRequest(name)
            ).text
            let number = try #require(enrolled.firstMatch(of: /RequestId: (\d+)/)?.1)
            try site.directory.write(name, Array(number.utf8))
            #expect(try await service.stop() == 0)
            guard renews else { continue }
            try await site.operate(
                "ca", "renew", "--instance", issuing, "--new-key", "--request", site.path("new.req"))
            try await site.answerRenewal("new")
        }
        let service = try await RunningService(site, port: port)
        for (name, suffix) in [("before", ""), ("after", "(1)")] {
            let number = String(decoding: try site.directory.read(name), as: UTF8.self)
            let chain = try await self.chain(site, port, "ReqID=\(number)")
            let leaf = try await succeed(["openssl", "x509", "-in", site.path("\(name).crt"), "-outform", "DER"]).stdout
            #expect(
                chain == [
                    leaf, try site.directory.read("issuing/publish/Test Issuing CA\(suffix).crt"),
                    try site.directory.read("root/publish/Test Root CA.crt"),
                ])
        }
        #expect(try await service.stop() == 0)
    }

    @Test("A running service issues with the new key, publishes its CRL, and goes on with the former one's")
    func withoutRestart() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port)
        let issuing = site.path("issuing")
        let service = try await RunningService(site, port: port)
        try await self.enrol("before", site, port)
        try await site.operate("ca", "renew", "--instance", issuing, "--new-key", "--request", site.path("new.req"))
        try await site.answerRenewal("new")
        // Bytes 9 and 10 of the serial number are the key's index.
        try await until("the new key is used") {
            try await self.enrol("after", site, port)
            return try await site.serial(of: "after.crt").dropFirst(16).hasPrefix("0001")
        }
        let list = "issuing/publish/Test Issuing CA(1).crl"
        try await until("the new key's CRL is there") { FileManager.default.fileExists(atPath: site.path(list)) }
        let roots = try await site.pem(["root/publish/Test Root CA.crt"], "anchor")
        for (name, suffix) in [("before", ""), ("after", "(1)")] {
            let between = try await site.pem(["issuing/publish/Test Issuing CA\(suffix).crt"], "between-\(name)")
            try await succeed([
                "openssl", "verify", "-CAfile", roots, "-untrusted", between, site.path("\(name).crt"),
            ])
        }
        // Nothing but the renewal was taken for one.
        let log = String(decoding: try site.directory.read("signetd.log"), as: UTF8.self)
        #expect(log.matches(of: /CA certificates changed/).count == 1)
        // The head was signed at start, and again when it stopped: nothing is without a signature.
        #expect(try await service.stop() == 0)
        let trail = try await site.operate("audit", "verify", "--all-signed", "--instance", issuing).text
        let heads = try #require(trail.firstMatch(of: /Signed heads: (\d+)/)?.1)
        #expect(Int(heads) ?? 0 >= 2)
    }

    /// Alice gets `NAME.crt` from the service.
    private func enrol(_ name: String, _ site: Site, _ port: Int) async throws {
        try? FileManager.default.removeItem(atPath: site.path("\(name).crt"))
        try await site.operate(
            "request", "submit", "--url", "https://localhost:\(port)/certsrv", "--user", "alice", "--password",
            "file:\(site.path("alice"))", "--tls-trust", site.path("chain.pem"), "--template", "WebServer", "--out",
            site.path("\(name).crt"), site.makeRequest(name))
    }

    private func get(_ site: Site, _ port: Int, _ path: String) async throws -> [UInt8] {
        try await succeed(site.curl(path, port: port) + ["-f"]).stdout
    }

    /// The certificates of a `certnew.p7b`, in order, as openssl reads them.
    private func chain(_ site: Site, _ port: Int, _ query: String) async throws -> [[UInt8]] {
        let message = try await self.get(site, port, "certnew.p7b?\(query)&Enc=bin")
        let text = try await run(["openssl", "pkcs7", "-inform", "DER", "-print_certs"], input: message).text
        return text.split(separator: "-----BEGIN CERTIFICATE-----").dropFirst().compactMap { part in
            let body = part.components(separatedBy: "-----END")[0].filter { !$0.isNewline }
            return Data(base64Encoded: body).map { Array($0) }
        }
    }
}
