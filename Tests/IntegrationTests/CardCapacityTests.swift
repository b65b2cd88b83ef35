import Foundation
import TestSupport
import Testing

@Suite("Recovery agents on cards that are too small")
struct CardCapacityTests {
    private static let text = "An attempt was made to write more data than would fit in the target object."

    @Test("An RSA-4096 key for an 8 KB card is refused with 0x80100028 before anything is written")
    func refusedBefore() async throws {
        let site = try await Site.issuing()
        let card = try await site.makeCard("card", profile: "generic-8k-smartcard")
        let before = try await site.objects(on: "card")
        let result = try await self.enroll(site, card)
        #expect(result.status == 1)
        #expect(result.stderr.contains("0x80100028 SCARD_E_WRITE_TOO_MANY: \(Self.text)"))
        #expect(result.stderr.contains("token: \"card\"") || result.stderr.contains("\"card\""))
        #expect(!result.stderr.contains("C_GenerateKeyPair returned"))
        #expect(try await site.objects(on: "card") == before)
        try await self.nothingAsked(site)
    }

    @Test("Where the capacity is unknown the same card fails in the middle and is rolled back")
    func rolledBack() async throws {
        let site = try await Site.issuing()
        let card = try await site.makeCard(
            "card", profile: "generic-8k-smartcard",
            overrides: "profile-overrides: {capacity.bytes: unknown, capacity.max_pairs.rsa4096: unknown}")
        let before = try await site.objects(on: "card")
        let result = try await self.enroll(site, card)
        #expect(result.status == 1)
        #expect(result.stderr.contains("0x80100028 SCARD_E_WRITE_TOO_MANY: \(Self.text)"))
        #expect(result.stderr.contains("C_GenerateKeyPair"))
        #expect(result.stderr.contains("CKR_DEVICE_MEMORY (0x31)"))
        #expect(try await site.objects(on: "card") == before)
        try await self.nothingAsked(site)
    }

    @Test("The capacity command says which limits are unknown, and what that means")
    func unknownCapacity() async throws {
        let site = try Site.empty()
        let known = try await site.makeCard("known", profile: "generic-8k-smartcard")
        let answer = try await site.operate("token", "capacity", "--token-file", known).text
        #expect(answer.contains("  2      P-256 key pairs with certificate     bytes"))
        #expect(!answer.contains("unknown:") && !answer.contains("worst case"))
        let vague = try await site.makeCard(
            "vague", profile: "generic-8k-smartcard",
            overrides: "profile-overrides: {capacity.bytes: unknown, capacity.max_objects: unknown}")
        let less = try await site.operate("token", "capacity", "--token-file", vague).text
        #expect(less.contains("P-256 key pairs with certificate"))
        #expect(less.contains("at most 8  P-256"))
        #expect(less.contains("directory file cdf; unknown: bytes, objects"))
        #expect(less.contains("What is unknown is taken as the worst case"))
    }

    private func enroll(_ site: Site, _ card: String) async throws -> ToolResult {
        try await site.signet(
            "kra", "enroll", "--instance", site.path("issuing"), "--token-file", card, "--name", "Agent",
            "--key-algorithm", "rsa-4096")
    }

    private func nothingAsked(_ site: Site) async throws {
        let pending = try await site.operate(
            "request", "list", "--instance", site.path("issuing"), "--disposition", "pending", "--numbers")
        #expect(pending.text.isEmpty)
        try await site.operate("audit", "verify", "--instance", site.path("issuing"))
    }
}
