import Foundation
import TestSupport
import Testing

@Suite("What operators learn about their tokens")
struct TokenCommandTests {
    /// Gives an instance a newest exchange certificate, of today, and one that has expired.
    private func makeExchangeKeys(_ site: Site, _ instance: String) async throws {
        try await site.operate("ca", "exchange", "--instance", instance, "--out", site.path("old.crt"))
        // The first one ended a fortnight ago; so the next command makes another.
        try await succeed([
            "python3", "-c",
            """
            import sqlite3, sys
            database = sqlite3.connect(sys.argv[1])
            database.execute("UPDATE exchange_certificate SET not_before = not_before - 2000000000, not_after = not_after - 2000000000")
            database.commit()
            """, "\(instance)/signet.sqlite",
        ])
        try await site.operate("ca", "exchange", "--instance", instance, "--out", site.path("new.crt"))
    }

    @Test("An exchange key that nothing needs is found, and removed only after yes; the CA key and the newest one stay")
    func retire() async throws {
        let site = try await Site.issuing()
        let instance = site.path("issuing")
        try await self.makeExchangeKeys(site, instance)
        let before = try await site.operate("token", "capacity", "--instance", instance).text
        #expect(before.contains("CA certificate 0"))
        #expect(before.contains("newest exchange certificate"))
        #expect(before.contains("1 can go"))
        let refused = try await run(
            [Programs.signet, "token", "retire", "--instance", instance], input: Array("no\n".utf8))
        #expect(refused.status == 3 && refused.text.contains("Nothing was removed"))
        try await site.operate("token", "retire", "--instance", instance, "--yes")
        let after = try await site.operate("token", "capacity", "--instance", instance).text
        #expect(after.contains("CA certificate 0") && after.contains("newest exchange certificate"))
        #expect(!after.contains("can go"))
        let again = try await site.operate("token", "retire", "--instance", instance)
        #expect(again.text.contains("No exchange key"))
        try await site.operate("audit", "verify", "--instance", instance)
    }

