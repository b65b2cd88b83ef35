import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import TestSupport
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
            Hexadecimal.lower(certificate.subjectKeyIdentifier), "Users\\alice", "users\\Alice",
            certificate.sha1Thumbprint.map { Hexadecimal.lower([$0]) }.joined(separator: " "),
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

    @Test("The list names the CA, and of each key what tells it from the others")
    func list() async throws {
        let authority = try await self.authority(archiving: ["alice", "alice"])
        let found = try await KeyFinder(storage: authority.storage).candidates(matching: "alice")
        let lines = ArchivedKeyListing(authority: "host\\Issuing CA", keys: found).lines
        #expect(lines.first == "\"host\\Issuing CA\"")
        #expect(lines.count == 1 + 2 * 10)
        let thumbprint = found[0].sha1Thumbprint.map { Hexadecimal.lower([$0]) }.joined(separator: " ")
        #expect(
            Array(lines[1...10]) == [
                "  Serial Number: 61AA02", "  Subject: CN=alice", "  UPN: alice@example.test",
                "  NotBefore: 2026-01-01T11:50:00Z", "  NotAfter: 2027-01-01T12:00:00Z", "  Template: -",
                "  Version: 3",
                "  Requester: EXAMPLE\\alice", "  Cert Hash(sha1): \(thumbprint)", "",
            ])
    }

    @Test("The script is one for a shell, whatever stands in a name")
    func script() async throws {
        let hostile = "a'; touch owned; '\n$(touch owned)`touch owned`/../-"
        let authority = try await self.authority(archiving: ["bob"])
        var records = try await KeyFinder(storage: authority.storage).candidates(matching: "bob")
        records[0].commonName = hostile
        records[0].subject = "CN=" + hostile
        let directory = try TemporaryDirectory()
        // Stands for the program: it prints how it was called.
        let tool = try directory.write("signet", Array("#!/bin/sh\nfor word; do echo \"<$word>\"; done\n".utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: tool)
        let script = ArchivedKeyListing(authority: "host\\CA\n'", keys: records).script(
            .init(instance: "it's here", caCertificates: "chain.pem"))
        let result = try await run(
            ["sh", "-c", "cd '\(directory.path("."))'; " + script],
            environment: ["PATH": directory.path(".") + ":/usr/bin:/bin"])
        #expect(result.status == 0, "\(result.stderr)")
        let blob = "a___touch_owned______touch_owned__touch_owned__.._--61AA01.rec"
        #expect(result.text.contains("<key>\n<get>\n<--instance>\n<it's here>\n<--out>\n<\(blob)>\n<61AA01>\n"))
        #expect(result.text.contains("<--password>\n<generate>\n<--out>"))
        #expect(!FileManager.default.fileExists(atPath: directory.path("owned")))
    }

    @Test("Who can open a key is told to managers, by thumbprint and name; a restricted one is refused with 0x80094009")
    func agents() async throws {
        let authority = try await TestAuthority()
        let agent = try await authority.addAgent("Agent", key: TestKey.agents[0].publicKey)
        let issued = try await authority.issue("alice", to: TestKey.user.publicKey)
        let thumbprint = agent.sha1Thumbprint.map { Hexadecimal.lower([$0]) }.joined(separator: " ")
        let key = ArchivedKeyRecord(
            requestID: issued.requestID, format: .cmsAES, envelopedDataDER: [], kraHashes: [thumbprint, "0a 0b"],
            evidenceJSON: "{}", archivedWhen: TestAuthority.now)
        let whole = try await authority.issue("alice", to: TestKey.user.publicKey)
        var other = key
        (other.requestID, other.kraHashes) = (whole.requestID, [thumbprint])
        let keys = [key, other]
        try await authority.storage.write { db in for key in keys { try db.insert(key) } }
        let finder = KeyFinder(storage: authority.storage)
        let manager = Principal(name: "EXAMPLE\\manager", roles: [.certificateManager])
        let agents = try await finder.agents(ofRequest: issued.requestID, for: manager)
        #expect(
            agents.map(\.description) == [
                "\(thumbprint)  CN=Agent, serial number 61AA01",
                "0a 0b  (its certificate is not in the database)",
            ])
        try await #expect(authority.storage.read { try $0.auditHead() } == nil)
        try await authority.storage.write { db in
            _ = try db.insert(ManagerRestriction(manager: "EXAMPLE\\manager", effect: .allow, group: "others"))
        }
        for attempt in [
            { _ = try await finder.agents(ofRequest: issued.requestID, for: manager) },
            { _ = try await authority.recoveryBlobs.recoveryBlob(forRequest: whole.requestID, by: manager) },
        ] as [() async throws -> Void] {
            let error = await #expect(throws: RequestError.self) { try await attempt() }
            #expect(error?.hresult.rawValue == 0x8009_4009)
        }
        let administrator = Principal(name: "EXAMPLE\\admin", roles: [.administrator])
        let error = await #expect(throws: RequestError.self) {
            try await finder.agents(ofRequest: issued.requestID, for: administrator)
        }
        #expect(error?.hresult == .accessDenied)
    }
}
