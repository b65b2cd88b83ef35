import Foundation
import TestSupport
import Testing

/// Programs that know nothing of Signet, and the examples of `docs/token-simulator`.
@Suite("Programs of others")
struct ForeignProgramTests {
    static let examples = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/token-simulator").path
    static let engine = "/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so"

    @Test("The C example fills a card, is told so, and removes the half of a key pair that stays")
    func cExample() async throws {
        // 3500 bytes are reserved, a pair takes 440 and its private half 349: two pairs and a half.
        let card = try await SimulatedCard(profile: "generic-8k-smartcard", overrides: ["capacity.bytes": "4740"])
        let program = card.directory.path("card_full")
        let source = ForeignProgramTests.examples + "/card_full.c"
        let compiled = try await run(["gcc", "-Wall", "-Wextra", "-Werror", "-o", program, source, "-ldl"])
        #expect(compiled.status == 0, "\(compiled.stderr)")
        let ran = try await run([program, card.modulePath, card.token.userPIN], environment: card.environment)
        #expect(ran.text == "2 key pairs, then 0x31\nremoving a private key without its public key\n")
        #expect(ran.status == 0)
    }

    @Test("The Python example finds its key again after two removals")
    func pythonExample() async throws {
        let card = try await SimulatedCard(
            profile: nil,
            faults: [
                "{function: C_Sign, call: 3, effect: reinsert}", "{function: C_SignInit, call: 7, effect: reinsert}",
            ], rule: ["handles: same"])
        _ = try await card.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "mine", "--id", "01")
        let ran = try await run(
            [
                "python3", ForeignProgramTests.examples + "/card_removed.py", card.modulePath, card.token.userPIN,
                "mine",
            ], environment: card.environment)
        #expect(ran.text == "10 signatures, 2 removals\n", "\(ran.stderr)")
        #expect(ran.status == 0)
    }

    @Test("ssh-keygen reads a key through the simulator, and meets a fault")
    func sshKeygen() async throws {
        let list = { (card: SimulatedCard) in
            _ = try await card.bareTool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "k", "--id", "01")
            return try await run(["ssh-keygen", "-D", card.modulePath], environment: card.environment)
        }
        let good = try await list(SimulatedCard(profile: nil))
        #expect(good.text.hasPrefix("ecdsa-sha2-nistp256 "))
        let bad = try await list(
            SimulatedCard(profile: nil, faults: ["{function: C_OpenSession, every: 1, returns: DEVICE_REMOVED}"]))
        #expect(bad.status != 0)
        #expect(bad.stderr.contains("C_OpenSession failed: 50") || bad.stderr.contains("failed for slot"))
    }

    @Test(
        "openssl signs through its PKCS #11 engine, and meets a fault",
        .enabled(if: FileManager.default.fileExists(atPath: ForeignProgramTests.engine)))
    func opensslEngine() async throws {
        let sign = { (card: SimulatedCard) in
            _ = try await card.bareTool("--keypairgen", "--key-type", "rsa:2048", "--label", "k", "--id", "01")
            let uri = "pkcs11:token=signet%20test;object=k;type=private;pin-value=\(card.token.userPIN)"
            return try await run(
                ["openssl", "dgst", "-sha256", "-engine", "pkcs11", "-keyform", "engine", "-sign", uri, "-hex"],
                input: [1, 2, 3],
                environment: card.environment.merging(["PKCS11_MODULE_PATH": card.modulePath]) { $1 })
        }
        let good = try await sign(SimulatedCard(profile: nil))
        #expect(good.status == 0, "\(good.stderr)")
        #expect(good.text.count > 512)
        let bad = try await sign(
            SimulatedCard(profile: nil, faults: ["{function: C_Sign, call: 1, returns: DEVICE_REMOVED}"]))
        #expect(bad.status != 0)
        #expect(bad.stderr.contains("Device removed"))
    }

    /// A Python that has the package `python-pkcs11`: `.ci/packages` makes one, or the one on `PATH` has it.
    static func python() async throws -> String? {
        let own = URL(fileURLWithPath: ForeignProgramTests.examples).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent(".build/python-pkcs11/bin/python3").path
        for python in [own, "python3"] where python == "python3" || FileManager.default.fileExists(atPath: python) {
            if try await run([python, "-c", "import pkcs11"]).status == 0 { return python }
        }
        return nil
    }

    @Test(
        "python-pkcs11 generates and signs, and meets a full card and a removal by their names",
        .enabled("python-pkcs11 of PyPI is there") { try await ForeignProgramTests.python() != nil })
    func pythonPKCS11() async throws {
        let python = try #require(try await ForeignProgramTests.python())
        let card = try await SimulatedCard(
            profile: "generic-32k-smartcard", overrides: ["capacity.max_pairs.rsa2048": "2"],
            faults: ["{function: C_Sign, call: 2, effect: reinsert}"])
        let script = """
            import sys, pkcs11
            from pkcs11 import KeyType, Mechanism, exceptions
            library = pkcs11.lib(sys.argv[1])
            token = library.get_token(token_label="signet test")
            with token.open(user_pin=sys.argv[2], rw=True) as session:
                made = 0
                try:
                    while made < 5:
                        pair = session.generate_keypair(
                            KeyType.RSA, 2048, store=True, label=f"k{made}", id=bytes([made + 1]))
                        made += 1
                except exceptions.PKCS11Error as error:
                    print(made, "pairs, then", type(error).__name__)
                signature = pair[1].sign(b"data", mechanism=Mechanism.SHA256_RSA_PKCS)
                print("verified:", pair[0].verify(b"data", signature, mechanism=Mechanism.SHA256_RSA_PKCS))
                try:
                    pair[1].sign(b"data", mechanism=Mechanism.SHA256_RSA_PKCS)
                except exceptions.PKCS11Error as error:
                    print("then", type(error).__name__)
            """
        let ran = try await run(
            [python, "-c", script, card.modulePath, card.token.userPIN], environment: card.environment)
        #expect(ran.text == "2 pairs, then DeviceMemory\nverified: True\nthen DeviceRemoved\n", "\(ran.stderr)")
    }
}