    @Test("The same commands work on the software token of NSS, whose profile is found, and a wrong PIN is told")
    func nss() async throws {
        let site = try Site.empty()
        let token = try await site.makeNSSToken("nss")
        #expect(try await site.operate("token", "list", "--token-file", token).text.contains("profile nss-softokn"))
        let instance = site.path("nss-ca")
        try await site.operate(
            "init", "root", instance, "--name", "NSS CA", "--subject", "CN=NSS CA", "--token-file", token,
            "--key-algorithm", "rsa-2048", "--publication-url", "http://pki.example.test")
        try await self.makeExchangeKeys(site, instance)
        let before = try await site.operate("token", "capacity", "--instance", instance).text
        #expect(before.contains("Objects: 6, no limit (3 private key, 3 public key)"), "\(before)")
        #expect(before.contains("CA certificate 0") && before.contains("1 can go"))
        let retired = try await site.operate("token", "retire", "--instance", instance, "--yes").text
        #expect(retired.contains("Removed NSS CA-Xchg pkcs11:token=nss"), "\(retired)")
        let after = try await site.operate("token", "capacity", "--instance", instance).text
        #expect(after.contains("Objects: 4, no limit (2 private key, 2 public key)"), "\(after)")
        try await site.operate("crl", "publish", "--instance", instance)
        try await site.operate("audit", "verify", "--instance", instance)
        let examined = try await site.operate(
            "token", "doctor", "--token-file", token, "--state", site.path("state.json")
        ).text
        for role in ["CA key", "exchange key", "key recovery agent"] { #expect(examined.contains("\(role): CAN\n")) }
        #expect(examined.contains("The token is as it was."))
        try site.secret("00000000", to: "pin-user")
        let refused = try await site.signet("token", "capacity", "--instance", instance)
        #expect(refused.status == 1 && refused.stderr.contains("C_Login returned CKR_PIN_INCORRECT"))
    }

    @Test("A PIN that was refused once is not tried again before unblock; a trace names the calls and not the PIN")
    func unblock() async throws {
        let site = try await Site.issuing()
        let instance = site.path("issuing")
        try site.secret("00000000", to: "pin-user")
        let first = try await site.signet("token", "capacity", "--instance", instance)
        #expect(first.status == 1 && first.stderr.contains("C_Login returned CKR_PIN_INCORRECT"))
        try site.secret("12345678", to: "pin-user")
        let second = try await site.signet(
            "token", "capacity", "--trace-pkcs11", site.path("trace1"), "--instance", instance)
        #expect(second.status == 1)
        let traced = try String(contentsOfFile: site.path("trace1"), encoding: .utf8)
        #expect(traced.contains("C_Initialize") && !traced.contains("C_Login"))
        let unblocked = try await site.operate("token", "unblock", "--instance", instance)
        #expect(unblocked.text.contains("Forgotten: 1 refused PIN"))
        try await site.operate("token", "capacity", "--instance", instance, "--trace-pkcs11=\(site.path("trace2"))")
        let good = try String(contentsOfFile: site.path("trace2"), encoding: .utf8)
        #expect(good.contains("C_Login") && !good.contains("12345678"))
    }

    @Test("A card that counts a wrong PIN is not tried before unblock, as the error says; the last try is left alone")
    func unblockCard() async throws {
        let site = try Site.empty()
        let token = try await site.makeCard("card", profile: "softhsm2")
        let simulator = site.path("card-simulator.yaml")
        let settings = try String(contentsOfFile: simulator, encoding: .utf8)
        try settings.replacing("profile: softhsm2}", with: "profile: softhsm2, override: {login.tries: 3}}")
            .write(toFile: simulator, atomically: true, encoding: .utf8)
        let state = ["XDG_STATE_HOME": site.path("state")]
        func use(_ command: String) async throws -> ToolResult {
            try await run([Programs.signet, "token", command, "--token-file", token], environment: state)
        }
        try site.secret("00000000", to: "pin-user")
        #expect(try await use("list").stderr.contains("C_Login returned CKR_PIN_INCORRECT"))
        try site.secret("12345678", to: "pin-user")
        let counted = try await use("list")
        #expect(counted.status == 1 && counted.stderr.contains("a wrong PIN was entered since the last right one"))
        #expect(counted.stderr.contains("hint: Correct where the PIN comes from, then run `signet token unblock`"))
        #expect(try await use("unblock").text.contains("Logged in: the PIN is right."))
        #expect(try await use("list").status == 0)
        // Two wrong ones by the operator's word, and the last try is left alone.
        try site.secret("00000000", to: "pin-user")
        for _ in 0..<2 { #expect(try await use("unblock").stderr.contains("C_Login returned CKR_PIN_INCORRECT")) }
        try site.secret("12345678", to: "pin-user")
        let last = try await use("unblock")
        #expect(last.status == 1 && last.stderr.contains("one more wrong PIN would lock the token"))
        #expect(!last.stderr.contains("signet token unblock"))
    }

    @Test("A wrong PIN reaches the card once, however many programs are given it, by the card's own count")
    func wrongPINOnce() async throws {
        let site = try Site.empty()
        let token = try await site.makeCard("card", profile: "softhsm2")
        let log = site.path("events")
        try site.addSimulatorSetting("log: \"\(log)\"\nlog_calls: true", on: "card")
        try site.secret("00000000", to: "pin-user")
        let state = ["XDG_STATE_HOME": site.path("state")]
        for _ in 0..<3 {
            let refused = try await run([Programs.signet, "token", "list", "--token-file", token], environment: state)
            #expect(refused.status == 1)
        }
        let calls = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        #expect(calls.count { $0.contains("C_Login") } == 1)
        #expect(calls.count { $0.contains("C_Initialize") } > 1)
    }

    @Test("The doctor's exit code is its verdict, and its JSON can be read")
    func doctor() async throws {
        let site = try Site.empty()
        let token = try await site.makeToken("doctor")
        let good = try await site.operate(
            "token", "doctor", "--token-file", token, "--role", "ca", "--json", "--state", site.path("state.json"),
            "--write-profile", site.path("mine.yaml"))
        let answer = try #require(try JSONSerialization.jsonObject(with: Data(good.stdout)) as? [String: Any])
        #expect(answer["isGood"] as? Bool == true)
        try await site.operate("profile", "check", site.path("mine.yaml"))
        let card = try await site.makeCard(
            "card", profile: "generic-32k-smartcard",
            simulator: "faults: [{function: C_GenerateKeyPair, call: 1, returns: CKR_DEVICE_ERROR}]")
        let before = try await site.objects(on: "card")
        let bad = try await site.signet(
            "token", "doctor", "--token-file", card, "--role", "kra", "--objects", "token", "--state",
            site.path("state2.json"))
        #expect(bad.status == 2)
        #expect(bad.text.contains("key recovery agent: CANNOT"))
        #expect(
            bad.text.contains("because: C_GenerateKeyPair with CKM_RSA_PKCS_KEY_PAIR_GEN returned CKR_DEVICE_ERROR"))
        #expect(bad.text.contains("change: "))
        #expect(bad.text.contains("The token is as it was."))
        #expect(try await site.objects(on: "card") == before)
    }
}
