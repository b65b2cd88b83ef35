import Foundation
import TestSupport
import Testing

/// PKCS #11 v3.0, as far as the module inside has it: NSS has, SoftHSM 2.6 has not.
@Suite("Interfaces of v3.0")
struct InterfaceTests {
    /// Prints the interfaces, then encrypts a message with AES-GCM through those of v3.0, as a program in Python would.
    static let script = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("Support/interfaces.py").path

    @Test("A module that has none gets v2.40, one that has v3.0 gets both, under the number that it tells")
    func offered() async throws {
        for (kind, interfaces, version) in [
            (SoftwareToken.Kind.softHSM, "PKCS 11 2.40", "2.40"), (.nss, "PKCS 11 3.0, PKCS 11 2.40", "3.0"),
        ] {
            let card = try await SimulatedCard(kind, profile: nil)
            let ran = try await run(
                ["python3", InterfaceTests.script, card.modulePath, "list"], environment: card.environment)
            #expect(ran.text == "\(interfaces)\n", "\(ran.stderr)")
            let info = try await run(["pkcs11-tool", "--module", card.modulePath, "-I"], environment: card.environment)
            #expect(info.text.contains("Cryptoki version \(version)\n"))
            #expect(info.text.contains("Signet token simulator"))
        }
    }

    @Test("Without a setting v2.40 is offered, and C_Initialize says what is wrong")
    func noSetting() async throws {
        let path = try SimulatorLibrary.path()
        let ran = try await run(["env", "-u", "SIGNET_SIMULATOR", "python3", InterfaceTests.script, path, "list"])
        #expect(ran.text == "PKCS 11 2.40\n")
    }

    @Test("Messages are encrypted by the module inside, and meet faults by the names of v3.0")
    func messages() async throws {
        for (faults, expected) in [
            ([], "encrypted, decrypted, cancelled 0x0\n"),
            (["{function: C_EncryptMessage, call: 1, returns: DEVICE_ERROR}"], "C_EncryptMessage 0x30\n"),
            (["{function: C_MessageDecryptInit, call: 1, returns: DEVICE_ERROR}"], "C_MessageDecryptInit 0x30\n"),
            (["{function: C_SessionCancel, call: 1, returns: DEVICE_ERROR}"], "encrypted, decrypted, cancelled 0x30\n"),
        ] {
            let card = try await SimulatedCard(.nss, profile: nil, faults: faults)
            let ran = try await run(
                ["python3", InterfaceTests.script, card.modulePath, "encrypt"], environment: card.environment)
            #expect(ran.text == expected, "\(ran.stderr)")
        }
    }

    @Test("What NSS does not have of v3.0, signatures on messages and C_LoginUser, says the same through the simulator")
    func notSupported() async throws {
        let card = try await SimulatedCard(.nss, profile: nil, rule: ["handles: own"])
        let codes = { (module: String, environment: [String: String]) in
            // The second slot of NSS is that of the token.
            try await run(
                ["python3", InterfaceTests.script, module, "codes", card.token.userPIN, "1"], environment: environment)
        }
        let simulated = try await codes(card.modulePath, card.environment)
        let bare = try await codes(card.bareModulePath, card.bareEnvironment)
        #expect(simulated.text == bare.text, "\(simulated.stderr) \(bare.stderr)")
        #expect(simulated.text.components(separatedBy: ", ").count == 11)
        #expect(simulated.text.contains("C_LoginUser 0x91,") && simulated.text.contains("C_SignMessage 0x54,"))
    }

    @Test("Where a module has them, users log in by name, and messages are signed within the limits of the profile")
    func signedMessages() async throws {
        for (faults, tooLong) in [
            ([], "0x21"),
            // A size query does not count; a message that fails leaves its operation as it is.
            (["{function: C_SignMessage, call: 1, key: {label: key}, returns: DEVICE_ERROR}"], "0x30"),
        ] {
            let card = try await SimulatedCard(
                profile: "softhsm2", overrides: ["mechanisms.max_data": "32"], faults: faults, rule: ["handles: own"])
            try await self.putMessageSigning(into: card)
            let ran = try await run(
                ["python3", InterfaceTests.script, card.modulePath, "sign", card.token.userPIN],
                environment: card.environment)
            // bob, alice; init, size, 33 bytes, two signatures, final; init, good, wrong, final
            #expect(ran.text == "0x103 0x0 0x0 0x0 \(tooLong) 0x0 0x0 0x0 0x0 0x0 0xc0 0x0\n", "\(ran.stderr)")
        }
    }

    @Test("With ecdsa_sig: der signatures on messages are DER, in one part and in several, and so are those verified")
    func encodedMessages() async throws {
        let card = try await SimulatedCard(profile: "softhsm2", overrides: ["template.ecdsa_sig": "der"])
        try await self.putMessageSigning(into: card)
        let ran = try await run(
            ["python3", InterfaceTests.script, card.modulePath, "der", card.token.userPIN],
            environment: card.environment)
        // init, size; too small; signature; begin, part, signature; final, init; both, cut off, none
        #expect(
            ran.text == "0 0x0 72 0x150 72 0x0 der 0 0 0 der 0 0 0x0 0x0 0xc0 0xc0\n", "\(ran.text) \(ran.stderr)")
    }

    /// Puts a module with signatures on messages in the place of the module inside, which has none.
    private func putMessageSigning(into card: SimulatedCard) async throws {
        let (inner, softHSM) = (card.directory.path("inner.so"), card.directory.path("softhsm.so"))
        try FileManager.default.moveItem(atPath: inner, toPath: softHSM)
        let source = URL(fileURLWithPath: InterfaceTests.script).deletingLastPathComponent()
            .appendingPathComponent("message_signing.c").path
        let compiled = try await run([
            "gcc", "-shared", "-fPIC", "-DSOFTHSM=\"\(softHSM)\"", "-o", inner, source, "-ldl",
        ])
        #expect(compiled.status == 0, "\(compiled.stderr)")
    }
}
