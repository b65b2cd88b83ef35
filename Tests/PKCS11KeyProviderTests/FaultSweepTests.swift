import Diagnostics
import Foundation
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import SecretMemory
import TestSupport
import Testing

/// Every call of an operation fails once, one after the other: nothing is left on the token, and the next attempt on the
/// same store works.
@Suite struct FaultSweepTests {
    /// A card of which the next failure can be chosen.
    private struct Sweep {
        let card: SimulatedCard
        /// Past the simulator, to see what is really there.
        let bare: Token
        private let path: String
        private let text: String

        init() async throws {
            self.card = try await SimulatedCard(profile: nil)
            self.bare = try await self.card.token.openLoggedIn(maximumSessions: 1)
            self.path = try #require(self.card.environment["SIGNET_SIMULATOR"])
            self.text = try String(contentsOfFile: self.path, encoding: .utf8)
        }

        /// Runs `body` with a store of its own, and gives the trace of its calls.
        @discardableResult
        func with(
            fault: String?, _ body: (TokenKeyStore) async throws -> Void
        ) async throws -> String {
            let faults = fault.map { "faults:\n  - \($0)\n" } ?? ""
            try Data((self.text + faults).utf8).write(to: URL(fileURLWithPath: self.path))
            let traceFile = self.card.directory.path("trace")
            // There is none before the first run.
            try? FileManager.default.removeItem(atPath: traceFile)
            let modules = ModuleRegistry(trace: try CallTrace(path: traceFile))
            let store = try await self.open(modules)
            do {
                try await body(store)
            } catch {
                Issue.record("with the fault \(fault ?? "none"): \(ErrorReport(error).headline)")
            }
            await store.close()
            modules.finalizeAll()
            return try String(contentsOfFile: traceFile, encoding: .utf8)
        }

        /// Opening may fail as well; then it is done again.
        private func open(_ modules: ModuleRegistry) async throws -> TokenKeyStore {
            let profile = try PKCS11KeyProviderTests.profile("softhsm2")
            do {
                return try await self.card.store(profile: profile, isRepeatable: true, modules: modules)
            } catch let error as KeyProviderError where error.tokenFailure != nil || error.code == .tokenNotFound {
                return try await self.card.store(profile: profile, isRepeatable: true, modules: modules)
            }
        }

        func objects() async throws -> Int {
            var onToken = AttributeTemplate()
            onToken[.token] = true
            return try await self.bare.withSession { [onToken] in try $0.findObjects(onToken).count }
        }

