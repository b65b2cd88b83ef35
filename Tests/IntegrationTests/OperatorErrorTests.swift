import Foundation
import TestSupport
import Testing

@Suite("What operators see when something is wrong")
struct OperatorErrorTests {
    /// Runs `signet` and gives what it complained about; it has to fail.
    private func complaint(_ site: Site, _ arguments: String...) async throws -> String {
        let result = try await run([Programs.signet] + arguments)
        #expect(result.status == 1)
        return result.stderr
    }

    @Test("A wrong PIN is told with token, call and code, and issues nothing")
    func wrongPIN() async throws {
        let site = try await Site.issuing()
        try site.secret("00000000", to: "pin-user")
        let text = try await self.complaint(
            site, "request", "submit", "--instance", site.path("issuing"), "--template", "WebServer",
            site.makeRequest("www"))
        #expect(text.contains("\"issuing\""))
        #expect(text.contains("C_Login returned CKR_PIN_INCORRECT (0xa0)"))
        #expect(text.contains("0x8010006b SCARD_W_WRONG_CHV"))
        #expect(text.contains("hint: "))
        #expect(!text.contains("00000000"))
        try site.secret("12345678", to: "pin-user")
        try await self.nothingIssued(site)
    }

    @Test("A service that does not start says so as event 100 in the sinks, with the reason")
    func serviceNotStarted() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("issuing")
        try await site.operate(
            "init", "subordinate", site.path("issuing"), "--name", "Waiting CA", "--subject", "CN=Waiting CA",
            "--token-file", token, "--key-algorithm", "p-256", "--publication-url", "http://localhost:1",
            "--request-out", site.path("issuing.req"))
        let path = site.path("issuing/signet.yaml")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains("# file: events.log"))
        try text.replacing("# file: events.log", with: "file: events.log")
            .write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try await run([Programs.signetd, "--instance", site.path("issuing")]).status == 1)
        let events = String(decoding: try site.directory.read("issuing/events.log"), as: UTF8.self)
        #expect(
            events.contains(
                /\sapplication 100: Certificate Services did not start or did not stay up: .*0x80094005/),
            "\(events)")
    }

    @Test("A missing token is told with the tokens that are there")
    func missingToken() async throws {
        let site = try await Site.issuing()
        let path = site.path("issuing/signet.yaml")
        let text = try String(contentsOfFile: path, encoding: .utf8)
            .replacingOccurrences(of: "pkcs11:token=issuing", with: "pkcs11:token=elsewhere")
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let complaint = try await self.complaint(site, "crl", "publish", "--instance", site.path("issuing"))
        #expect(complaint.contains("elsewhere") && complaint.contains("\"issuing\""))
        #expect(complaint.contains("0x8010000c SCARD_E_NO_SMARTCARD"))
    }

    @Test("A module path that is wrong is told with the path")
    func wrongModule() async throws {
        let site = try Site.empty()
        let complaint = try await self.complaint(
            site, "token", "list", "--module", "/nonexistent/module.so", "--token", "pkcs11:token=x", "--profile",
            "softhsm2", "--pin", "file:\(site.path("pin-user"))")
        #expect(complaint.contains("/nonexistent/module.so"))
        #expect(complaint.contains("0x8007007e ERROR_MOD_NOT_FOUND"))
    }

    @Test("A truncated request is malformed: nothing is issued")
    func truncated() async throws {
        let site = try await Site.issuing()
        let request = try await site.makeRequest("www")
        let der = try await succeed(["openssl", "req", "-in", request, "-outform", "DER"]).stdout
        try site.directory.write("short.der", Array(der.dropLast(9)))
        let complaint = try await self.complaint(
            site, "request", "submit", "--instance", site.path("issuing"), "--template", "WebServer",
            site.path("short.der"))
        #expect(complaint.contains("Error Parsing Request"))
        #expect(complaint.contains("code: 0x80"))
        try await self.nothingIssued(site)
    }

    @Test("A request whose signature is wrong is refused: 0x80090006")
    func badSignature() async throws {
        let site = try await Site.issuing()
        let request = try await site.makeRequest("www")
        var der = try await succeed(["openssl", "req", "-in", request, "-outform", "DER"]).stdout
        der[der.count - 1] ^= 1
        try site.directory.write("bad.der", der)
        let complaint = try await self.complaint(
            site, "request", "submit", "--instance", site.path("issuing"), "--template", "WebServer",
            site.path("bad.der"))
        #expect(complaint.contains("0x80090006 NTE_BAD_SIGNATURE"))
        try await self.nothingIssued(site)
    }

    @Test("An unknown template is denied: 0x80094800")
    func unknownTemplate() async throws {
        let site = try await Site.issuing()
        let complaint = try await self.complaint(
            site, "request", "submit", "--instance", site.path("issuing"), "--template", "NoSuch",
            site.makeRequest("www"))
        #expect(complaint.contains("0x80094800 CERTSRV_E_UNSUPPORTED_CERT_TYPE"))
        try await self.nothingIssued(site)
    }

    @Test("A PIN file that others can read is refused")
    func loosePINFile() async throws {
        let site = try await Site.issuing()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: site.path("pin-user"))
        let complaint = try await self.complaint(site, "crl", "publish", "--instance", site.path("issuing"))
        #expect(complaint.contains("has mode 0644"))
        #expect(complaint.contains("hint: Take the rights of others away: chmod 600"))
    }

    private func nothingIssued(_ site: Site) async throws {
        let list = try await site.operate(
            "request", "list", "--instance", site.path("issuing"), "--disposition", "issued", "--numbers")
        #expect(list.text.isEmpty)
        let active = try await site.operate(
            "request", "list", "--instance", site.path("issuing"), "--disposition", "active", "--numbers")
        #expect(active.text.isEmpty)
        try await site.operate("audit", "verify", "--instance", site.path("issuing"))
    }
}
