import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import TestSupport
import Testing

@testable import KeyArchival

@Suite("Status codes of key archival")
struct StatusCodeCoverageTests {
    private static let manager = Principal(name: "EXAMPLE\\manager", roles: [.certificateManager])

    private static let proofs = StatusCodeProofs(
        .archival,
        [
            0x8002_802C: {
                let authority = try await archive(of: ["alice", "alice"])
                return await StatusCodeProofs.thrown {
                    _ = try await KeyFinder(storage: authority.storage).certificate(matching: "alice")
                }
            },
            0x8009_2004: {
                // The key was archived to an agent whose certificate nobody has.
                let authority = try await archive(of: ["alice"])
                return await StatusCodeProofs.thrown {
                    _ = try await authority.recoveryBlobs.recoveryBlob(forRequest: 1, by: manager)
                }
            },
            0x8009_400B: {
                let authority = try await TestAuthority()
                var expired = TestAuthority.AgentContent()
                expired.notAfter = TestAuthority.now.addingTimeInterval(-1)
                try await authority.addAgent("Agent", key: TestKey.agents[0].publicKey, expired)
                return await StatusCodeProofs.thrown { _ = try await authority.agents().next() }
            },
            0x800B_0107: {
                var code: HRESULT?
                try await ArchivingSite.with { site in
                    let other = try await TestAuthority(name: "Other CA")
                    let foreign = try await other.issue("bob", to: TestKey.user.publicKey).certificate
                    let exchange = site.exchangeForImport
                    let importer = KeyImporter(
                        storage: site.authority.storage, archiver: try site.authority.archiver(site.token.keys),
                        settings: .init(), surroundings: site.authority.surroundings
                    ) { exchange }
                    code = await StatusCodeProofs.thrown {
                        _ = try await importer.importKey(
                            PKCS12.Entry(
                                privateKey: TestKey.user.privateKey, certificate: foreign.derBytes, friendlyName: nil),
                            by: manager)
                    }
                }
                return code
            },
        ])

    private static func archive(of names: [String]) async throws -> TestAuthority {
        let authority = try await TestAuthority()
        for name in names {
            let issued = try await authority.issue(name, to: TestKey.user.publicKey)
            let key = ArchivedKeyRecord(
                requestID: issued.requestID, format: .cmsAES, envelopedDataDER: [], kraHashes: ["0a 0b"],
                evidenceJSON: "{}", archivedWhen: TestAuthority.now)
            try await authority.storage.write { try $0.insert(key) }
        }
        return authority
    }

    @Test("Each code comes out as it should", arguments: StatusCodeReference.rows(of: .archival))
    func code(_ row: StatusCodeReference) async throws {
        #expect(try await Self.proofs.run(row) == row.code)
    }

    @Test("Every code that this suite is to produce has its proof, and no other has one")
    func complete() {
        #expect(Self.proofs.unmatched == [])
    }
}
