import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import TestSupport
import Testing

@testable import CAService

@Suite("Status codes of instances, tokens and requesters")
struct StatusCodeCoverageTests {
    private static let proofs = StatusCodeProofs(
        .service, files.merging(tokens) { $1 }.merging(requesters) { $1 }.merging(imports) { $1 })

    @Test("Each code comes out as it should", arguments: StatusCodeReference.rows(of: .service))
    func code(_ row: StatusCodeReference) async throws {
        #expect(try await Self.proofs.run(row) == row.code)
    }

    @Test("Every code that this suite is to produce has its proof, and no other has one")
    func complete() {
        #expect(Self.proofs.unmatched == [])
    }

    private static let files: [UInt32: StatusCodeProofs.Proof] = [
        0x8007_0002: {
            let directory = try TemporaryDirectory()
            return await StatusCodeProofs.thrown { _ = try Instance.open(directory.path("none"), secrets: .system) }
        },
        0x8007_001D: {
            let directory = try TemporaryDirectory()
            let file = try directory.write("file", [])
            return await StatusCodeProofs.thrown { try FilePaths.create(file + "/in-a-file", with: [], mode: 0o600) }
        },
        0x8007_010B: {
            let directory = try TemporaryDirectory()
            return await StatusCodeProofs.thrown { _ = try BackupSet(directory.path) }
        },
        0x8009_4006: {
            let directory = try TemporaryDirectory()
            try directory.write("RESTOREINPROGRESS", [])
            return await StatusCodeProofs.thrown { _ = try Instance.open(directory.path, secrets: .system) }
        },
        0x8009_4813: {
            let directory = try TemporaryDirectory()
            let (instance, _) = try AccessTests.bareInstance(in: directory)
            let administrator = Principal(name: "boss", roles: [.administrator])
            return await StatusCodeProofs.thrown {
                try await instance.enableTemplates(["NoSuchThing"], by: administrator)
            }
        },
    ]

    private static let tokens: [UInt32: StatusCodeProofs.Proof] = [
        0x8009_0016: {
            let absent = KeyLocator(
                reference: try KeyReference("pkcs11:token=card;id=%01;type=private"), publicKeySHA256: [1])
            return try await code(of: { _ = try await $0.keyPair(absent) })
        },
        0x8010_000C: { try await code(opening: { $0.token = "pkcs11:token=no-such-card" }) },
        0x8010_0028: { try await code(of: generate, meeting: "{function: C_GenerateKeyPair, returns: DEVICE_MEMORY}") },
        0x8010_0030: {
            try await code(of: { card in
                let stranger = try SoftwareRequesterKey.generate(.p256)
                _ = try await card.removeUncertifiedKey(stranger.subjectPublicKeyInfo)
            })
        },
        0x8010_0069: { try await code(of: generate, meeting: "{function: C_GenerateKeyPair, effect: eject}") },
        0x8010_006B: {
            let directory = try TemporaryDirectory()
            let pin = try directory.write("pin", Array("00000000".utf8))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: pin)
            return try await code(opening: { $0.pin = .file(pin) })
        },
        0x8010_006C: { try await code(opening: { _ in }, meeting: "{function: C_Login, returns: PIN_LOCKED}") },
        0x8010_006E: {
            try await code(of: generate, meeting: "{function: C_GenerateKeyPair, returns: FUNCTION_CANCELED}")
        },
    ]

    private static func generate(_ card: any KeyToken) async throws {
        _ = try await card.generateKeyPair(
            KeyPairSpecification(algorithm: .p256, role: .caSigning, label: "key", certificateBytes: 0))
    }

    /// Opens a card in another way than it should be, or while something happens to it.
    private static func code(
        opening change: (inout TokenConfiguration) -> Void, meeting fault: String? = nil
    ) async throws -> HRESULT? {
        let card = try await SweepCard(label: "card")
        let records = try TemporaryDirectory()
        let opener = try TokenOpener(
            directory: ".", secrets: .system, profiles: .standard(instance: nil, environment: [:]),
            records: .standard(instance: records.path, environment: [:]))
        var configuration = card.configuration
        change(&configuration)
        if let fault { try card.order(fault) }
        let code = await StatusCodeProofs.thrown { _ = try await opener.open(configuration) }
        await opener.close()
        await card.close()
        return code
    }

    /// Works with a card, or while something happens to it.
    private static func code(
        of body: (any KeyToken) async throws -> Void, meeting fault: String? = nil
    ) async throws -> HRESULT? {
        let card = try await SweepCard(label: "card")
        let records = try TemporaryDirectory()
        let opener = try TokenOpener(
            directory: ".", secrets: .system, profiles: .standard(instance: nil, environment: [:]),
            records: .standard(instance: records.path, environment: [:]))
        let token = try await opener.open(card.configuration)
        if let fault { try card.order(fault) }
        let code = await StatusCodeProofs.thrown { try await body(token) }
        await opener.close()
        await card.close()
        return code
    }

    private static let imports: [UInt32: StatusCodeProofs.Proof] = [
        0x8007_1392: { try await code { site, _ in try await site.instance.authorityCertificates()[0].derBytes } },
        0x8009_2009: {
            try await code(answersPending: true) {
                let result = try await $0.submit(.init(requestBytes: $1.request, caller: SweepSite.alice))
                return result.certificateDER ?? []
            }
        },
    ]

    private static func code(
        answersPending: Bool = false, importing: (Authority, SweepSite) async throws -> [UInt8]
    ) async throws -> HRESULT? {
        let site = try await SweepSite()
        let certificate = try await importing(site.authority, site)
        let code = await StatusCodeProofs.thrown {
            _ = try await site.authority.instance.importCertificate(
                .init(certificate: certificate, answersPending: answersPending),
                by: Principal(name: "manager", roles: [.certificateManager]))
        }
        await site.close()
        return code
    }

    private static let requesters: [UInt32: StatusCodeProofs.Proof] = [
        0x8009_5000: {
            let site = try await SweepSite()
            let pair = try #require(try await site.agentToken.keyPairs().first)
            let key = try CASigningKey(token: site.agentToken, keyPair: pair)
            let code = await StatusCodeProofs.thrown {
                _ = try SubscriberRequest(
                    RequestContent(subject: "CN=alice", template: "User"), key: key, archival: site.archival)
            }
            await site.close()
            return code
        },
        0x8009_5002: {
            try await echo { _ in
                try await SweepSite.message("WebServer", form: .cmc, archival: nil)
            } takenFor: {
                $0.archivalRequest
            }
        },
        0x8009_5003: {
            try await echo {
                $0.archivalRequest
            } takenFor: { _ in
                try await SweepSite.message("WebServer", form: .cmc, archival: nil)
            }
        },
        0x8009_5004: {
            try await echo {
                $0.archivalRequest
            } takenFor: {
                try await SweepSite.message("User", archival: $0.archival)
            }
        },
    ]

    /// Takes the CA's answer to one request for that to another.
    private static func echo(
        _ request: (SweepSite) async throws -> [UInt8], takenFor other: (SweepSite) async throws -> [UInt8]
    ) async throws -> HRESULT? {
        let site = try await SweepSite()
        let result = try await site.authority.submit(
            EnrollmentSubmission(
                requestBytes: request(site), caller: SweepSite.alice, wantsFullResponse: true))
        let sent = try await other(site)
        let code = await StatusCodeProofs.thrown { try ArchivalEcho.check(result, of: sent) }
        await site.close()
        return code
    }
}
