import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SQLiteStorage
import TestSupport
import Testing

@Suite("Renewal of a root")
struct RootRenewalTests {
    private let fixture: CAFixture
    private let newKey: TestSigningToken
    private let surroundings: Surroundings

    init() async throws {
        let fixture = try await CAFixture()
        self.fixture = fixture
        self.newKey = try TestSigningToken(label: "new") { try fixture.plan.step() }
        self.surroundings = CAFixture.surroundings(fixture.clock, fixture.random)
    }

    private func renew(
        _ token: TestSigningToken, by who: Principal = CAFixture.administrator
    ) async throws -> CACertificateRecord {
        try await CAInstallation.renewRoot(
            signingKey: CASigningKey(token: token, keyPair: token.keyPair), validity: nil, settings: nil,
            caName: "Example CA", by: who,
            storage: FaultyStorage(base: self.fixture.storage, plan: self.fixture.plan),
            surroundings: self.surroundings)
    }

    @Test("The newest certificate issues, each key keeps its CRL, and the serial number names the key")
    func signers() async throws {
        let same = try await self.renew(self.fixture.token)
        let other = try await self.renew(self.newKey)
        #expect((same.index, same.keyIndex) == (1, 0))
        #expect((other.index, other.keyIndex) == (2, 1))
        let records = try await self.fixture.storage.read { try $0.caCertificates() }
        let authority = try CertificationAuthority(
            configuration: self.fixture.authority.configuration,
            signingKeys: [self.newKey, self.fixture.token].map { try CASigningKey(token: $0, keyPair: $0.keyPair) },
            certificates: records, storage: self.fixture.storage, surroundings: self.surroundings)
        #expect(authority.signers.map(\.certificateIndex) == [1, 2])
        #expect(authority.signers.map(\.keyIndex) == [0, 1])
        #expect(authority.currentSigner.certificate.derBytes == other.certificateDER)
        #expect(authority.chainDER == [other.certificateDER])
        let result = try await authority.submit(
            EnrollmentSubmission(
                requestBytes: Requester().certificationRequest(template: "WebServer"), caller: CAFixture.alice))
        let issued = try CertificateFields(derEncoded: try #require(result.certificateDER))
        #expect(issued.isSigned(by: self.newKey.subjectPublicKeyInfo))
        #expect(Array(issued.serialNumber[8..<10]) == [0, 1])
        let stored = try await self.fixture.storage.read { try $0.certificate(serialNumber: issued.serialHex) }
        #expect(stored?.caKeyIndex == 1)
    }

    @Test("A renewed certificate says what the one before it said, as long, and names it by its hash")
    func carriedOver() async throws {
        let before = self.fixture.authority.caCertificate
        self.fixture.clock.advance(by: 86_400)
        let after = try CertificateFields(derEncoded: await self.renew(self.newKey).certificateDER)
        #expect(after.subjectDER == before.subjectDER)
        #expect(after.notAfter.timeIntervalSince(before.notAfter) == 86_400)
        #expect(after.basicConstraints == before.basicConstraints)
        #expect(after.keyUsage == before.keyUsage)
        let known = ExtensionDecoding(after.extensions)
        #expect(try known.caVersion() == 0x10001)
        #expect(try known.previousCACertificateHash() == before.sha1Thumbprint)
        #expect(after.subjectKeyIdentifier == self.newKey.subjectPublicKeyInfo.keyIdentifier)
    }

    /// The CA as it is opened after renewals.
    private func authority(
        _ configure: (inout CAConfiguration) -> Void = { _ in }
    ) async throws -> CertificationAuthority {
        var configuration = self.fixture.authority.configuration
        configure(&configuration)
        return try CertificationAuthority(
            configuration: configuration,
            signingKeys: [self.newKey, self.fixture.token].map { try CASigningKey(token: $0, keyPair: $0.keyPair) },
            certificates: try await self.fixture.storage.read { try $0.caCertificates() },
            storage: FaultyStorage(base: self.fixture.storage, plan: self.fixture.plan),
            surroundings: self.surroundings)
    }

    private static func link(
        _ authority: CertificationAuthority, by who: Principal = CAFixture.administrator
    ) async throws -> [CACertificateRecord] {
        var made: [CACertificateRecord] = []
        try await authority.issueMissingLinks(by: who) { made.append($0) }
        return made
    }

    @Test("Two keys of a root are linked by two certificates, each as long as both keys have certificates")
    func links() async throws {
        let old = self.fixture.authority.caCertificate
        self.fixture.clock.advance(by: 86_400)
        let new = try CertificateFields(derEncoded: await self.renew(self.newKey).certificateDER)
        let authority = try await self.authority()
        let refused = await #expect(throws: RequestError.self) {
            try await Self.link(authority, by: CAFixture.alice)
        }
        #expect(refused?.hresult == .accessDenied)
        let links = try await Self.link(authority)
        #expect(links.map(\.use) == [.oldWithNew, .newWithOld])
        #expect(links.map(\.linkSuffix) == ["(1-0)", "(0-1)"])
        let (back, forward) = (
            try CertificateFields(derEncoded: links[0].certificateDER),
            try CertificateFields(derEncoded: links[1].certificateDER)
        )
        for (link, subject, signer) in [(back, old, new), (forward, new, old)] {
            #expect(link.isSelfIssued && !link.isSelfSigned)
            #expect(link.isSigned(by: signer.subjectPublicKeyInfo))
            #expect(link.subjectPublicKeyInfo == subject.subjectPublicKeyInfo)
            #expect(link.subjectKeyIdentifier == subject.subjectKeyIdentifier)
            #expect(link.authorityKeyIdentifier == signer.subjectKeyIdentifier)
            #expect(link.keyUsage == subject.keyUsage && link.basicConstraints == subject.basicConstraints)
            #expect(link.notAfter == old.notAfter)
            let version = try ExtensionDecoding(link.extensions).caVersion()
            #expect(try version == ExtensionDecoding(subject.extensions).caVersion())
        }
        #expect(back.notBefore == old.notBefore)
        #expect(forward.notBefore == new.notBefore)
        #expect(try await Self.link(authority).isEmpty)
        #expect(try await authority.missingLinks().isEmpty)
        let rows = try await self.fixture.storage.read { try $0.requests(with: .issued, limit: 10) }
        #expect(rows.map(\.flags) == [.caCrossCertificate, .caCrossCertificate])
        // They are no part of the CA's own path.
        let records = try await self.fixture.storage.read { try $0.caCertificates() }
        #expect(try CACertificateRecord.newestPath(in: records).map(\.certificateDER) == [new.derBytes])
    }

