import CPKCS11
import Foundation
import TestSupport
import Testing

/// Limits that a profile names beside the capacity.
@Suite("Limits of a profile")
struct LimitTests {
    @Test(
        "The session above the maximum gives over_rv, and one that is closed makes room",
        arguments: ["process", "device"])
    func sessions(_ scope: String) async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2",
            overrides: ["sessions.max": "2", "sessions.scope": scope, "sessions.over_rv": "HOST_MEMORY"])
        let module = try LoadedModule(card)
        var sessions = [CK_SESSION_HANDLE](repeating: 0, count: 3)
        let slot = try module.slot()
        #expect((0..<3).map { module.open(slot, &sessions[$0]) } == [CKR_OK, CKR_OK, CKR_HOST_MEMORY])
        let other = try await card.tool("-O", login: false)
        #expect(other.stderr.contains("CKR_HOST_MEMORY") == (scope == "device"))
        #expect(module.functions.C_CloseSession?(sessions[0]) == CKR_OK)
        let third = try await card.tool("-O", login: false)
        #expect(third.status == 0, "\(third.stderr)")
        #expect(module.open(slot, &sessions[2]) == CKR_OK)
        #expect(module.functions.C_CloseAllSessions?(slot) == CKR_OK)
        #expect(try !card.ledger().contains("sessions"))
    }

    @Test("A session that is idle too long is closed and does not count")
    func idle() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2",
            overrides: ["sessions.max": "1", "sessions.idle_s": "4", "lifecycle.stale_session_rv": "SESSION_CLOSED"],
            settings: ["log: events"])
        let module = try LoadedModule(card)
        var (first, second) = (CK_SESSION_HANDLE(), CK_SESSION_HANDLE())
        let slot = try module.slot()
        #expect(module.open(slot, &first) == CKR_OK)
        #expect(module.open(slot, &second) == CKR_SESSION_COUNT)
        try await Task.sleep(for: .milliseconds(4100))
        #expect(module.open(slot, &second) == CKR_OK)
        var info = CK_SESSION_INFO()
        #expect(module.functions.C_GetSessionInfo?(first, &info) == CKR_SESSION_CLOSED)
        #expect(module.functions.C_GetSessionInfo?(second, &info) == CKR_OK)
        #expect(try card.events().contains { $0.contains("was idle and is closed") })
    }

    @Test(
        "A mechanism that is removed is missing from the list, from C_GetMechanismInfo, from C_*Init and key generation"
    )
    func removedMechanism() async throws {
        let card = try await SimulatedCard(
            profile: nil, rule: ["deny: [ECDSA, CKM_EC_KEY_PAIR_GEN, '0x250']"])  // 0x250 is SHA-256
        let list = try await card.tool("-M").text
        #expect(!list.contains("  ECDSA,") && !list.contains("ECDSA-KEY-PAIR-GEN"))
        #expect(list.contains("RSA-PKCS,"))
        _ = try await card.bareTool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "a", "--id", "01")
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        var info = CK_MECHANISM_INFO()
        #expect(module.functions.C_GetMechanismInfo?(try module.slot(), CKM_ECDSA, &info) == CKR_MECHANISM_INVALID)
        #expect(module.functions.C_GetMechanismInfo?(try module.slot(), CKM_RSA_PKCS, &info) == CKR_OK)
        let key = try #require(try module.find(session, CKO_PRIVATE_KEY).first)
        #expect(module.sign(session, key) == CKR_MECHANISM_INVALID)
        #expect(module.generate(session, label: "b").result == CKR_MECHANISM_INVALID)
        var mechanism = CK_MECHANISM(mechanism: CKM_SHA256, pParameter: nil, ulParameterLen: 0)
        #expect(module.functions.C_DigestInit?(session, &mechanism) == CKR_MECHANISM_INVALID)
    }

    @Test("An allow list keeps what it names, with its key sizes and uses")
    func allowList() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2",
            overrides: ["mechanisms.allow": "['RSA:1024-2048', 'EC:384-384', 'SHA256', 'AES_CBC::ENCRYPT']"])
        let list = try await card.tool("-M").text
        #expect(list.contains("RSA-PKCS-KEY-PAIR-GEN, keySize={1024,2048}"))
        #expect(list.contains("SHA256,") && !list.contains("SHA384,") && !list.contains("DES3"))
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        #expect(module.generate(session, label: "p256").result == CKR_CURVE_NOT_SUPPORTED)
        let tooLong = try await card.tool("--keypairgen", "--key-type", "rsa:3072", "--label", "r")
        #expect(tooLong.stderr.contains("CKR_KEY_SIZE_RANGE"))
        var info = CK_MECHANISM_INFO()
        #expect(module.functions.C_GetMechanismInfo?(try module.slot(), CKM_AES_CBC, &info) == CKR_OK)
        #expect(info.flags & CKF_ENCRYPT != 0 && info.flags & CKF_DECRYPT == 0)
    }

    @Test("A card without elliptic curves has no mechanism for them, and one that has raw ECDSA does not hash")
    func ecdsa() async throws {
        let none = try await SimulatedCard(profile: "softhsm2", overrides: ["mechanisms.ecdsa": "none"])
        #expect(try await none.tool("-M").text.contains("ECD") == false)
        let module = try LoadedModule(none)
        #expect(module.generate(try module.loggedIn(), label: "a").result == CKR_MECHANISM_INVALID)
        let raw = try await SimulatedCard(.nss, profile: "nss-softokn", overrides: ["mechanisms.ecdsa": "raw"])
        let list = try await raw.tool("-M").text
        #expect(list.contains("  ECDSA,") && !list.contains("ECDSA-SHA256"))
    }

    @Test("OAEP takes the hashes of the profile and no other")
    func oaep() async throws {
        let card = try await SimulatedCard(profile: "softhsm2", overrides: ["mechanisms.oaep": "[SHA256]"])
        _ = try await card.tool("--keypairgen", "--key-type", "rsa:2048", "--label", "r", "--id", "01")
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let key = try #require(try module.find(session, CKO_PUBLIC_KEY).first)
        var parameters = CK_RSA_PKCS_OAEP_PARAMS()
        parameters.hashAlg = CKM_SHA_1
        parameters.mgf = CK_RSA_PKCS_MGF_TYPE(CKG_MGF1_SHA1)
        parameters.source = CKZ_DATA_SPECIFIED
        let size = CK_ULONG(MemoryLayout<CK_RSA_PKCS_OAEP_PARAMS>.size)
        let result = withUnsafeMutablePointer(to: &parameters) {
            var mechanism = CK_MECHANISM(mechanism: CKM_RSA_PKCS_OAEP, pParameter: $0, ulParameterLen: size)
            return module.functions.C_EncryptInit?(session, &mechanism, key)
        }
        #expect(result == CKR_MECHANISM_PARAM_INVALID)
    }

    @Test("Attributes are required, refused and ignored, and session objects are not taken, as the profile says")
    func templates() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2",
            overrides: [
                "template.require": "['DATA.PRIVATE=FALSE']", "template.refuse": "[APPLICATION]",
                "template.ignore": "[MODIFIABLE]", "template.session_objects": "false",
            ])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let create = { (isOnToken: Bool, more: (AttributeList) -> Void) in
            module.create(session, label: "d", isOnToken: isOnToken, more)
        }
        #expect(create(true) { _ in }.result == CKR_TEMPLATE_INCOMPLETE)
        #expect(create(true) { $0.add(CKA_PRIVATE, flag: true) }.result == CKR_TEMPLATE_INCONSISTENT)
        #expect(create(false) { $0.add(CKA_PRIVATE, flag: false) }.result == CKR_TEMPLATE_INCONSISTENT)
        let refused = create(true) {
            $0.add(CKA_PRIVATE, flag: false)
            $0.add(CKA_APPLICATION, text: "x")
        }
        #expect(refused.result == CKR_ATTRIBUTE_TYPE_INVALID)
        let made = create(true) {
            $0.add(CKA_PRIVATE, flag: false)
            $0.add(CKA_MODIFIABLE, flag: false)
        }
        #expect(made.result == CKR_OK)
        // It is modifiable all the same, since the card forgot that attribute.
        let change = AttributeList()
        change.add(CKA_LABEL, text: "e")
        let changed = change.withAttributes { module.functions.C_SetAttributeValue?(session, made.object, $0, $1) }
        #expect(changed == CKR_OK)
    }

    @Test("Calls take as long as the profile says, if the rule says latency")
    func latency() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2", overrides: ["latency.sign_p256": "40"], rule: ["latency: true"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let key = module.generate(session, label: "a").privateKey
        let start = ContinuousClock.now
        #expect(module.sign(session, key) == CKR_OK)
        #expect(ContinuousClock.now - start >= .milliseconds(40))
    }
}
