import CertificateAuthority
import DeviceProfiles
import Foundation
import Glibc
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import PKIMessages
import SQLiteStorage
import SecretMemory
import TestSupport
import Testing

@testable import KeyArchival

/// What one process archives, in files of a directory; the private key is in it encrypted or masked only.
struct MemoryScenario: Codable {
    var modulePath: String
    var softHSMConfiguration: String
    var label: String
    var pin: String
    var probe: MemoryProbe
    var encryptedKey: [UInt8]
    var publicKey: [UInt8]
    var exchangeKey: KeyLocator
    var agentKey: [UInt8]
    var challenge: Challenge
    var maskedPrivateKey: [UInt8]

    /// What only the holder of the requester's private key can read.
    struct Challenge: Codable {
        var ciphertext: [UInt8]
        /// With which a key on a curve agrees on the key of the ciphertext; `nil` for an RSA key, which decrypts it.
        var point: [UInt8]?

        static let cipher = ContentCipher(algorithm: .aes256, initializationVector: [UInt8](repeating: 7, count: 16))

        init(to publicKey: PKIMessages.SubjectPublicKeyInfo) throws {
            guard !publicKey.isRSA else {
                self.ciphertext = try KeyTransport.encrypt([1, 2, 3], to: publicKey, transport: .pkcs1v15)
                return
            }
            let agreement = try KeyAgreement(with: publicKey)
            self.point = agreement.point
            self.ciphertext = try SymmetricCipher.aes256CBC.encrypt(
                SecretBytes(copying: [1, 2, 3]), key: agreement.secret, iv: Self.cipher.initializationVector)
        }

        func read(with key: TransientKey, _ token: any TransientKeyOperations) throws {
            guard let point = self.point else {
                _ = try token.decrypt(self.ciphertext, with: key, transport: .rsaPKCS1v15)
                return
            }
            let agreed = try token.deriveSecretKey(from: key, with: point)
            _ = try token.decrypt(self.ciphertext, with: agreed, cipher: Self.cipher)
        }
    }

    enum Work: String, Codable, Sendable {
        /// Archival as the service does it.
        case archival
        /// The token calls of the same path and nothing else, as a control.
        case tokenCalls
        /// The private key is left in memory on purpose: what the probes find when something is there.
        case leak
    }

