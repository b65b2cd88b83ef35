import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import Testing
import X509

@testable import KeyArchival

@Suite("Key recovery agents")
struct AgentTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let state: KRAState
        let failedCheck: String
        let content: TestAuthority.AgentContent

        init(
            _ description: String, _ state: KRAState, _ failedCheck: String,
            _ change: (inout TestAuthority.AgentContent) -> Void
        ) {
            var content = TestAuthority.AgentContent()
            change(&content)
            self.testDescription = description
            self.state = state
            self.failedCheck = failedCheck
            self.content = content
        }
    }

    static let cases = [
        Case("expired", .expired, "expired at 2026-01-01T11:59:59Z") {
            $0.notAfter = TestAuthority.now.addingTimeInterval(-1)
        },
        Case("not yet valid", .invalid, "not valid before 2026-01-01T12:00:01Z") {
            $0.notBefore = TestAuthority.now.addingTimeInterval(1)
        },
        Case("without the extended key usage", .invalid, "1.3.6.1.4.1.311.21.6") {
            $0.extendedKeyUsages = [OID.caExchange]
        },
        Case("without key encipherment", .invalid, "keyEncipherment") {
            $0.keyUsage = KeyUsage(digitalSignature: true)
        },
    ]

    @Test("An agent that fails a check stops archival, and the error names certificate and check", arguments: cases)
    func refused(_ wrong: Case) async throws {
        let authority = try await TestAuthority()
        try await authority.addAgent("Good Agent", key: TestKey.agents[0].publicKey)
        try await authority.addAgent("Bad Agent", key: TestKey.agents[1].publicKey, wrong.content)
        let selection = try authority.agents()
        try await #expect(selection.statuses().map(\.state) == [.valid, wrong.state])
        let error = await #expect(throws: ArchivalError.self) { try await selection.next() }
        #expect(error?.code == .noValidAgent)
        #expect(error?.hresult == .noValidKRA)
        #expect(error?.facts.count == 1)
        #expect(error?.facts.first?.value.contains("Bad Agent") == true)
        #expect(error?.facts.first?.value.contains(wrong.failedCheck) == true)
    }

    @Test("A revoked agent stops archival")
    func revoked() async throws {
        let authority = try await TestAuthority()
        let agent = try await authority.addAgent("Agent", key: TestKey.agents[0].publicKey)
        let selection = try authority.agents()
        try await #expect(selection.next().map(\.derBytes) == [agent.derBytes])
        try await authority.revoke(agent)
        try await #expect(selection.statuses().map(\.state) == [.revoked])
        await #expect(throws: ArchivalError.of(.noValidAgent)) { try await selection.next() }
    }

    @Test("An agent of another CA, and one that this CA has no record of, are not trusted")
    func untrusted() async throws {
        let authority = try await TestAuthority()
        let other = try await TestAuthority(name: "Other CA")
        let foreign = try await other.addAgent("Agent", key: TestKey.agents[0].publicKey)
        try await authority.configure(foreign)
        try await #expect(authority.agents().statuses().map(\.state) == [.untrusted])

        let twin = try await TestAuthority()
        let forged = try await twin.addAgent("Agent", key: TestKey.agents[0].publicKey)
        let misled = try await TestAuthority()
        try await misled.configure(forged)
        try await #expect(misled.agents().statuses().map(\.state) == [.untrusted])
        let unknown = try KRASelection(
            storage: misled.storage, check: KRACertificateCheck(issuers: [twin.certificate]), count: 1,
            surroundings: misled.surroundings)
        let statuses = try await unknown.statuses()
        #expect(statuses.map(\.state) == [.untrusted])
        #expect(statuses.first?.failedCheck?.contains("no record") == true)
    }

    @Test("A stored agent that is no certificate is not loaded, and stops archival")
    func unreadable() async throws {
        let authority = try await TestAuthority()
        let record = KRARecord(sha1Thumbprint: [1], certificateDER: [0x30], addedWhen: TestAuthority.now)
        try await authority.storage.write { try $0.insert(record) }
        try await #expect(authority.agents().statuses().map(\.state) == [.notLoaded])
        await #expect(throws: ArchivalError.of(.noValidAgent)) { try await authority.agents().next() }
    }

    @Test("Without a current revocation list an agent is not used: its state is 4 with 0x80092013")
    func listOutOfDate() async throws {
        let authority = try await TestAuthority()
        try await authority.addAgent("Agent", key: TestKey.agents[0].publicKey)
        let end = TestAuthority.now.addingTimeInterval(TestAuthority.listPeriod)
        try await #expect(authority.agents(at: end).statuses().map(\.state) == [.valid])
        let later = try authority.agents(at: end.addingTimeInterval(1))
        let failure = try await later.statuses().first?.failure
        #expect(failure?.state == .invalid)
        #expect(failure?.hresult == .revocationOffline)
        await #expect(throws: ArchivalError.of(.noValidAgent)) { try await later.ready() }
        let fresh = CRLRecord(
            number: 2, caKeyIndex: 0, thisUpdate: end, nextUpdate: end.addingTimeInterval(60), crlDER: [])
        try await authority.storage.write { try $0.insert(fresh) }
        try await #expect(later.statuses().map(\.state) == [.valid])
    }

    @Test("A stored certificate that is not the one that was added is not loaded, and one that is gone is not found")
    func corrupted() async throws {
        let authority = try await TestAuthority()
        let agent = try await authority.addAgent("Agent", key: TestKey.agents[0].publicKey)
        let records = [
            KRARecord(sha1Thumbprint: [2], certificateDER: agent.derBytes, addedWhen: TestAuthority.now),
            KRARecord(sha1Thumbprint: [3], certificateDER: [], addedWhen: TestAuthority.now),
        ]
        try await authority.storage.write { db in for record in records { try db.insert(record) } }
        let failures = try await authority.agents().statuses().map(\.failure)
        #expect(failures.map { $0?.state } == [nil, .notLoaded, .notFound])
        #expect(failures.map { $0?.hresult } == [nil, .invalidData, .notFound])
    }

    private struct Trust: SignerTrust {
        let trusted: SignerTrustMaterial
        func material() -> SignerTrustMaterial { self.trusted }
    }

    @Test(
        "An agent of an authority that the operator trusts serves, while that authority's list is current and lacks it")
    func trustedAuthority() async throws {
        let authority = try await TestAuthority()
        let other = try await TestAuthority(name: "Other CA")
        let agent = try await other.addAgent("Agent", key: TestKey.agents[0].publicKey)
        try await authority.configure(agent)
        func states(_ lists: [CertificateListFields], at date: Date = TestAuthority.now) async throws -> [KRAState] {
            let trust = Trust(trusted: .init(certificates: [other.certificate], certificateLists: lists))
            return try await authority.agents(foreign: trust, at: date).statuses().map(\.state)
        }
        let list = try other.revocationList()
        try await #expect(states([list]) == [.valid])
        try await #expect(states([]) == [.invalid])
        let late = TestAuthority.now.addingTimeInterval(TestAuthority.listPeriod + 1)
        try await #expect(states([list], at: late) == [.invalid])
        try await #expect(states([other.revocationList(of: [agent.serialNumber])]) == [.revoked])
        let stranger = Trust(
            trusted: .init(certificates: [authority.certificate], certificateLists: [try authority.revocationList()]))
        let statuses = try await authority.agents(foreign: stranger).statuses()
        #expect(statuses.map(\.state) == [.untrusted])
    }

    @Test("An agent that was removed gets no more keys, keeps its certificate, and can be added again")
    func removed() async throws {
        let authority = try await TestAuthority()
        let agents = [
            try await authority.addAgent("Agent 0", key: TestKey.agents[0].publicKey),
            try await authority.addAgent("Agent 1", key: TestKey.agents[1].publicKey),
        ]
        let gone = agents[0].sha1Thumbprint
        try await authority.storage.write {
            try $0.removeKeyRecoveryAgent(sha1Thumbprint: gone, at: TestAuthority.now)
        }
        for _ in 1...3 { try await #expect(authority.agents().next().map(\.derBytes) == [agents[1].derBytes]) }
        let kept = try await authority.storage.read { try $0.keyRecoveryAgent(sha1Thumbprint: gone) }
        #expect(kept?.certificateDER == agents[0].derBytes)
        try await authority.configure(agents[0])
        try await #expect(authority.agents().statuses().count == 2)
    }

    @Test("Without agents, or with a count of zero, archival is not configured")
    func notConfigured() async throws {
        let authority = try await TestAuthority()
        let error = await #expect(throws: ArchivalError.self) { try await authority.agents().next() }
        #expect(error?.code == .notConfigured)
        #expect(error?.hresult == .keyArchivalNotConfigured)
        try await authority.addAgent("Agent", key: TestKey.agents[0].publicKey)
        await #expect(throws: ArchivalError.of(.notConfigured)) { try await authority.agents(count: 0).next() }
        await #expect(throws: ArchivalError.of(.noValidAgent)) { try await authority.agents(count: 2).next() }
    }

    @Test("Agents take turns, as many at a time as each key needs, from a random one on")
    func turns() async throws {
        let authority = try await TestAuthority()
        for number in 0..<3 { try await authority.addAgent("Agent \(number)", key: TestKey.agents[number].publicKey) }
        let surroundings = Surroundings(
            now: { TestAuthority.now }, randomBytes: { [UInt8](repeating: 0, count: $0 - 1) + [5] })
        let selection = try KRASelection(
            storage: authority.storage, check: KRACertificateCheck(issuers: [authority.certificate]), count: 2,
            surroundings: surroundings)
        var names: [[String?]] = []
        for _ in 1...3 {
            names.append(try await selection.next().map { DistinguishedNameText.commonName(of: $0.subject) })
        }
        #expect(names == [["Agent 2", "Agent 0"], ["Agent 1", "Agent 2"], ["Agent 0", "Agent 1"]])
    }
}

extension ArchivalError {
    /// Equality is on the code only, so one of each is enough to compare with.
    static func of(_ code: Code) -> ArchivalError {
        ArchivalError(code: code, operation: "", reason: "", hresult: .fail, facts: [], advice: [])
    }
}
