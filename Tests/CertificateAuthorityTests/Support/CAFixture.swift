import CertificateAuthority
import Foundation
import KeyProvider
import PKIMessages
import SQLiteStorage
import TestSupport
import X509

/// A root CA with a real database in memory, a test key, a fixed clock and seeded randomness.
struct CAFixture: Sendable {
    static let alice = Principal(name: "EXAMPLE\\alice", roles: [.enrollee])
    static let bob = Principal(name: "EXAMPLE\\bob", roles: [.enrollee])
    static let manager = Principal(name: "EXAMPLE\\manager", roles: [.certificateManager])
    static let administrator = Principal(name: "EXAMPLE\\admin", roles: [.administrator])

    let storage: SQLiteStorage
    /// Every step of storage and token goes through it.
    let plan: FaultPlan
    let token: TestSigningToken
    let clock: FixedClock
    let random: SeededRandom
    let certificate: CACertificateRecord
    let authority: CertificationAuthority

    init(
        archiver: (any KeyArchiver)? = nil, templates: [CertificateTemplate] = BuiltInTemplates.all,
        policy: any PolicyModule = EnterprisePolicy(), directory: any RequesterDirectory = NoDirectory(),
        weakKeys: WeakKeyList = WeakKeyList(), signerTrust: (any SignerTrust)? = nil,
        caValidity: TimeInterval = 10 * 365 * 86400,
        clock: FixedClock = FixedClock(),
        configure: @Sendable (inout CAConfiguration) -> Void = { _ in }
    ) async throws {
        let plan = FaultPlan()
        let random = SeededRandom()
        self.plan = plan
        self.clock = clock
        self.random = random
        self.storage = try SQLiteStorage(inMemoryNamed: "test")
        self.token = try TestSigningToken { try plan.step() }
        let surroundings = CAFixture.surroundings(clock, random)
        self.certificate = try await CAInstallation.selfSignedRoot(
            name: DistinguishedNameText.parse("CN=Example CA,O=Example"),
            signingKey: CASigningKey(token: self.token, keyPair: self.token.keyPair), validity: caValidity,
            storage: self.storage, surroundings: surroundings)
        var configuration = CAConfiguration(
            name: "Example CA", crlURLs: ["http://pki.example.test/%3%8.crl"],
            caIssuerURLs: ["http://pki.example.test/%3%4.crt"], userPrincipalNameSuffix: "example.test")
        configure(&configuration)
        self.authority = try CertificationAuthority(
            configuration: configuration,
            signingKeys: [CASigningKey(token: self.token, keyPair: self.token.keyPair)],
            certificates: [self.certificate], storage: FaultyStorage(base: self.storage, plan: plan),
            templates: templates, policy: policy, directory: directory, archiver: archiver,
            signerTrust: signerTrust, weakKeys: weakKeys, surroundings: surroundings)
    }

    static func surroundings(_ clock: FixedClock, _ random: SeededRandom) -> Surroundings {
        Surroundings(
            now: { Date(timeIntervalSince1970: TimeInterval(clock.now)) }, randomBytes: { random.bytes($0) })
    }

    /// The authority as a new process would have it: same database, same key, nothing in memory.
    func restarted(
        templates: [CertificateTemplate] = BuiltInTemplates.all, archiver: (any KeyArchiver)? = nil
    ) throws -> CertificationAuthority {
        try CertificationAuthority(
            configuration: self.authority.configuration,
            signingKeys: [CASigningKey(token: self.token, keyPair: self.token.keyPair)],
            certificates: [self.certificate], storage: self.storage, templates: templates, archiver: archiver,
            surroundings: CAFixture.surroundings(self.clock, self.random))
    }

    func submit(
        _ request: [UInt8], attributes: String = "", by caller: Principal = CAFixture.alice,
        wantsFullResponse: Bool = false
    ) async throws -> EnrollmentResult {
        try await self.authority.submit(
            EnrollmentSubmission(
                requestBytes: request, attributes: attributes, caller: caller, wantsFullResponse: wantsFullResponse))
    }

    /// Issues a certificate for a web server.
    func issueWebServer(_ requester: Requester? = nil) async throws -> CertificateFields {
        let requester = try requester ?? Requester()
        let result = try await self.submit(
            requester.certificationRequest(dnsNames: ["www.example.test"]),
            attributes: "CertificateTemplate:WebServer")
        return try CertificateFields(derEncoded: result.certificateDER ?? [])
    }

    func row(_ requestID: Int64) async throws -> RequestRecord? {
        try await self.storage.read { try $0.request(requestID) }
    }

    func auditEvents() async throws -> [AuditEvent] {
        try await self.storage.read { try $0.auditEntries(after: 0, limit: 100_000) }.map(\.event)
    }

    /// True when no entry of the audit chain was changed, removed or moved.
    func auditChainVerifies() async throws -> Bool {
        let entries = try await self.storage.read { try $0.auditEntries(after: 0, limit: 100_000) }
        return AuditChain.firstBreak(in: entries, after: nil) == nil
    }

    func openIntents() async throws -> [SigningIntent] {
        try await self.storage.read { try $0.openIntents() }
    }
}