    /// Does the work in this process, then looks at its memory.
    ///
    /// - Parameters:
    ///   - directory: where the database is, and where the trace of the token's calls is written.
    ///   - dumpsCore: writes a core of this process as it is then.
    /// - Returns: the names of the fragments that are there.
    func run(_ work: Work, isOnToken: Bool, directory: String, dumpsCore: Bool) async throws -> Set<String> {
        setenv("SOFTHSM2_CONF", self.softHSMConfiguration, 1)
        let catalog = try ProfileCatalog(directories: [SimulatorLibrary.profiles])
        let pin = self.pin
        let token = try await TokenKeyStore.open(
            TokenConfiguration(
                modulePath: self.modulePath, initializationString: nil,
                profile: try catalog.profile(named: "softhsm2", overrides: [:]),
                reference: try KeyReference("pkcs11:token=\(self.label.replacing(" ", with: "%20"))")),
            modules: ModuleRegistry(trace: CallTrace(path: "\(directory)/\(work.rawValue).trace"))
        ) { try SecretBytes(copying: pin.utf8) }
        var leaked: UnsafeMutableBufferPointer<UInt8>?
        switch (work, isOnToken) {
        case (.archival, _):
            try await self.archive(token, isOnToken: isOnToken, database: "\(directory)/database.sqlite")
        case (.tokenCalls, true): try await self.callTokenOnly(token)
        case (.tokenCalls, false): try await self.encryptOnTokenOnly(token)
        case (.leak, _):
            let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: self.maskedPrivateKey.count)
            for index in copy.indices { copy[index] = self.maskedPrivateKey[index] ^ MemoryProbe.mask }
            leaked = copy
        }
        let found = try self.probe.foundInThisProcess()
        if dumpsCore { try await self.dumpCore("\(directory)/\(work.rawValue)") }
        leaked?.deallocate()
        await token.close()
        return found
    }

    /// As the kernel writes one: without the memory that is marked not to be dumped.
    private func dumpCore(_ path: String) async throws {
        let dump = try await TestSupport.run([MemoryTests.coreDumper, "-o", path, "\(getpid())"])
        try #require(dump.status == 0, "\(dump.stderr)")
    }

    private func archive(_ token: any KeyToken, isOnToken: Bool, database: String) async throws {
        let storage = try SQLiteStorage(path: database)
        let own = try await storage.read { try $0.caCertificates() }
        let surroundings = Surroundings(now: { TestAuthority.now }, randomBytes: LibCrypto.randomBytes)
        let agents = try KRASelection(
            storage: storage,
            check: KRACertificateCheck(
                issuers: own.map { try PKIMessages.CertificateFields(derEncoded: $0.certificateDER) }),
            count: 1, surroundings: surroundings)
        let archiver = TokenKeyArchiver(
            exchangeToken: { _ in token }, storage: storage, agents: agents,
            settings: ArchivalSettings(format: isOnToken ? .tokenWrapped : .cmsAES), surroundings: surroundings)
        let draft = try await archiver.archive(
            KeyArchivalRequest(
                requesterName: "alice", encryptedKeyDER: self.encryptedKey, subjectPublicKeyInfo: self.publicKey))
        let requestID = try await storage.read { try $0.exchangeCertificates().first?.requestID } ?? 0
        try await storage.write { try $0.insert(draft.record(forRequest: requestID, at: TestAuthority.now)) }
        // It is removed when the database is closed.
        try FileManager.default.copyItem(atPath: database + "-wal", toPath: database + "-wal.copy")
    }

    private func callTokenOnly(_ token: any KeyToken) async throws {
        let envelope = try EnvelopedData(contentInfoDER: self.encryptedKey)
        try await token.withTransientKeys { [self] token in
            let received = try token.unwrapSecretKey(
                envelope.recipients[0].encryptedKey, with: self.exchangeKey, transport: .rsaOAEP(.sha1), as: .aes256)
            let privateKey = try token.unwrapPrivateKey(
                envelope.encryptedContent, with: received, algorithm: .aesKeyWrapPadded, of: self.publicKey)
            try self.challenge.read(with: privateKey, token)
            let fresh = try token.generateSecretKey(.aes256)
            _ = try token.wrap(privateKey, under: fresh, algorithm: .aesKeyWrapPadded)
            _ = try token.wrap(fresh, to: self.agentKey, transport: .rsaOAEP(.sha1))
        }
    }

    /// The token sees the plaintext once, as the argument of `C_Encrypt`.
    private func encryptOnTokenOnly(_ token: any KeyToken) async throws {
        let envelope = try EnvelopedData(contentInfoDER: self.encryptedKey)
        _ = try await token.decrypt(
            envelope.recipients[0].encryptedKey, with: self.exchangeKey, transport: .rsaOAEP(.sha1))
        let masked = self.maskedPrivateKey
        let plaintext = try SecretBytes(capacity: masked.count) { buffer in
            for index in masked.indices { buffer[index] = masked[index] ^ MemoryProbe.mask }
            return masked.count
        }
        try await token.withTransientKeys { token in
            let key = try token.generateSecretKey(.aes256)
            _ = try token.encrypt(plaintext, with: key, cipher: Challenge.cipher)
            _ = try token.wrap(key, to: self.agentKey, transport: .rsaOAEP(.sha1))
        }
    }
}

@Suite("What archival leaves in memory and on disk")
struct MemoryTests {
    static let coreDumper = "/usr/bin/gcore"
    /// Not every system lets a process be looked at by its child (Yama).
    static let canDumpCore: Bool = {
        let scope = try? String(contentsOfFile: "/proc/sys/kernel/yama/ptrace_scope", encoding: .utf8)
        return access(coreDumper, X_OK) == 0 && (geteuid() == 0 || scope == nil || scope == "0\n")
    }()

    /// A path, and the key that takes it.
    struct Case: CustomTestStringConvertible, Sendable {
        let isRSA: Bool
        let isOnToken: Bool
        /// What SoftHSM 2.6 leaves in the memory of its process by itself.
        var leftBySoftHSM: Set<String> = []

        var testDescription: String {
            "\(self.isRSA ? "RSA" : "P-256") \(self.isOnToken ? "on the token" : "in host memory")"
        }
    }

    static let cases = [
        Case(isRSA: true, isOnToken: true), Case(isRSA: true, isOnToken: false), Case(isRSA: false, isOnToken: true),
        Case(isRSA: false, isOnToken: false),
    ]

