import Foundation
import TestSupport
import Testing

@Suite("A token that fails under the CA")
struct FailingTokenTests {
    /// The provider repeats a signature as long as its ladder has a rung, so every call with the CA's key fails.
    private static let signFails =
        "  - {function: C_Sign, key: {label: Test Issuing CA}, every: 1, returns: CKR_DEVICE_ERROR}"

    @Test("A signature that fails is told with token and call, issues nothing, and the next attempt works")
    func commandLine() async throws {
        let site = try await Site.issuing(simulated: true)
        let request = try await site.makeRequest("www")
        let submit = { (out: String) in
            [
                Programs.signet, "request", "submit", "--instance", site.path("issuing"), "--template", "WebServer",
                "--out", site.path(out), request,
            ]
        }
        try site.setFaults(Self.signFails, on: "issuing")
        let failed = try await run(submit("failed.crt"))
        #expect(failed.status == 1)
        #expect(failed.stderr.contains("\"issuing\""))
        #expect(failed.stderr.contains("C_Sign with CKM_ECDSA returned CKR_DEVICE_ERROR (0x30)"))
        #expect(failed.stderr.contains("code: 0x8"))
        #expect(failed.stderr.contains("hint: "))
        #expect(!FileManager.default.fileExists(atPath: site.path("failed.crt")))
        let failures = try await site.operate(
            "request", "list", "--instance", site.path("issuing"), "--disposition", "error", "--numbers")
        #expect(failures.text.split(separator: "\n").count == 1)
        let trail = try await site.operate("audit", "show", "--instance", site.path("issuing")).text
        #expect(trail.contains(" 10001 ") && trail.contains("CKR_DEVICE_ERROR"))

        try site.setFaults("", on: "issuing")
        try await succeed(submit("www.crt"))
        try await succeed(["openssl", "verify", "-CAfile", site.path("chain.pem"), site.path("www.crt")])
        try await site.operate("audit", "verify", "--instance", site.path("issuing"))
    }

    @Test("A key that was stopped stays so across processes, until an administrator releases it, which is recorded")
    func stoppedKey() async throws {
        let site = try await Site.issuing(simulated: true)
        let issuing = site.path("issuing")
        try await succeed(
            [
                "pkcs11-tool", "--module", Site.softHSM, "--token-label", "issuing", "--login", "--pin", "12345678",
                "--keypairgen", "--key-type", "EC:prime256v1", "--id", "77", "--label", "other",
            ], environment: ["SOFTHSM2_CONF": site.path("issuing.conf")])
        let request = try await site.makeRequest("www")
        let submit = ["request", "submit", "--instance", issuing, "--template", "WebServer", request]
        try site.setFaults(
            "  - {function: C_SignInit, call: 1, key: {label: Test Issuing CA}, effect: another-key}", on: "issuing")
        let wrong = try await site.signet(submit)
        #expect(wrong.status == 1 && wrong.stderr.contains("0x80090006"), "\(wrong.stderr)")
        #expect(wrong.stderr.contains("found: The key is found under another handle now"), "\(wrong.stderr)")
        try site.setFaults("", on: "issuing")
        for arguments in [submit, ["crl", "publish", "--instance", issuing]] {
            let refused = try await site.signet(arguments)
            #expect(refused.status == 1)
            #expect(refused.stderr.contains("0x8009000b"), "\(refused.stderr)")
            #expect(refused.stderr.contains("  stopped: 20"))
            #expect(refused.stderr.contains("found then: The key is found under another handle now"))
            #expect(refused.stderr.contains("signet ca release-key"))
        }
        let released = try await site.operate("ca", "release-key", "--instance", issuing).text
        #expect(released.hasPrefix("Released: pkcs11:"))
        try await site.operate("crl", "publish", "--instance", issuing)
        let again = try await site.signet("ca", "release-key", "--instance", issuing)
        #expect(again.status == 1)
        let trail = try await site.operate("audit", "show", "--instance", issuing, "--limit", "1000").text
        for event in [" 10003 ", " 10009 "] {
            let lines = trail.split(separator: "\n").filter { $0.contains(event) }
            #expect(lines.count == 1 && lines[0].contains("another handle"), "\(trail)")
        }
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    @Test("One failure of a call that may be repeated is repeated and not seen")
    func repeated() async throws {
        let site = try await Site.issuing(simulated: true)
        try site.setFaults("  - {function: C_Sign, call: 1, returns: CKR_SESSION_HANDLE_INVALID}", on: "issuing")
        try await site.operate(
            "request", "submit", "--instance", site.path("issuing"), "--template", "WebServer", "--out",
            site.path("www.crt"), try await site.makeRequest("www"))
        try await succeed(["openssl", "verify", "-CAfile", site.path("chain.pem"), site.path("www.crt")])
    }

    @Test("A web client learns the code and its request's number, and nothing of the token")
    func web() async throws {
        let port = try await RunningService.freePorts()
        let site = try await Site.serving(port: port, simulated: true)
        // The TLS handshake signs on the token as well, with its own key.
        try site.setFaults(Self.signFails, on: "issuing")
        let service = try await RunningService(site, port: port)
        let page = try await succeed(
            site.curl("certfnsh.asp", port: port) + [
                "--data-urlencode", "Mode=newreq", "--data-urlencode", "CertRequest@\(site.makeRequest("www"))",
                "--data-urlencode", "CertAttrib=CertificateTemplate:WebServer",
            ]
        ).text
        #expect(!page.contains("issued to you"))
        #expect(page.contains(/0x8[0-9a-fA-F]{7}/))
        for fact in ["issuing\"", "C_Sign", "CKR_", "SoftHSM", "serial"] { #expect(!page.contains(fact), "\(fact)") }
        #expect(try await service.stop() == 0)
        let active = try await site.operate(
            "request", "list", "--instance", site.path("issuing"), "--disposition", "active", "--numbers")
        #expect(active.text.isEmpty)
    }
}
