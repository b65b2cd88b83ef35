import CPKCS11
import SimulatorControl
import TestSupport
import Testing

/// How a device of the profile is spoken to, where that is another way than that of the module inside.
@Suite("Habits of a device")
struct DeviceHabitTests {
    @Test("A PIN that is not of pin_format is wrong without a try, and is not set")
    func pinFormat() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2", overrides: ["login.pin_format": "'^[0-9]{6}$'", "login.tries": "3"])
        let module = try LoadedModule(card)
        var session = CK_SESSION_HANDLE()
        #expect(module.open(try module.slot(), &session) == CKR_OK)
        for _ in 0..<4 { #expect(module.login(session, pin: "12345x") == CKR_PIN_INCORRECT) }
        #expect(try module.tokenFlags() & CKF_USER_PIN_COUNT_LOW == 0)
        #expect(module.login(session) == CKR_OK)
        var (old, new) = (Array(card.token.userPIN.utf8), Array("abcdef".utf8))
        #expect(module.functions.C_SetPIN?(session, &old, 6, &new, 6) == CKR_PIN_INVALID)
        new = Array("654321".utf8)
        #expect(module.functions.C_SetPIN?(session, &old, 6, &new, 6) == CKR_OK)
    }

    @Test("A full audit log stops the device with full_rv.log, in all processes, until it is emptied")
    func auditLog() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2", overrides: ["capacity.log_entries": "3", "capacity.full_rv.log": "DEVICE_ERROR"],
            settings: ["control: control"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()  // one entry
        let key = module.generate(session, label: "a").privateKey
        #expect(module.sign(session, key) == CKR_OK)
        #expect(module.sign(session, key) == CKR_DEVICE_ERROR)
        #expect(module.generate(session, label: "b").result == CKR_DEVICE_ERROR)
        // Looking needs no entry.
        #expect(try module.find(session, CKO_PRIVATE_KEY) == [key])
        let other = try await card.tool("-O")
        #expect(other.stderr.contains("C_Login failed: rv = CKR_DEVICE_ERROR"))
        #expect(try card.control.send(.status).first?.hasSuffix(", 3 entries in its log") == true)
        try card.control.send(.emptyLog)
        #expect(module.sign(session, key) == CKR_OK)
    }

