import CPKCS11
import TestSupport
import Testing

/// What a profile says of the use of keys, beside mechanisms and capacity.
@Suite("Limits on what is done with keys")
struct UseLimitTests {
    @Test("One call takes as many bytes as max_data says, and a refused one has ended its operation")
    func maximumData() async throws {
        let card = try await SimulatedCard(profile: "softhsm2", overrides: ["mechanisms.max_data": "16"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let key = module.generate(session, label: "a").privateKey
        #expect(module.sign(session, key) == CKR_DATA_LEN_RANGE)
        #expect(module.sign(session, key, bytes: 17) == CKR_DATA_LEN_RANGE)
        #expect(module.sign(session, key, bytes: 16) == CKR_OK)
    }

    @Test("A mechanism wraps secret keys, and private keys only if wrap_private has it")
    func wrapPrivate() async throws {
        for (list, expected) in [("[]", CKR_KEY_NOT_WRAPPABLE), ("[AES_KEY_WRAP_KWP]", CKR_OK)] {
            // SoftHSM has RFC 5649 as 0x210A, which its profile says; the name is anybody's.
            let card = try await SimulatedCard(profile: "softhsm2", overrides: ["mechanisms.wrap_private": list])
            let module = try LoadedModule(card)
            let session = try module.loggedIn()
            let wrapping = module.generateAES(session, CKA_WRAP).key
            let secret = module.generateAES(session, CKA_ENCRYPT).key
            let pair = module.generate(session, label: "a") { $1.add(CKA_EXTRACTABLE, flag: true) }
            #expect(pair.result == CKR_OK)
            #expect(module.wrap(session, wrapping, secret, CKM_AES_KEY_WRAP_PAD) == CKR_OK)
            #expect(module.wrap(session, wrapping, pair.privateKey, CKM_AES_KEY_WRAP_PAD) == expected)
        }
    }

    @Test("Only who keygen_role names makes keys", arguments: ["user", "so"])
    func generationRole(_ role: String) async throws {
        let card = try await SimulatedCard(profile: "softhsm2", overrides: ["login.keygen_role": role])
        let module = try LoadedModule(card)
        var session = CK_SESSION_HANDLE()
        #expect(module.open(try module.slot(), &session) == CKR_OK)
        // The security officer of SoftHSM may write what is not private.
        let make = { module.generate(session, label: "a") { $1.add(CKA_PRIVATE, flag: false) }.result }
        #expect(make() == CKR_USER_NOT_LOGGED_IN)
        #expect(module.login(session) == CKR_OK)
        #expect(make() == (role == "user" ? CKR_OK : CKR_USER_NOT_LOGGED_IN))
        #expect(module.functions.C_Logout?(session) == CKR_OK)
        var officer = Array(card.token.securityOfficerPIN.utf8)
        #expect(module.functions.C_Login?(session, CKU_SO, &officer, CK_ULONG(officer.count)) == CKR_OK)
        #expect(make() == (role == "so" ? CKR_OK : CKR_USER_NOT_LOGGED_IN))
        #expect(module.generateAES(session, CKA_WRAP).result == (role == "so" ? CKR_OK : CKR_USER_NOT_LOGGED_IN))
    }

    @Test("With always_auth: per-key a key is made so, and each use wants a login of its own")
    func alwaysAuthenticate() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2", overrides: ["login.always_auth": "per-key", "login.tries": "3"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let key = module.generate(session, label: "a").privateKey
        var isAsking: CK_BBOOL = 0
        let read = withUnsafeMutablePointer(to: &isAsking) { value in
            var attribute = CK_ATTRIBUTE(type: CKA_ALWAYS_AUTHENTICATE, pValue: value, ulValueLen: 1)
            return module.functions.C_GetAttributeValue?(session, key, &attribute, 1)
        }
        #expect(read == CKR_OK && isAsking == 1)
        let signWithLogin = { (pin: String) in
            var login: CK_RV?
            let signed = module.sign(session, key) { login = module.login(session, pin: pin, as: CKU_CONTEXT_SPECIFIC) }
            return [login, signed]
        }
        for _ in 0..<2 {
            #expect(module.sign(session, key) == CKR_USER_NOT_LOGGED_IN)
            #expect(signWithLogin(card.token.userPIN) == [CKR_OK, CKR_OK])
        }
        // A wrong PIN costs a try, and the key is not used.
        #expect(signWithLogin("000000") == [CKR_PIN_INCORRECT, CKR_USER_NOT_LOGGED_IN])
        #expect(try module.tokenFlags() & CKF_USER_PIN_COUNT_LOW != 0)
        // A template may say that it is not to be so.
        let free = module.generate(session, label: "b") { $1.add(CKA_ALWAYS_AUTHENTICATE, flag: false) }
        #expect(module.sign(session, free.privateKey) == CKR_OK)
    }

    @Test(
        "A failed operation is over, or with op_sticky stays active until its session is closed",
        arguments: [false, true])
    func sticky(_ isSticky: Bool) async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2", overrides: ["lifecycle.op_sticky": "\(isSticky)"],
            faults: ["{function: C_Sign, call: 2, returns: DEVICE_ERROR}"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let key = module.generate(session, label: "a").privateKey
        #expect(module.sign(session, key) == CKR_OK)
        #expect(module.sign(session, key) == CKR_DEVICE_ERROR)
        #expect(module.sign(session, key) == (isSticky ? CKR_OPERATION_ACTIVE : CKR_OK))
        var other = CK_SESSION_HANDLE()
        #expect(module.open(try module.slot(), &other) == CKR_OK)
        #expect(module.sign(other, key) == CKR_OK)
    }

    @Test("Keys without the attributes of unwrap_require are not unwrapped, and without secret_keygen none are made")
    func unwrapAndSecretKeys() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2",
            overrides: [
                "template.unwrap_require": "[VALUE_LEN]", "template.unwrap_ec_point": "0xD5A0DB00",
                "mechanisms.secret_keygen": "false",
            ])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        #expect(module.generateAES(session, CKA_WRAP).result == CKR_FUNCTION_NOT_SUPPORTED)
        let key = module.generate(session, label: "a").privateKey
        let template = AttributeList()
        template.add(CKA_CLASS, number: CKO_SECRET_KEY)
        var mechanism = CK_MECHANISM(mechanism: CKM_AES_KEY_WRAP_PAD, pParameter: nil, ulParameterLen: 0)
        var wrapped = [UInt8](repeating: 0, count: 24)
        var unwrapped = CK_OBJECT_HANDLE()
        let unwrap = {
            template.withAttributes {
                module.functions.C_UnwrapKey?(session, &mechanism, key, &wrapped, 24, $0, $1, &unwrapped)
            }
        }
        #expect(unwrap() == CKR_TEMPLATE_INCOMPLETE)
        template.add(CKA_VALUE_LEN, number: 16)
        // Now it is for the module inside to say what it thinks of a private key that unwraps.
        let judged = unwrap()
        #expect(judged != CKR_TEMPLATE_INCOMPLETE && judged != CKR_OK)
        let curve = AttributeList()
        curve.add(CKA_CLASS, number: CKO_PRIVATE_KEY)
        curve.add(CKA_KEY_TYPE, number: CKK_EC)
        curve.add(CKA_VALUE_LEN, number: 32)
        let unwrapCurve = {
            curve.withAttributes {
                module.functions.C_UnwrapKey?(session, &mechanism, key, &wrapped, 24, $0, $1, &unwrapped)
            }
        }
        #expect(unwrapCurve() == CKR_TEMPLATE_INCOMPLETE)
        curve.add(0xD5A0_DB00, number: 4)
        let judgedCurve = unwrapCurve()
        #expect(judgedCurve != CKR_TEMPLATE_INCOMPLETE && judgedCurve != CKR_OK)
    }

    @Test("With ecdh: none there is no key agreement: it is missing from the list, and gives CKR_MECHANISM_INVALID")
    func withoutKeyAgreement() async throws {
        let card = try await SimulatedCard(profile: "softhsm2", overrides: ["mechanisms.ecdh": "none"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        var info = CK_MECHANISM_INFO()
        #expect(
            module.functions.C_GetMechanismInfo?(try module.slot(), CKM_ECDH1_DERIVE, &info) == CKR_MECHANISM_INVALID)
        #expect(module.functions.C_GetMechanismInfo?(try module.slot(), CKM_ECDSA, &info) == CKR_OK)
        var mechanism = CK_MECHANISM(mechanism: CKM_ECDH1_DERIVE, pParameter: nil, ulParameterLen: 0)
        var derived = CK_OBJECT_HANDLE()
        let key = module.generate(session, label: "a").privateKey
        #expect(
            module.functions.C_DeriveKey?(session, &mechanism, key, nil, 0, &derived) == CKR_MECHANISM_INVALID)
    }

    @Test("Without read-only sessions a session has to be opened read-write")
    func readOnlySessions() async throws {
        let card = try await SimulatedCard(profile: "softhsm2", overrides: ["sessions.ro": "false"])
        let module = try LoadedModule(card)
        var session = CK_SESSION_HANDLE()
        let open = { (flags: CK_FLAGS) in
            module.functions.C_OpenSession?(try module.slot(), flags, nil, nil, &session)
        }
        #expect(try open(CKF_SERIAL_SESSION) == CKR_ARGUMENTS_BAD)
        #expect(try open(CKF_SERIAL_SESSION | CKF_RW_SESSION) == CKR_OK)
    }

    @Test("Sessions are counted for the module: those on one of its cards leave none for the other")
    func sessionsOfModule() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2", overrides: ["sessions.max": "2", "sessions.scope": "module"])
        let module = try LoadedModule(card)
        var label = Array("signet test".utf8) + [UInt8](repeating: 0x20, count: 21)
        var officer = Array(card.token.securityOfficerPIN.utf8)
        let empty = try #require(module.slots().last)
        #expect(module.functions.C_InitToken?(empty, &officer, CK_ULONG(officer.count), &label) == CKR_OK)
        let slots = try module.slots()
        #expect(slots.count == 3)
        var sessions = [CK_SESSION_HANDLE](repeating: 0, count: 3)
        #expect(module.open(slots[0], &sessions[0]) == CKR_OK)
        #expect(module.open(slots[1], &sessions[1]) == CKR_OK)
        #expect(slots.prefix(2).map { module.open($0, &sessions[2]) } == [CKR_SESSION_COUNT, CKR_SESSION_COUNT])
        #expect(module.functions.C_CloseSession?(sessions[0]) == CKR_OK)
        #expect(module.open(slots[1], &sessions[2]) == CKR_OK)
    }

    @Test("A child process gets nothing where fork is refused, and the parent's sessions where they are shared")
    func fork() async throws {
        for (value, expected) in [("refused", "0x190"), ("shared", "0x0")] {
            let card = try await SimulatedCard(profile: "softhsm2", overrides: ["lifecycle.fork": value])
            let script = """
                import ctypes, os, sys
                module = ctypes.CDLL(sys.argv[1])
                class List(ctypes.Structure):
                    _fields_ = [("version", ctypes.c_ulong), ("functions", ctypes.c_void_p * 68)]
                table = ctypes.POINTER(List)()
                module.C_GetFunctionList(ctypes.byref(table))
                call = lambda number, *arguments: ctypes.CFUNCTYPE(ctypes.c_ulong)(
                    table.contents.functions[number])(*arguments)
                assert call(0, None) == 0
                count = ctypes.c_ulong(0)
                if os.fork() == 0:
                    print(hex(call(4, 1, None, ctypes.byref(count))), flush=True)
                    os._exit(0)
                os.wait()
                assert call(4, 1, None, ctypes.byref(count)) == 0
                """
            let ran = try await run(["python3", "-c", script, card.modulePath], environment: card.environment)
            #expect(ran.status == 0, "\(ran.stderr)")
            #expect(ran.text == "\(expected)\n")
        }
    }
}