    @Test("A renewal with the same key needs no link, nor does a key whose certificate has expired")
    func noLinks() async throws {
        _ = try await self.renew(self.fixture.token)
        _ = try await self.renew(self.newKey)
        #expect(try await self.authority().missingLinks().map(\.index) == [1, 2])
        _ = try await self.renew(self.newKey)
        #expect(try await self.authority().missingLinks().map(\.index) == [1, 2])
        self.fixture.clock.advance(by: 11 * 365 * 86_400)
        #expect(try await self.authority().missingLinks().isEmpty)
    }

    @Test("After a stop at any step of linking every link is there with its outcome, or is made later")
    func stopsOfLinks() async throws {
        let counted = try await RootRenewalTests()
        _ = try await counted.renew(counted.newKey)
        counted.fixture.plan.arm(stopAt: nil, .before)
        #expect(try await Self.link(counted.authority()).count == 2)
        for step in 1...counted.fixture.plan.steps {
            let stopped = try await RootRenewalTests()
            _ = try await stopped.renew(stopped.newKey)
            let authority = try await stopped.authority()
            stopped.fixture.plan.arm(stopAt: step, .after)
            // `try?`: the machine has stopped, and its last words do not matter.
            _ = try? await Self.link(authority)
            stopped.fixture.plan.arm(stopAt: nil, .before)
            let restarted = try await stopped.authority()
            _ = try await restarted.settleInterruptedWork()
            _ = try await Self.link(restarted)
            let records = try await stopped.fixture.storage.read { try $0.caCertificates() }
            #expect(records.count(where: \.use.isLink) == 2)
            #expect(try await stopped.fixture.openIntents().isEmpty)
            #expect(try await stopped.fixture.auditChainVerifies())
        }
    }

    @Test("Who is no administrator does not renew, and a replaced key is not taken again")
    func refusals() async throws {
        let denied = await #expect(throws: RequestError.self) {
            try await self.renew(self.newKey, by: CAFixture.alice)
        }
        #expect(denied?.hresult == .accessDenied)
        _ = try await self.renew(self.newKey)
        let old = await #expect(throws: IssuanceError.self) { try await self.renew(self.fixture.token) }
        #expect(old?.reason == "the key was replaced by a newer one already")
        #expect(old?.hresult == .invalidCACertificate)
        #expect(self.fixture.token.calls == 1)
    }

    @Test(
        "After a stop at any step there is the certificate with its outcome, or neither",
        arguments: FaultPlan.Moment.allCases)
    func stops(moment: FaultPlan.Moment) async throws {
        let counted = try await RootRenewalTests()
        counted.fixture.plan.arm(stopAt: nil, .before)
        _ = try await counted.renew(counted.newKey)
        for step in 1...counted.fixture.plan.steps {
            let stopped = try await RootRenewalTests()
            stopped.fixture.plan.arm(stopAt: step, moment)
            // `try?`: the machine has stopped, and its last words do not matter.
            _ = try? await stopped.renew(stopped.newKey)
            stopped.fixture.plan.arm(stopAt: nil, .before)
            _ = try await stopped.fixture.restarted().settleInterruptedWork()
            #expect(try await stopped.fixture.openIntents().isEmpty)
            #expect(try await stopped.fixture.auditChainVerifies())
            let (records, rows) = try await stopped.fixture.storage.read {
                (try $0.caCertificates(), try $0.requests(with: nil, limit: 10))
            }
            #expect(!rows.contains { $0.disposition == .active })
            #expect(records.count == rows.filter { $0.disposition == .caCertificate }.count)
            // And again: the indices have no gap.
            let token = records.count == 1 ? stopped.newKey : try TestSigningToken(label: "third")
            #expect(try await stopped.renew(token).index == records.count)
        }
    }
}