    @Test("AES key wrap with padding has the number of the profile, and the other one does not exist")
    func paddedWrapNumber() async throws {
        // SoftHSM has it as 0x210A.
        let card = try await SimulatedCard(profile: "softhsm2", overrides: ["mechanisms.rfc5649": "0x210B"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let slot = try module.slot()
        let (kwp, pad) = (SIGNET_CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD)
        var types = [CK_MECHANISM_TYPE](repeating: 0, count: 256)
        var count: CK_ULONG = 256
        #expect(module.functions.C_GetMechanismList?(slot, &types, &count) == CKR_OK)
        #expect(types.prefix(Int(count)).contains(kwp) && !types.prefix(Int(count)).contains(pad))
        var info = CK_MECHANISM_INFO()
        #expect(module.functions.C_GetMechanismInfo?(slot, kwp, &info) == CKR_OK)
        #expect(info.flags & CKF_WRAP != 0)
        #expect(module.functions.C_GetMechanismInfo?(slot, pad, &info) == CKR_MECHANISM_INVALID)
        let wrapping = module.generateAES(session, CKA_WRAP).key
        let secret = module.generateAES(session, CKA_ENCRYPT).key
        #expect(module.wrap(session, wrapping, secret, kwp) == CKR_OK)
        #expect(module.wrap(session, wrapping, secret, pad) == CKR_MECHANISM_INVALID)
        // The profile's own wrap_private means the same mechanism.
        let pair = module.generate(session, label: "a") { $1.add(CKA_EXTRACTABLE, flag: true) }
        #expect(module.wrap(session, wrapping, pair.privateKey, kwp) == CKR_OK)
    }

    @Test("With gcm_iv: device the card fills twelve zero bytes, and refuses a vector of the program's")
    func deviceVector() async throws {
        let card = try await SimulatedCard(profile: "softhsm2", overrides: ["mechanisms.gcm_iv": "device"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let key = module.generateAES(session, CKA_ENCRYPT) { $0.add(CKA_DECRYPT, flag: true) }.key
        var vector = [UInt8](repeating: 0, count: 12)
        var ciphertext = [UInt8](repeating: 0, count: 32)
        let message = Array("sixteen bytes ok".utf8)
        #expect(module.gcm(session, key, &vector, message, to: &ciphertext) == CKR_OK)
        #expect(vector != [UInt8](repeating: 0, count: 12))
        #expect(module.gcm(session, key, &vector, message, to: &ciphertext) == CKR_MECHANISM_PARAM_INVALID)
        var opened = [UInt8](repeating: 0, count: 32)
        #expect(module.gcm(session, key, &vector, ciphertext, to: &opened, isEncrypting: false) == CKR_OK)
        #expect(opened.prefix(16) == message[...])
    }

    @Test("With ecdsa_sig: der signatures are made and verified as DER, with the longest length told before")
    func signatureEncoding() async throws {
        let card = try await SimulatedCard(profile: "softhsm2", overrides: ["template.ecdsa_sig": "der"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let (_, publicKey, privateKey) = module.generate(session, label: "a")
        var mechanism = CK_MECHANISM(mechanism: CKM_ECDSA, pParameter: nil, ulParameterLen: 0)
        #expect(module.functions.C_SignInit?(session, &mechanism, privateKey) == CKR_OK)
        var data = [UInt8](repeating: 5, count: 32)
        var length: CK_ULONG = 0
        #expect(module.functions.C_Sign?(session, &data, 32, nil, &length) == CKR_OK)
        #expect(length == 72)
        var signature = [UInt8](repeating: 0, count: 72)
        length = 64
        #expect(module.functions.C_Sign?(session, &data, 32, &signature, &length) == CKR_BUFFER_TOO_SMALL)
        #expect(length == 72)
        #expect(module.functions.C_Sign?(session, &data, 32, &signature, &length) == CKR_OK)
        #expect(signature[0] == 0x30 && Int(signature[1]) == Int(length) - 2)
        let verify = { (bytes: [UInt8]) in
            var bytes = bytes
            #expect(module.functions.C_VerifyInit?(session, &mechanism, publicKey) == CKR_OK)
            return module.functions.C_Verify?(session, &data, 32, &bytes, CK_ULONG(bytes.count))
        }
        let made = Array(signature.prefix(Int(length)))
        #expect(verify(made) == CKR_OK)
        #expect(verify(Array(made.dropLast())) == CKR_SIGNATURE_INVALID)
        #expect(verify(made + [0]) == CKR_SIGNATURE_INVALID)
        #expect(verify([UInt8](repeating: 1, count: 64)) == CKR_SIGNATURE_INVALID)
        // openssl is the judge of the encoding.
        try await module.expectVerified(made, of: data, session, publicKey)
    }

    @Test("With ec_point: raw a point has no OCTET STRING around it, in what is read, made and looked for")
    func pointEncoding() async throws {
        let card = try await SimulatedCard(profile: "softhsm2", overrides: ["template.ec_point": "raw"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let publicKey = module.generate(session, label: "a").publicKey
        let point = module.value(session, publicKey, CKA_EC_POINT, room: 65)
        #expect(point.result == CKR_OK && point.length == 65 && point.bytes.first == 4)
        #expect(module.value(session, publicKey, CKA_EC_POINT, room: nil).length == 65)
        let tooSmall = module.value(session, publicKey, CKA_EC_POINT, room: 64)
        #expect(tooSmall.result == CKR_BUFFER_TOO_SMALL && tooSmall.length == SIGNET_CK_UNAVAILABLE_INFORMATION)
        let make = { (value: [UInt8]) in
            let template = AttributeList()
            template.add(CKA_CLASS, number: CKO_PUBLIC_KEY)
            template.add(CKA_KEY_TYPE, number: CKK_EC)
            template.add(CKA_EC_PARAMS, LoadedModule.p256)
            template.add(CKA_EC_POINT, value)
            template.add(CKA_LABEL, text: "copy")
            var object = CK_OBJECT_HANDLE()
            return template.withAttributes { module.functions.C_CreateObject?(session, $0, $1, &object) }
        }
        #expect(make(point.bytes) == CKR_OK)
        #expect(make([4, 65] + point.bytes) == CKR_ATTRIBUTE_VALUE_INVALID)
        let found = try module.find(session, CKO_PUBLIC_KEY) { $0.add(CKA_EC_POINT, point.bytes) }
        #expect(found.count == 2)
    }

    @Test("A fault may take time and code of the profile, and is refused where no profile has them")
    func valuesOfProfile() async throws {
        let faults = ["{function: C_Sign, call: 1, hang: profile, returns: throttled}"]
        let card = try await SimulatedCard(
            profile: "softhsm2",
            overrides: ["lifecycle.hang_s": "1", "lifecycle.throttled_rv": "[FUNCTION_FAILED, DEVICE_ERROR]"],
            faults: faults, settings: ["log: events"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let key = module.generate(session, label: "a").privateKey
        let start = ContinuousClock.now
        #expect(module.sign(session, key) == CKR_FUNCTION_FAILED)
        #expect(ContinuousClock.now - start >= .seconds(1))
        #expect(module.sign(session, key) == CKR_OK)
        #expect(
            try card.events().contains {
                $0.hasSuffix("replay: {function: C_Sign, call: 1, hang: profile, returns: throttled}")
            })

        let without = try await SimulatedCard(profile: "nss-softokn", faults: faults)
        let refused = try await without.tool("-L", login: false)
        #expect(refused.stderr.contains("no profile knows lifecycle.throttled_rv"))
        #expect(refused.stderr.contains("no profile knows lifecycle.hang_s"))
    }

    @Test("Each hundredth use of a key takes the time of p99")
    func percentile() async throws {
        let card = try await SimulatedCard(
            profile: "softhsm2", overrides: ["latency.sign_p256": "0", "latency.p99": "400"], rule: ["latency: true"])
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        let key = module.generate(session, label: "a").privateKey
        let times = (0..<100).map { _ in
            let start = ContinuousClock.now
            #expect(module.sign(session, key) == CKR_OK)
            return ContinuousClock.now - start
        }
        #expect(times[99] >= .milliseconds(400))
    }

    @Test("With visibility: at-init a process sees what was there when it began, and what it made itself")
    func visibility() async throws {
        let card = try await SimulatedCard(profile: "softhsm2", overrides: ["lifecycle.visibility": "at-init"])
        let generate = { (label: String) in
            let made = try await card.tool(
                "--keypairgen", "--key-type", "EC:prime256v1", "--label", label, "--id", "01")
            #expect(made.status == 0, "\(made.stderr)")
        }
        try await generate("before")
        let module = try LoadedModule(card)
        let session = try module.loggedIn()
        try await generate("after")
        _ = module.generate(session, label: "own")
        for objectClass in [CKO_PRIVATE_KEY, CKO_PUBLIC_KEY] {
            let labels = try module.find(session, objectClass).map { try module.label(session, $0).get() }
            #expect(labels.sorted() == ["before", "own"])
        }
        #expect(try module.find(session, CKO_PUBLIC_KEY, label: "after").isEmpty)
        let next = try await card.tool("-O", "--type", "pubkey")
        #expect(["before", "after", "own"].allSatisfy { next.text.contains("label:      \($0)\n") })
    }

    @Test("recover: reopen brings a card back without a look, and rescan only with one")
    func recovery() async throws {
        for (recover, expected) in [("reopen", CKR_SESSION_HANDLE_INVALID), ("rescan", CKR_DEVICE_REMOVED)] {
            let card = try await SimulatedCard(
                profile: "softhsm2", overrides: ["lifecycle.recover": recover],
                faults: ["{function: C_GenerateRandom, call: 1, effect: reinsert}"])
            let module = try LoadedModule(card)
            let session = try module.loggedIn()
            let key = module.generate(session, label: "a").privateKey
            var byte: UInt8 = 0
            _ = module.functions.C_GenerateRandom?(session, &byte, 1)
            #expect(module.sign(session, key) == expected)
            if recover == "rescan" { _ = try module.slots() }
            let other = try module.loggedIn()
            #expect(try module.find(other, CKO_PRIVATE_KEY, label: "a").count == 1)
        }
    }
}

extension LoadedModule {
    /// DER object identifier of P-256.
    static let p256: [UInt8] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]

    /// Encrypts or decrypts with AES-GCM and a tag of 16 bytes.
    fileprivate func gcm(
        _ session: CK_SESSION_HANDLE, _ key: Handle, _ vector: inout [UInt8], _ input: [UInt8],
        to output: inout [UInt8], isEncrypting: Bool = true
    ) -> CK_RV? {
        let place = UnsafeMutablePointer<UInt8>.allocate(capacity: 12)
        defer { place.deallocate() }
        place.initialize(from: vector, count: 12)
        defer { vector = Array(UnsafeBufferPointer(start: place, count: 12)) }
        var parameters = CK_GCM_PARAMS(
            pIv: place, ulIvLen: 12, ulIvBits: 96, pAAD: nil, ulAADLen: 0, ulTagBits: 128)
        var (input, length) = (input, CK_ULONG(output.count))
        return withUnsafeMutablePointer(to: &parameters) { pointer in
            var mechanism = CK_MECHANISM(
                mechanism: CKM_AES_GCM, pParameter: pointer, ulParameterLen: CK_ULONG(MemoryLayout<CK_GCM_PARAMS>.size))
            let begin = isEncrypting ? self.functions.C_EncryptInit : self.functions.C_DecryptInit
            let begun = begin?(session, &mechanism, key)
            guard begun == CKR_OK else { return begun }
            let work = isEncrypting ? self.functions.C_Encrypt : self.functions.C_Decrypt
            return work?(session, &input, CK_ULONG(input.count), &output, &length)
        }
    }

    /// One attribute.
    ///
    /// - Parameter room: `nil` to ask for the length only.
    fileprivate func value(
        _ session: CK_SESSION_HANDLE, _ object: Handle, _ type: CK_ATTRIBUTE_TYPE, room: Int?
    ) -> (result: CK_RV?, length: CK_ULONG, bytes: [UInt8]) {
        var bytes = [UInt8](repeating: 0, count: room ?? 0)
        return bytes.withUnsafeMutableBytes { buffer in
            var attribute = CK_ATTRIBUTE(
                type: type, pValue: room == nil ? nil : buffer.baseAddress, ulValueLen: CK_ULONG(room ?? 0))
            let result = self.functions.C_GetAttributeValue?(session, object, &attribute, 1)
            return (result, attribute.ulValueLen, Array(buffer))
        }
    }

    /// Has openssl verify a signature of a digest.
    fileprivate func expectVerified(
        _ signature: [UInt8], of digest: [UInt8], _ session: CK_SESSION_HANDLE, _ key: Handle
    ) async throws {
        let point = Array(self.value(session, key, CKA_EC_POINT, room: 67).bytes.dropFirst(2))
        let algorithm: [UInt8] = [0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01] + LoadedModule.p256
        let info = [0x30, 0x59] + algorithm + [0x03, 0x42, 0x00] + point
        let files = try TemporaryDirectory()
        let keyFile = try files.write("key", info)
        let ran = try await run([
            "openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", keyFile, "-in",
            try files.write("digest", digest), "-sigfile", try files.write("signature", signature),
        ])
        #expect(ran.text.contains("Signature Verified Successfully"), "\(ran.stderr)")
    }
}
