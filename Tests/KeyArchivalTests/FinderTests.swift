import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import Testing

@testable import KeyArchival

@Suite("Finding archived keys")
struct FinderTests {
    private func authority(archiving names: [String]) async throws -> TestAuthority {
        let authority = try await TestAuthority()
        for name in names {
            let issued = try await authority.issue(name, to: TestKey.user.publicKey)
            let key = ArchivedKeyRecord(
                requestID: issued.requestID, format: .cmsAES, envelopedDataDER: [], kraHashes: [], evidenceJSON: "{}",
                archivedWhen: TestAuthority.now)
            try await authority.storage.write { try $0.insert(key) }
        }
        return authority
    }

    @Test("A key is found by name, UPN, requester, and by its numbers with and without blanks")
    func terms() async throws {
        let authority = try await self.authority(archiving: ["alice"])
        let certificate = try #require(
            await authority.storage.read { try $0.certificate(forRequest: 1) })
        let terms = [
            "alice", " alice ", "alice@example.test", "EXAMPLE\\alice", "61AA01", "61 aa 01",
            Hexadecimal.lower(certificate.sha1Thumbprint), Hexadecimal.upper(certificate.sha256Thumbprint),
            Hexadecimal.lower(certificate.subjectKeyIdentifier),
        ]
        for term in terms {
            try await #expect(KeyFinder(storage: authority.storage).certificate(matching: term) == certificate)
        }
    }

    @Test("Several keys that fit are an ambiguous name, and the error lists them")
    func ambiguous() async throws {
        let authority = try await self.authority(archiving: ["alice", "alice", "bob"])
        let finder = KeyFinder(storage: authority.storage)
        let error = await #expect(throws: ArchivalError.self) { try await finder.certificate(matching: "alice") }
        #expect(error?.code == .ambiguousName)
        #expect(error?.hresult.rawValue == 0x8002_802C)
        #expect(error?.facts.map { $0.value.prefix(20) } == ["serial number 61AA02", "serial number 61AA01"])
        try await #expect(finder.candidates(matching: "alice").count == 2)
    }

    @Test("A certificate without an archived key is not found")
    func nothing() async throws {
        let authority = try await TestAuthority()
        _ = try await authority.issue("alice", to: TestKey.user.publicKey)
        let error = await #expect(throws: ArchivalError.self) {
            try await KeyFinder(storage: authority.storage).certificate(matching: "alice")
        }
        #expect(error?.code == .nothingFound)
        #expect(error?.hresult == .notFound)
    }
}
