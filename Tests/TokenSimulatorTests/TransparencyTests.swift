import CPKCS11
import Foundation
import TestSupport
import Testing

/// Without limits the simulator cannot be told from the module inside but by `C_GetInfo`.
@Suite("Transparency")
struct TransparencyTests {
    static let rules: [[String]] = [[], ["handles: same"], ["handles: own"]]
    static let modules: [SoftwareToken.Kind] = [.softHSM, .nss]

    @Test("pkcs11-tool --test and p11tool --list-all print the same as on the bare module", arguments: modules, rules)
    func sameOutput(_ kind: SoftwareToken.Kind, _ rule: [String]) async throws {
        let card = try await SimulatedCard(kind, profile: nil, rule: rule)
        _ = try await card.tool("--keypairgen", "--key-type", "rsa:2048", "--label", "two", "--id", "02")
        // With one key: what is printed of several depends on the order in which SoftHSM gives them.
        for argument in ["--test", "-L", "-M", "-O"] {
            let simulated = try await card.tool(argument)
            let bare = try await card.bareTool(argument)
            #expect(simulated.comparable == bare.comparable)
            #expect(simulated.stderr == bare.stderr)
            #expect(simulated.status == bare.status)
            #expect(!simulated.text.isEmpty)
        }
        _ = try await card.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "one", "--id", "01")
        let list = { (module: String, environment: [String: String]) in
            try await run(
                [
                    "p11tool", "--provider", module, "--login", "--set-pin", card.token.userPIN, "--list-all",
                    "pkcs11:token=signet%20test",
                ], environment: environment)
        }
        let simulated = try await list(card.modulePath, card.environment)
        let bare = try await list(card.bareModulePath, card.bareEnvironment)
        #expect(simulated.sections == bare.sections)
        #expect(simulated.sections.count == 4)
    }

    @Test("Handles of its own are numbered in the order in which the program meets the objects")
    func ownHandles() async throws {
        let card = try await SimulatedCard(profile: nil, rule: ["handles: own"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        #expect(session == 1)
        let (result, publicKey, privateKey) = module.generate(session, label: "a")
        #expect(result == CKR_OK)
        #expect([publicKey, privateKey] == [1, 2])
        #expect(try module.find(session, CKO_PRIVATE_KEY) == [2])
        #expect(module.sign(session, privateKey) == CKR_OK)
        #expect(module.sign(session, 77) == CKR_KEY_HANDLE_INVALID)
        #expect(module.functions.C_DestroyObject?(session, privateKey) == CKR_OK)
        #expect(module.functions.C_DestroyObject?(session, privateKey) == CKR_OBJECT_HANDLE_INVALID)
        #expect(module.sign(99, publicKey) == CKR_SESSION_HANDLE_INVALID)
    }
}

extension ToolResult {
    /// The lines, sorted: SoftHSM gives the halves of a pair in another order each time.
    fileprivate var comparable: [Substring] { self.text.split(separator: "\n").sorted() }

    /// The objects that p11tool lists, each as one text without its number, sorted.
    fileprivate var sections: [String] {
        self.text.components(separatedBy: "\n\n").compactMap { section in
            let lines = section.split(separator: "\n").drop { !$0.hasPrefix("Object ") }.dropFirst()
            return lines.isEmpty ? nil : lines.joined(separator: "\n")
        }.sorted()
    }
}
