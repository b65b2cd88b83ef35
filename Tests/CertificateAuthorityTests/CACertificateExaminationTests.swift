import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import SQLiteStorage
import TestSupport
import Testing

@Suite("A CA without a valid certificate does not start, and says why")
struct CACertificateExaminationTests {
    private let root: CAFixture
    private let records: [CACertificateRecord]
    private let serial: String

    init() async throws {
        let root = try await CAFixture()
        let token = try TestSigningToken(label: "issuing")
        let surroundings = CAFixture.surroundings(root.clock, root.random)
        let storage = try SQLiteStorage(inMemoryNamed: "examined")
        let request = try await CAInstallation.subordinateRequest(
            name: DistinguishedNameText.parse("CN=Issuing CA"),
            signingKey: CASigningKey(token: token, keyPair: token.keyPair), storage: storage,
            surroundings: surroundings)
        let result = try await root.submit(request, by: CAFixture.administrator)
        let own = try await CAInstallation.install(
            certificate: #require(result.certificateDER), chain: [root.certificate.certificateDER], key: token.keyPair,
            storage: storage, surroundings: surroundings)
        self.root = root
        self.serial = try CertificateFields(derEncoded: own.certificateDER).serialHex
        self.records = try await storage.read { try $0.caCertificates() }
    }

    private func failure(
        _ records: [CACertificateRecord]? = nil, lists: [CertificateListFields] = [], after seconds: Int64 = 0
    ) throws -> IssuanceError? {
        let date = Date(timeIntervalSince1970: TimeInterval(self.root.clock.now + seconds))
        do {
            try CACertificateExamination(records ?? self.records).check(revocationLists: lists, at: date)
            return nil
        } catch let error as IssuanceError {
            return error
        }
    }

    private func revocationList() async throws -> CertificateListFields {
        try CertificateListFields(derEncoded: await self.root.authority.publishCRL(by: CAFixture.administrator).crlDER)
    }

    @Test("A sound certificate starts, also when the parent's CRL is at hand and does not name it")
    func sound() async throws {
        #expect(try self.failure() == nil)
        #expect(try await self.failure(lists: [self.revocationList()]) == nil)
    }

    @Test("Expired, and not valid yet: 0x800B0101, with the date")
    func validity() throws {
        let expired = try #require(try self.failure(after: 40 * 365 * 86_400))
        #expect(expired.code == .caCertificateExpired)
        #expect(expired.hresult == .certificateExpired)
        #expect(expired.reason == "the certificate of CN=Issuing CA has expired")
        #expect(expired.advice == ["Check the clock, then renew the certificate: `signet ca renew`."])
        let early = try #require(try self.failure(after: -86_400))
        #expect(early.reason == "the certificate of CN=Issuing CA is not valid yet")
        #expect(early.hresult == .certificateExpired)
    }

    @Test("Revoked by the parent: 0x80092010; a CRL of somebody else says nothing; a hold that was taken away neither")
    func revoked() async throws {
        try await self.root.authority.revoke(
            serialNumber: self.serial, reason: .certificateHold, by: CAFixture.manager)
        let held = try #require(try await self.failure(lists: [self.revocationList()]))
        #expect(held.code == .caCertificateRevoked)
        #expect(held.hresult == .revoked)
        #expect(held.reason == "the certificate of CN=Issuing CA was revoked by its issuer")
        try await self.root.authority.revoke(
            serialNumber: self.serial, reason: .removeFromCRL, by: CAFixture.manager)
        #expect(try await self.failure(lists: [self.revocationList()]) == nil)
        // The same name with another key cannot revoke.
        let other = try await CAFixture()
        try await other.authority.revoke(
            serialNumber: other.issueWebServer().serialHex, reason: .keyCompromise, by: CAFixture.manager)
        let foreign = try CertificateListFields(
            derEncoded: await other.authority.publishCRL(by: CAFixture.administrator).crlDER)
        #expect(try self.failure(lists: [foreign]) == nil)
    }

    @Test("A chain that does not reach a root: 0x800B010A; another key: 0x80094005; no certificate: 0x80094005")
    func chainAndKey() async throws {
        let broken = try #require(try self.failure(self.records.filter { $0.use == .own }))
        #expect(broken.code == .caChainBroken)
        #expect(broken.hresult == .chaining)
        #expect(broken.reason.contains("the certificate of CN=Example CA,O=Example is missing"))
        let stranger = try await CAFixture()
        let forged = CACertificateRecord(
            use: .chain, index: 1, keyIndex: 0, certificateDER: stranger.certificate.certificateDER, locator: nil)
        #expect(try self.failure(self.records.filter { $0.use == .own } + [forged])?.code == .caChainBroken)
        var own = self.records[0]
        own.locator = try TestSigningToken().locator
        #expect(try self.failure([own] + self.records.dropFirst())?.hresult == .invalidCACertificate)
        #expect(try self.failure([])?.hresult == .invalidCACertificate)
    }
}
