import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import PKIMessages
import SecretMemory
import TestSupport
import Testing

@testable import CAService

@Suite("Tokens of a service")
struct TokenTests {
    private func opener(_ directory: TemporaryDirectory) throws -> TokenOpener {
        try TokenOpener(
            directory: directory.path, secrets: SecretInput(environment: [:]) { _ in try SecretBytes(copying: []) },
            profiles: ProfileDirectories(paths: [SimulatorLibrary.profiles]),
            records: .standard(
                instance: directory.path, environment: [TokenRecords.traceVariable: directory.path("trace")]))
    }

    private func configuration(
        _ software: SoftwareToken, _ directory: TemporaryDirectory, token: String, profile: String?
    ) throws -> CAService.TokenConfiguration {
        let pin = try directory.write("pin", Array(software.userPIN.utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: pin)
        return CAService.TokenConfiguration(
            module: software.modulePath, moduleArguments: nil, token: token, profile: profile, pin: .file(pin))
    }

    @Test("After a signature that does not fit its key the key is found again before its next use")
    func distrust() async throws {
        // The first use of the key proves it, the second one signs; with the third its handle names the other key.
        let card = try await SimulatedCard(
            profile: nil, faults: ["{function: C_SignInit, call: 3, key: {label: meant}, effect: another-key}"],
            rule: ["handles: same"])
        let directory = try TemporaryDirectory()
        let opener = try self.opener(directory)
        var configuration = try self.configuration(
            card.token, directory, token: "pkcs11:token=signet%20test", profile: "softhsm2")
        configuration.module = card.modulePath
        configuration.moduleArguments = card.initializationString
        let token = try await opener.open(configuration)
        func searches() throws -> Int {
            String(decoding: try directory.read("trace"), as: UTF8.self).split(separator: "\n")
                .count { $0.contains("< C_FindObjectsInit") }
        }
        let meant = try await token.generateKeyPair(
            KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "meant", certificateBytes: 0))
        _ = try await token.generateKeyPair(
            KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "other", certificateBytes: 0))
        func signingKey() throws -> CASigningKey {
            try CASigningKey(
                token: LazyToken { token }, locator: meant.locator,
                subjectPublicKeyInfo: SubjectPublicKeyInfo(derEncoded: meant.subjectPublicKeyInfo))
        }
        let before = try searches()
        let first = try signingKey()
        _ = try await first.sign([1])
        #expect(try searches() == before)
        let wrong = await #expect(throws: IssuanceError.self) { try await first.sign([1]) }
        #expect(wrong?.code == .wrongSignature)
        #expect(wrong?.facts.first { $0.name == "found" }?.value.contains("under another handle") == true)
        #expect(try searches() > before)
        // The key is stopped for good for who saw it; released, it signs by the handle that was found.
        await #expect(throws: IssuanceError.self) { try await first.sign([1]) }
        let afterwards = try searches()
        _ = try await signingKey().sign([1])
        #expect(try searches() == afterwards)
        await opener.close()
    }

    @Test("A token that hangs when it is initialised is given up, and so is one that hangs when it is looked for")
    func initialization() async throws {
        for (function, limit) in [("C_InitToken", \TokenDeadlines.generate), ("C_GetSlotList", \TokenDeadlines.rescan)]
        {
            let card = try await SimulatedCard(
                profile: nil, faults: ["{function: \(function), every: 1, hang: 20}"])
            let module = try Module(path: card.modulePath, initializationString: card.initializationString)
            var deadlines = TokenDeadlines()
            deadlines[keyPath: limit] = .milliseconds(200)
            let initialization = TokenInitialization(
                module: module, uri: try PKCS11URI("pkcs11:token=new"), deadlines: deadlines)
            let error = await #expect(throws: TokenWaitError.self) {
                try await initialization.run(
                    securityOfficerPIN: SecretBytes(copying: Array("87654321".utf8)),
                    userPIN: SecretBytes(copying: Array("123456".utf8)))
            }
            #expect(error?.code == .hung)
            #expect(error?.token.label == "new")
        }
    }

    @Test("An absent token is said to be absent, and one without a profile to have none, each with its own code")
    func absent() async throws {
        let software = try await SoftwareToken.make(.softHSM)
        let directory = try TemporaryDirectory()
        let opener = try self.opener(directory)
        let absent = try self.configuration(software, directory, token: "pkcs11:token=elsewhere", profile: nil)
        let missing = await #expect(throws: ServiceError.self) { try await opener.open(absent) }
        #expect(missing?.code == .tokenNotPresent)
        #expect(missing?.hresult == .noSmartCard)
        #expect(missing?.headline.contains("profile") == false)
        #expect(missing?.facts.contains { $0.value.contains("signet test") } == true)
        let empty = try TokenOpener(
            directory: directory.path, secrets: SecretInput(environment: [:]) { _ in try SecretBytes(copying: []) },
            profiles: ProfileDirectories(paths: [directory.path]),
            records: .standard(instance: directory.path, environment: [:]))
        let present = try self.configuration(
            software, directory, token: "pkcs11:token=signet%20test", profile: nil)
        let unknown = await #expect(throws: ServiceError.self) { try await empty.open(present) }
        #expect(unknown?.code == .noProfile)
        #expect(unknown?.hresult == .cardUnsupported)
        #expect(unknown?.headline.contains("signet test") == true)
        await opener.close()
        await empty.close()
    }
}
