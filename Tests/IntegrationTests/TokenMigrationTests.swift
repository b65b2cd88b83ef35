import Foundation
import TestSupport
import Testing

@Suite("signet move token")
struct TokenMigrationTests {
    /// Runs the command once; what it said of the step that it carried out, and of the next one.
    private static func move(_ site: Site, _ options: String..., instance: String = "issuing") async throws -> String {
        try await succeed([Programs.signet, "move", "token", "--instance", site.path(instance)] + options).text
    }

    private static func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

    /// Deletes the CA's private key from a token: nothing needs it any more.
    private static func destroy(_ site: Site, on token: String) async throws {
        try await succeed(
            [
                "pkcs11-tool", "--module", Site.softHSM, "--token-label", token, "--login", "--pin", "12345678",
                "--delete-object", "--type", "privkey", "--label", "Test Issuing CA",
            ], environment: ["SOFTHSM2_CONF": site.path("issuing.conf")])
    }

    @Test("Keys that may be copied move step by step, the command can stop after each, and the CA works all the time")
    func copied() async throws {
        let site = try await Site.issuing(options: ["--copyable-key"])
        let issuing = site.path("issuing")
        _ = try await site.makeAgent()
        let hsm = try await site.makeToken("hsm2", beside: "issuing")
        let status = try await Self.move(site, "--to", hsm, "--name", "hsm2", "--status")
        #expect(status.hasPrefix("describe: describe the token as hsm2 in signet.yaml\ncopy-keys: later\n"))
        #expect(status.hasSuffix("Next: describe: describe the token as hsm2 in signet.yaml\n"))
        let first = try await site.certify("first")
        try await site.makeArchivalRequest("earlier", format: "token-wrapped")
        var steps: [String] = []
        while true {
            let text = try await Self.move(site, "--to", hsm, "--name", "hsm2", "--step")
            let step = text.prefix { $0 != ":" }
            guard step != "Next" else { break }
            steps.append(String(step))
            try #require(steps.count < 10, "\(text)")
            // Whatever is done, the CA issues, publishes, and its trail is whole.
            try await site.certify("after-\(step)")
            try await site.operate("audit", "verify", "--instance", issuing)
        }
        #expect(steps == ["describe", "copy-keys", "use", "exchange-key", "lists"])
        let waiting = try await Self.move(site, "--to", hsm, "--name", "hsm2")
        #expect(waiting.hasPrefix("Next: back-up: back the CA up"), "\(waiting)")
        try await site.backUp(to: "moved")
        let done = try await Self.move(site, "--to", hsm, "--name", "hsm2")
        #expect(done.hasPrefix("The CA has moved to hsm2.\ndone: no CA key is needed on another token"), "\(done)")

        try await Self.destroy(site, on: "issuing")
        try await site.certify("last")
        try await site.operate("certificate", "revoke", "--instance", issuing, first)
        try await site.operate("crl", "publish", "--instance", issuing)
        try await site.operate("audit", "verify", "--instance", issuing)
        // Archival works with the key on the new token.
        try FileManager.default.removeItem(atPath: site.path("exchange.crt"))
        try await site.operate("ca", "exchange", "--instance", issuing, "--out", site.path("exchange.crt"))
        try await site.makeArchivalRequest("user", format: "token-wrapped")
        try await site.operate(
            "request", "submit", "--instance", issuing, "--out", site.path("user.crt"), site.path("user.cmc"))
        // And one that was encrypted to the former exchange key, which stays on its token while it is kept.
        try await site.operate(
            "request", "submit", "--instance", issuing, "--out", site.path("earlier.crt"), site.path("earlier.cmc"))
        let unchanged = try await Self.move(site, "--to", hsm, "--name", "hsm2", "--status")
        #expect(Self.lines(unchanged).contains("archives: done: archived keys are encrypted to the agents of today"))
    }

    @Test("A key that may not leave its token is followed by a new one, and signs its own CRL where it is")
    func rolledOver() async throws {
        let site = try await Site.issuing()
        let issuing = site.path("issuing")
        let hsm = try await site.makeToken("hsm2", beside: "issuing")
        let old = try await site.certify("old")
        let stopped = try await Self.move(site, "--to", hsm, "--name", "hsm2")
        #expect(
            Self.lines(stopped) == [
                "describe: done: \(try Self.token(stopped)) is hsm2", "use: done: the CA signs on hsm2",
                "Next: new-key: say where the request for the parent is written: --request FILE",
            ], "\(stopped)")
        // The service could run meanwhile: the key in place signs.
        try await site.certify("meanwhile")
        let request = site.path("new-key.req")
        let asked = try await Self.move(site, "--to", hsm, "--name", "hsm2", "--request", request)
        #expect(asked.contains("new-key: done: a new key is on hsm2"), "\(asked)")
        #expect(asked.contains("Next: certificate: have the parent sign the request"))
        try await site.operate(
            "request", "submit", "--instance", site.path("root"), "--template", "SubCA", "--out",
            site.path("new-key.crt"), request)
        try await site.operate(
            "ca", "install", "--instance", issuing, "--chain", site.path("root/publish/Test Root CA.crt"),
            site.path("new-key.crt"))
        let listed = try await Self.move(site, "--to", hsm, "--name", "hsm2")
        #expect(listed.contains("lists: done: every key has signed a CRL since"), "\(listed)")
        try await site.backUp(to: "moved")
        let done = try await Self.move(site, "--to", hsm, "--name", "hsm2")
        #expect(done.contains("done: keep pkcs11:") && done.contains("it signs the CRL of key 0"), "\(done)")

        try await site.certify("new")
        try await site.operate("certificate", "revoke", "--instance", issuing, old)
        try await site.operate("crl", "publish", "--instance", issuing)
        let oldList = try await succeed([
            "openssl", "crl", "-inform", "DER", "-in", site.path("issuing/publish/Test Issuing CA.crl"), "-text",
            "-noout",
        ])
        #expect(oldList.text.contains("Serial Number: \(old)\n"))
        try await succeed([
            "openssl", "verify", "-CAfile", site.path("chain.pem"), "-untrusted",
            site.path("new-key.crt"), site.path("new.crt"),
        ])
        let verified = try await site.certutil("-verifykeys")
        #expect(verified.text.components(separatedBy: "Signature test passed").count == 3, "\(verified.text)")
        try await site.operate("audit", "verify", "--instance", issuing)
    }

    /// How a token was named in the first line.
    private static func token(_ text: String) throws -> String {
        let match = try #require(text.firstMatch(of: /^describe: done: (.*) is hsm2\n/), "\(text)")
        return String(match.1)
    }

    @Test("A root ties its new key on the new token to the one before it, and another token of that name is refused")
    func root() async throws {
        let site = try await Site.issuing()
        let hsm = try await site.makeToken("hsm2", beside: "root")
        let moved = try await Self.move(site, "--to", hsm, "--name", "hsm2", "--new-key", instance: "root")
        #expect(moved.contains("links: done: no link between keys is missing"), "\(moved)")
        for link in ["Test Root CA(0-1).crt", "Test Root CA(1-0).crt"] {
            #expect(FileManager.default.fileExists(atPath: site.path("root/publish/\(link)")))
        }
        try await site.operate("audit", "verify", "--instance", site.path("root"))
        let other = try await site.makeToken("other", beside: "root")
        let refused = try await site.signet(
            "move", "token", "--instance", site.path("root"), "--to", other, "--name", "hsm2")
        #expect(refused.status == 1 && refused.stderr.contains("0x80070050"), "\(refused.stderr)")
    }
}
