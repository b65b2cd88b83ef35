import CPKCS11
import TestSupport
import Testing

@Suite("PINs of a card")
struct PINTests {
    /// The flags of `CK_TOKEN_INFO` that tell of the user's PIN.
    static let mask = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED

    @Test("Wrong PINs are counted over processes, set the flags, and lock the card at the last")
    func locks() async throws {
        let card = try await SimulatedCard(profile: "softhsm2", overrides: ["login.tries": "3"])
        let flags = { try LoadedModule(card).tokenFlags() & PINTests.mask }
        let wrong = {
            try await run(
                ["pkcs11-tool", "--module", card.modulePath, "--login", "--pin", "000000", "-O"],
                environment: card.environment)
        }
        #expect(try flags() == 0)
        #expect(try await wrong().stderr.contains("CKR_PIN_INCORRECT"))
        #expect(try flags() == CKF_USER_PIN_COUNT_LOW)
        #expect(try await wrong().stderr.contains("CKR_PIN_INCORRECT"))
        #expect(try flags() == CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY)
        #expect(try await card.tool("-O").status == 0)
        #expect(try flags() == 0)
        for _ in 0..<3 { _ = try await wrong() }
        #expect(try flags() == CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED)
        #expect(try await card.tool("-O").stderr.contains("CKR_PIN_LOCKED"))
        let module = try LoadedModule(card)
        var session = CK_SESSION_HANDLE()
        #expect(module.open(try module.slot(), &session) == CKR_OK)
        var officer = Array(card.token.securityOfficerPIN.utf8)
        #expect(module.functions.C_Login?(session, CKU_SO, &officer, CK_ULONG(officer.count)) == CKR_OK)
        var pin = Array("654321".utf8)
        #expect(module.functions.C_InitPIN?(session, &pin, 6) == CKR_OK)
        #expect(module.functions.C_Logout?(session) == CKR_OK)
        #expect(module.login(session, pin: "654321") == CKR_OK)
    }

    @Test("A PIN of a length that the card does not have is refused without a try")
    func lengths() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2", overrides: ["login.tries": "3", "login.pin_min": "6", "login.pin_max": "8"])
        let module = try LoadedModule(card)
        var session = CK_SESSION_HANDLE()
        #expect(module.open(try module.slot(), &session) == CKR_OK)
        #expect(module.login(session, pin: "12345") == CKR_PIN_LEN_RANGE)
        #expect(module.login(session, pin: "123456789") == CKR_PIN_LEN_RANGE)
        #expect(try module.tokenFlags() & PINTests.mask == 0)
        #expect(module.login(session) == CKR_OK)
        var (old, new) = (Array("123456".utf8), Array("1234".utf8))
        #expect(module.functions.C_SetPIN?(session, &old, 6, &new, 4) == CKR_PIN_LEN_RANGE)
        var info = CK_TOKEN_INFO()
        #expect(module.functions.C_GetTokenInfo?(try module.slot(), &info) == CKR_OK)
        #expect(info.ulMinPinLen == 6 && info.ulMaxPinLen == 8)
    }
}