        /// One fault for each call of the trace that comes after the module is open, with codes of three classes in turn.
        func faults(_ trace: String, before: Int = 0) -> [String] {
            var counts: [Substring: Int] = [:]
            var faults: [String] = []
            let values = ["DEVICE_ERROR", "SESSION_HANDLE_INVALID", "DEVICE_REMOVED"]
            let left: Set<Substring> = ["C_Initialize", "C_Finalize", "C_GetInfo", "C_GetSlotInfo", "C_CloseSession"]
            for line in trace.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count > 3, words[2] == "<", !left.contains(words[3]) else { continue }
                counts[words[3], default: 0] += 1
                let number = counts[words[3], default: 0]
                let value = values[faults.count % values.count]
                faults.append("{function: \(words[3]), call: \(number), returns: \(value)}")
            }
            return faults
        }
    }

    private let specification = KeyPairSpecification(
        algorithm: .p256, role: .caSigning, label: "swept", certificateBytes: 700)

    /// An attempt may fail, in a way that can be told; the one after it may not.
    private func twice(_ sweep: Sweep, _ fault: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as KeyProviderError {
            #expect(error.tokenFailure != nil || error.code == .tokenRemoved, "\(fault): \(error.headline)")
            try await body()
        }
    }

    @Test("A key pair with its certificate: no orphan whichever call fails, and the next attempt works")
    func keyPairWithCertificate() async throws {
        let sweep = try await Sweep()
        // A certificate of the right form for any P-256 key: the token does not check its signature.
        let model = try await OpenSSL.p256Certificate()
        let trace = try await sweep.with(fault: nil) { store in
            let pair = try await store.generateKeyPair(self.specification)
            try await store.storeCertificate(
                model.certificate(for: pair.subjectPublicKeyInfo), for: pair.locator, label: "c")
            try await store.removeKeyPair(pair.locator)
        }
        let faults = sweep.faults(trace)
        #expect(faults.count > 60)
        for fault in faults {
            try await sweep.with(fault: fault) { store in
                var made: TokenKeyPair?
                try await self.twice(sweep, fault) { made = try await store.generateKeyPair(self.specification) }
                let pair = try #require(made)
                #expect(try await sweep.objects() == 2, "\(fault): an orphan of the key pair")
                try await self.twice(sweep, fault) {
                    try await store.storeCertificate(
                        model.certificate(for: pair.subjectPublicKeyInfo), for: pair.locator, label: "c")
                }
                #expect(try await sweep.objects() == 3, "\(fault): an orphan of the certificate")
                #expect(try await store.certificates(for: pair.locator).count == 1)
                try await self.twice(sweep, fault) { try await store.removeKeyPair(pair.locator) }
                #expect(try await sweep.objects() == 0, "\(fault)")
            }
        }
        await sweep.bare.close()
    }

    @Test("A signature: made whichever call fails, by the right key")
    func sign() async throws {
        let sweep = try await Sweep()
        var made: TokenKeyPair?
        try await sweep.with(fault: nil) { made = try await $0.generateKeyPair(self.specification) }
        let pair = try #require(made)
        let trace = try await sweep.with(fault: nil) { store in
            for _ in 0..<2 { _ = try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256)) }
        }
        for fault in sweep.faults(trace) {
            try await sweep.with(fault: fault) { store in
                var signatures: [[UInt8]] = []
                for _ in 0..<2 {
                    try await self.twice(sweep, fault) {
                        signatures.append(try await store.sign([1], with: pair.locator, algorithm: .ecdsa(.sha256)))
                    }
                }
                #expect(signatures.count == 2)
                for signature in signatures {
                    #expect(
                        try await OpenSSL.verify(
                            signature, of: [1], hash: "sha256", subjectPublicKeyInfo: pair.subjectPublicKeyInfo))
                }
            }
        }
        #expect(try await sweep.objects() == 2)
        await sweep.bare.close()
    }

    @Test("A key that is wrapped again: all or nothing whichever call fails, and the token keeps what it had")
    func rewrap() async throws {
        let sweep = try await Sweep()
        var made: TokenKeyPair?
        try await sweep.with(fault: nil) {
            made = try await $0.generateKeyPair(
                KeyPairSpecification(
                    algorithm: .rsa(modulusBits: 2048), role: .exchange, label: "exchange", certificateBytes: 0))
        }
        let exchange = try #require(made)
        let user = try await OpenSSL.rsaKey()
        let contentKey = [UInt8](0..<32)
        let encryptedKey = try await OpenSSL.encrypt(contentKey, to: exchange.subjectPublicKeyInfo)
        let wrapped = try await OpenSSL.keyWrap(user.privateKey, under: contentKey)
        let rewrap: @Sendable (any TransientKeyOperations) throws -> Int = { keys in
            let content = try keys.unwrapSecretKey(
                encryptedKey, with: exchange.locator, transport: .rsaPKCS1v15, as: .aes256)
            let key = try keys.unwrapPrivateKey(
                wrapped, with: content, algorithm: .aesKeyWrapPadded, of: user.subjectPublicKeyInfo)
            let archive = try keys.generateSecretKey(.aes256)
            return try keys.wrap(key, under: archive, algorithm: .aesKeyWrapPadded).count
                + keys.wrap(archive, to: user.subjectPublicKeyInfo, transport: .rsaPKCS1v15).count
        }
        let trace = try await sweep.with(fault: nil) { store in
            let bytes = try await store.withTransientKeys(rewrap)
            #expect(bytes > 1000)
        }
        for fault in sweep.faults(trace) {
            try await sweep.with(fault: fault) { store in
                try await self.twice(sweep, fault) {
                    let bytes = try await store.withTransientKeys(rewrap)
                    #expect(bytes > 1000)
                }
            }
        }
        #expect(try await sweep.objects() == 2)
        await sweep.bare.close()
    }
}
