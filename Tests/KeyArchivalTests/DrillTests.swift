import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages
import TestSupport
import Testing

@testable import KeyArchival

@Suite("Proving that archived keys can be recovered")
struct DrillTests {
    private static let manager = Principal(name: "EXAMPLE\\manager", roles: [.certificateManager])
    private static let administrator = Principal(name: "EXAMPLE\\admin", roles: [.administrator])

    private func drill(_ site: ArchivingSite, isHostPlaintextAllowed: Bool = true) -> RecoveryDrill {
        RecoveryDrill(
            storage: site.authority.storage, blobs: site.authority.recoveryBlobs,
            authorities: [site.authority.certificate], isHostPlaintextAllowed: isHostPlaintextAllowed,
            surroundings: site.authority.surroundings)
    }

    private func addAgent(_ site: ArchivingSite, _ name: String, _ card: TestToken) async throws {
        let pair = try await card.generate(.keyRecoveryAgent, label: name)
        try await site.authority.addAgent(name, key: SubjectPublicKeyInfo(derEncoded: pair.subjectPublicKeyInfo))
    }

    /// An archived key of the user's, with a certificate for a public key.
    private func archive(
        _ site: ArchivingSite, _ name: String, certifying publicKey: SubjectPublicKeyInfo,
        _ settings: ArchivalSettings = ArchivalSettings(), count: Int = 1
    ) async throws -> Int64 {
        let draft = try await site.authority.archiver(site.token.keys, settings: settings, count: count)
            .archive(site.userRequest(.aesKeyWrapPadded))
        let issued = try await site.authority.issue(name, to: publicKey)
        let record = draft.record(forRequest: issued.requestID, at: TestAuthority.now)
        try await site.authority.storage.write { try $0.insert(record) }
        return issued.requestID
    }

    static let cards: [(SoftwareToken.Kind, Bool)] = [
        (.softHSM, true), (.softHSM, false), (.nss, true), (.nss, false),
    ]

    @Test("A drill proves what its card can open, finds what is damaged, and stores its report", arguments: cards)
    func drill(_ kind: SoftwareToken.Kind, onCard: Bool) async throws {
        try await ArchivingSite.with(kind, agents: 0) { site in
            let overrides = onCard ? [:] : TestToken.withoutKeyWrap
            try await TestToken.with(kind, label: "card", overrides: overrides) { card in
                try await self.addAgent(site, "agent", card)
                let good = try await self.archive(site, "alice", certifying: TestKey.user.publicKey)
                // Bob's certificate is of another key than the archived one.
                let bad = try await self.archive(site, "bob", certifying: TestKey.other.publicKey)
                let report = try await self.drill(site).run(sample: 10, with: [card.keys], by: Self.manager)
                #expect(report.recovered == [good] && report.inHostMemory == (onCard ? [] : [good]))
                #expect(report.failures.map(\.requestID) == [bad])
                #expect(!report.isGood)
                let stored = try await site.authority.storage.read { try $0.recoveryDrills(limit: 10) }
                #expect(stored.count == 1 && stored.first?.isGood == false)
                #expect(stored.first?.reportJSON.contains("\"recovered\":[\(good)]") == true)
                let head = try await site.authority.storage.read { try $0.auditHead() }
                #expect(head?.event.id == .recoveryDrilled && head?.event.details["Failed"] == "1")
                let error = await #expect(throws: RequestError.self) {
                    try await self.drill(site).run(sample: 1, with: [card.keys], by: Self.administrator)
                }
                #expect(error?.hresult == .accessDenied)
            }
        }
    }

    @Test("Where keys must not be in host memory, a card that cannot prove them by itself stops the drill")
    func hostPlaintext() async throws {
        try await ArchivingSite.with(agents: 0) { site in
            try await TestToken.with(.softHSM, label: "card", overrides: TestToken.withoutKeyWrap) { card in
                try await self.addAgent(site, "agent", card)
                _ = try await self.archive(site, "alice", certifying: TestKey.user.publicKey)
                let error = await #expect(throws: ArchivalError.self) {
                    try await self.drill(site, isHostPlaintextAllowed: false).run(
                        sample: 1, with: [card.keys], by: Self.manager)
                }
                #expect(error?.code == .pathNotAvailable)
                #expect(try await site.authority.storage.read { try $0.recoveryDrills(limit: 10) }.isEmpty)
            }
        }
    }

    @Test("Keys that several agents open together are proven with as many cards, and are of others with fewer")
    func threshold() async throws {
        try await ArchivingSite.with(agents: 0) { site in
            try await TestToken.with(.softHSM, label: "first card") { first in
                try await TestToken.with(.softHSM, label: "second card") { second in
                    try await self.addAgent(site, "first", first)
                    try await self.addAgent(site, "second", second)
                    let key = try await self.archive(
                        site, "alice", certifying: TestKey.user.publicKey, ArchivalSettings(threshold: 2), count: 2)
                    let one = try await self.drill(site).run(sample: 1, with: [second.keys], by: Self.manager)
                    #expect(one.ofOtherAgents == [key] && one.failures.isEmpty && !one.isGood)
                    let both = try await self.drill(site).run(
                        sample: 1, with: [second.keys, first.keys], by: Self.manager)
                    #expect(both.recovered == [key] && both.inHostMemory.isEmpty && both.isGood)
                }
            }
        }
    }

    @Test("A sample is drawn from all of the archive: over many drills every key is among them")
    func sample() async throws {
        try await ArchivingSite.with(agents: 0) { site in
            try await TestToken.with(.softHSM, label: "card") { card in
                try await self.addAgent(site, "agent", card)
                var keys: Set<Int64> = []
                for number in 0..<4 {
                    keys.insert(
                        try await self.archive(site, "user \(number)", certifying: TestKey.user.publicKey))
                }
                var seen: Set<Int64> = []
                for _ in 0..<200 where seen != keys {
                    let report = try await self.drill(site).run(sample: 2, with: [card.keys], by: Self.manager)
                    #expect((1...2).contains(report.recovered.count) && keys.isSuperset(of: report.recovered))
                    seen.formUnion(report.recovered)
                }
                #expect(seen == keys)
            }
        }
    }
}