    @Test(
        "After archival no private component of the key is in memory that the bare token calls do not leave, nor on disk",
        arguments: cases)
    func memory(_ tested: Case) async throws {
        let isOnToken = tested.isOnToken
        let directory = try TemporaryDirectory()
        let scenario = try await self.prepare(directory, tested)
        let planted = try await self.child(.leak, isOnToken, directory)
        #expect(planted == scenario.probe.names.filter { $0.hasSuffix("big-endian") }, "the probe does not see a leak")
        let control = try await self.child(.tokenCalls, isOnToken, directory)
        #expect(control == tested.leftBySoftHSM, "the token leaves something else than was known of it")
        let archival = try await self.child(.archival, isOnToken, directory)
        #expect(archival.subtracting(control) == [])

        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        let files = names.filter { $0.hasPrefix("database") || $0.hasSuffix(".trace") }
        #expect(Set(files).isSuperset(of: ["database.sqlite", "database.sqlite-wal.copy", "archival.trace"]))
        for file in files { #expect(try scenario.probe.found(inFile: directory.path(file)) == [], "\(file)") }
        let trace = try String(contentsOfFile: directory.path("archival.trace"), encoding: .utf8)
        #expect(trace.contains(isOnToken ? " < C_UnwrapKey " : " < C_Decrypt "))
    }

    @Test(
        "A core of the process has no private component that its memory does not have, and a leak is seen in it",
        .enabled(if: MemoryTests.canDumpCore), arguments: cases)
    func core(_ tested: Case) async throws {
        let isOnToken = tested.isOnToken
        let directory = try TemporaryDirectory()
        let scenario = try await self.prepare(directory, tested)
        for work in [MemoryScenario.Work.leak, .archival] {
            let inMemory = try await self.child(work, isOnToken, directory, dumpsCore: true)
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
            let core = try #require(
                names.first { $0.hasPrefix("\(work.rawValue).") && !$0.contains("trace") && !$0.contains("json") })
            let inCore = try scenario.probe.found(inFile: directory.path(core))
            #expect(inCore.subtracting(inMemory) == [])
            if work == .leak { #expect(inCore == inMemory && !inCore.isEmpty) }
            try FileManager.default.removeItem(atPath: directory.path(core))
        }
    }

    private func prepare(_ directory: TemporaryDirectory, _ tested: Case) async throws -> MemoryScenario {
        let authority = try await TestAuthority(database: directory.path("database.sqlite"))
        var made: MemoryScenario?
        try await TestToken.with(.softHSM) { token in
            let pair = try await token.generate(.exchange, label: "exchange")
            let exchange = try await authority.addExchangeCertificate(pair)
            try await authority.addAgent("Agent", key: TestKey.agents[0].publicKey)
            // The token's files outlive the object that made them.
            try FileManager.default.copyItem(
                atPath: token.software.directory.path, toPath: directory.path("token"))
            made = try self.scenario(token, pair, exchange, tested)
        }
        var scenario = try #require(made)
        let text = "directories.tokendir = \(directory.path("token/tokens"))\nobjectstore.backend = file\n"
        scenario.softHSMConfiguration = try directory.write("softhsm2.conf", Array(text.utf8))
        // The child is told by its environment where the token is, which the copy of the module would not read.
        scenario.modulePath = "/usr/lib/softhsm/libsofthsm2.so"
        try JSONEncoder().encode(scenario).write(to: URL(fileURLWithPath: directory.path("scenario.json")))
        return scenario
    }

    private func scenario(
        _ token: TestToken, _ pair: TokenKeyPair, _ exchange: PKIMessages.CertificateFields, _ tested: Case
    ) throws -> MemoryScenario {
        let privateKey = try tested.isRSA ? TestKey.user.privateKey : SoftwareKeys.generate(.p256)
        let publicKey = try PrivateKeyInfo(derEncoded: privateKey).subjectPublicKeyInfo()
        let inHost = tested.isRSA ? PrivateKeyEncryption.microsoft2003 : .aes256CBC
        return MemoryScenario(
            modulePath: "", softHSMConfiguration: "", label: token.software.label, pin: token.software.userPIN,
            probe: try MemoryProbe(privateKeyInfo: privateKey),
            encryptedKey: try KeyArchivalMessage.sealForExchange(
                privateKey: privateKey, exchangeCertificate: exchange,
                format: tested.isOnToken ? .aesKeyWrapPadded : inHost, transport: .oaep(.sha1),
                random: LibCrypto.randomBytes),
            publicKey: publicKey.derBytes, exchangeKey: pair.locator,
            agentKey: try TestKey.agents[0].publicKey.derBytes,
            challenge: try .init(to: publicKey),
            maskedPrivateKey: privateKey.withUnsafeBytes { $0.map { $0 ^ MemoryProbe.mask } })
    }

    /// Does the work in a process of its own, which never has the key but by that work.
    ///
    /// - Returns: the names of the fragments that are in its memory afterwards.
    private func child(
        _ work: MemoryScenario.Work, _ isOnToken: Bool, _ directory: TemporaryDirectory, dumpsCore: Bool = false
    ) async throws -> Set<String> {
        let (path, name) = (directory.path, work.rawValue)
        await #expect(processExitsWith: .success) {
            [path = path as String, name = name as String, isOnToken = isOnToken as Bool, dumpsCore = dumpsCore as Bool]
            in
            let scenario = try JSONDecoder().decode(
                MemoryScenario.self, from: Data(contentsOf: URL(fileURLWithPath: path + "/scenario.json")))
            let work = try #require(MemoryScenario.Work(rawValue: name))
            let found = try await scenario.run(work, isOnToken: isOnToken, directory: path, dumpsCore: dumpsCore)
            try JSONEncoder().encode(found).write(to: URL(fileURLWithPath: "\(path)/\(name).json"))
        }
        return try JSONDecoder().decode(
            Set<String>.self, from: Data(contentsOf: URL(fileURLWithPath: directory.path("\(name).json"))))
    }
}
