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
}
