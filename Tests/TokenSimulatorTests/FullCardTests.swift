import CPKCS11
import TestSupport
import Testing

/// Devices that lose what they should keep, or say yes and write nothing (measured with SoftHSM on a full disk).
@Suite("What a full card loses")
struct FullCardTests {
    /// A card with room for one P-256 pair and nothing else: 3500 bytes are reserved, a pair takes 440.
    func card(_ overrides: [String: String]) async throws -> SimulatedCard {
        try await SimulatedCard(
            profile: "generic-8k-smartcard", overrides: overrides.merging(["capacity.bytes": "3940"]) { $1 })
    }

    func relabel(
        _ module: LoadedModule, _ session: CK_SESSION_HANDLE, _ key: CK_OBJECT_HANDLE, _ label: String
    ) -> CK_RV? {
        let change = AttributeList()
        change.add(CKA_LABEL, text: label)
        return change.withAttributes { module.functions.C_SetAttributeValue?(session, key, $0, $1) }
    }

    @Test("With residue: lost-object a longer label is acknowledged, and the key is gone")
    func lostObject() async throws {
        let card = try await self.card(["capacity.residue": "lost-object", "capacity.full_rv.setattr": "OK"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let pair = module.generate(session, label: "first")
        #expect(pair.result == CKR_OK)
        #expect(self.relabel(module, session, pair.privateKey, "other") == CKR_OK)
        #expect(try module.label(session, pair.privateKey).get() == "other")
        #expect(self.relabel(module, session, pair.privateKey, "longer") == CKR_OK)
        #expect(module.sign(session, pair.privateKey) != CKR_OK)
        #expect(try module.find(session, CKO_PRIVATE_KEY).isEmpty)
        #expect(try card.ledger().contains("1 public-key p256"))
        #expect(try !card.ledger().contains("private-key"))
    }

    @Test("Without it the longer label is refused, or acknowledged and forgotten, and the key stays")
    func keptObject() async throws {
        for (code, expected) in [("OK", CKR_OK), ("DEVICE_MEMORY", CKR_DEVICE_MEMORY)] {
            let card = try await self.card(["capacity.full_rv.setattr": code])
            let module = try LoadedModule(card)
            let session = try module.loggedIn()
            let key = module.generate(session, label: "first").privateKey
            #expect(self.relabel(module, session, key, "longer") == expected)
            #expect(try module.label(session, key).get() == "first")
            #expect(module.sign(session, key) == CKR_OK)
        }
    }

    @Test("A card whose answer is CKR_OK gives handles of what it has not written")
    func acknowledged() async throws {
        let card = try await self.card(["capacity.full_rv.create": "OK", "capacity.full_rv.keygen": "OK"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        #expect(module.generate(session, label: "first").result == CKR_OK)
        let pair = module.generate(session, label: "second")
        #expect(pair.result == CKR_OK && pair.privateKey != 0)
        #expect(module.sign(session, pair.privateKey) != CKR_OK)
        let data = module.create(session, label: "d")
        #expect(data.result == CKR_OK && data.object != 0)
        #expect(try module.find(session, CKO_DATA).isEmpty)
        #expect(try module.find(session, CKO_PRIVATE_KEY).count == 1)
    }
}
