import CPKCS11
import Foundation
import TestSupport
import Testing

/// The simulator of one card in this process, by its C functions.
final class LoadedModule {
    typealias Handle = CK_OBJECT_HANDLE

    let functions: CK_FUNCTION_LIST
    let card: SimulatedCard

    init(_ card: SimulatedCard) throws {
        self.card = card
        self.functions = try LoadedModule.functions(card.modulePath).pointee
        let result = try LoadedModule.initialize(self.functions, card, reserved: card.initializationString)
        guard result == CKR_OK else { throw CodeError(code: result) }
    }

    deinit {
        _ = self.functions.C_Finalize?(nil)
    }

    struct CodeError: Error {
        let code: CK_RV
    }

    /// The functions of a module, and the module, which stays loaded.
    static func functions(_ path: String) throws -> UnsafeMutablePointer<CK_FUNCTION_LIST> {
        typealias GetFunctionList =
            @convention(c) (
                UnsafeMutablePointer<UnsafeMutablePointer<CK_FUNCTION_LIST>?>?
            ) -> CK_RV
        let handle = try #require(dlopen(path, RTLD_NOW | RTLD_LOCAL))
        let symbol = try #require(dlsym(handle, "C_GetFunctionList"))
        var list: UnsafeMutablePointer<CK_FUNCTION_LIST>?
        #expect(unsafeBitCast(symbol, to: GetFunctionList.self)(&list) == CKR_OK)
        return try #require(list)
    }

    /// Initializes with a text in `pReserved`.
    static func initialize(_ functions: CK_FUNCTION_LIST, _ card: SimulatedCard, reserved: String) throws -> CK_RV {
        reserved.withCString { text in
            var arguments = CK_C_INITIALIZE_ARGS()
            arguments.flags = CKF_OS_LOCKING_OK
            arguments.pReserved = UnsafeMutableRawPointer(mutating: text)
            return functions.C_Initialize?(&arguments) ?? CKR_FUNCTION_NOT_SUPPORTED
        }
    }

    /// `C_GetSlotList`.
    func slots(tokenPresent: Bool = true) throws -> [CK_SLOT_ID] {
        var slots = [CK_SLOT_ID](repeating: 0, count: 16)
        var count: CK_ULONG = 16
        #expect(self.functions.C_GetSlotList?(tokenPresent ? 1 : 0, &slots, &count) == CKR_OK)
        return Array(slots.prefix(Int(count)))
    }

    /// The slot with the card, which is the first.
    func slot() throws -> CK_SLOT_ID { try #require(self.slots().first) }

    func tokenFlags() throws -> CK_FLAGS {
        var info = CK_TOKEN_INFO()
        #expect(self.functions.C_GetTokenInfo?(try self.slot(), &info) == CKR_OK)
        return info.flags
    }

    func open(_ slot: CK_SLOT_ID, _ session: inout CK_SESSION_HANDLE) -> CK_RV? {
        self.functions.C_OpenSession?(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nil, nil, &session)
    }

    func login(_ session: CK_SESSION_HANDLE, pin: String? = nil, as user: CK_USER_TYPE = CKU_USER) -> CK_RV? {
        var pin = Array((pin ?? self.card.token.userPIN).utf8)
        return self.functions.C_Login?(session, user, &pin, CK_ULONG(pin.count))
    }

    /// A session with the user logged in.
    func loggedIn() throws -> CK_SESSION_HANDLE {
        var session = CK_SESSION_HANDLE()
        #expect(self.open(try self.slot(), &session) == CKR_OK)
        #expect(self.login(session) == CKR_OK)
        return session
    }

    /// Objects of a class with a label, all of them if it is `nil`.
    ///
    /// - Parameter more: gets the template.
    func find(
        _ session: CK_SESSION_HANDLE, _ objectClass: UInt, label: String? = nil,
        _ more: (AttributeList) -> Void = { _ in }
    ) throws -> [Handle] {
        let template = AttributeList()
        template.add(CKA_CLASS, number: objectClass)
        if let label { template.add(CKA_LABEL, text: label) }
        more(template)
        let result = template.withAttributes { self.functions.C_FindObjectsInit?(session, $0, $1) }
        guard result == CKR_OK else { throw CodeError(code: result ?? 0) }
        var found = [Handle](repeating: 0, count: 32)
        var count: CK_ULONG = 0
        #expect(self.functions.C_FindObjects?(session, &found, 32, &count) == CKR_OK)
        #expect(self.functions.C_FindObjectsFinal?(session) == CKR_OK)
        return Array(found.prefix(Int(count)))
    }

    /// Begins and makes a signature with ECDSA.
    ///
    /// - Parameters:
    ///   - bytes: of the data.
    ///   - afterBegin: runs between the two.
    func sign(
        _ session: CK_SESSION_HANDLE, _ key: Handle, bytes: Int = 32, afterBegin: () -> Void = {}
    ) -> CK_RV? {
        var mechanism = CK_MECHANISM(mechanism: CKM_ECDSA, pParameter: nil, ulParameterLen: 0)
        let begun = self.functions.C_SignInit?(session, &mechanism, key)
        guard begun == CKR_OK else { return begun }
        afterBegin()
        var data = [UInt8](repeating: 5, count: bytes)
        var signature = [UInt8](repeating: 0, count: 64)
        var length: CK_ULONG = 64
        return self.functions.C_Sign?(session, &data, CK_ULONG(bytes), &signature, &length)
    }

    /// `C_GenerateKeyPair` for P-256.
    ///
    /// - Parameter more: gets the public and the private template. What it adds to the private one stands in the place
    ///   of what is there.
    func generate(
        _ session: CK_SESSION_HANDLE, label: String, _ more: (AttributeList, AttributeList) -> Void = { _, _ in }
    ) -> (result: CK_RV?, publicKey: Handle, privateKey: Handle) {
        let publicTemplate = AttributeList()
        publicTemplate.add(CKA_EC_PARAMS, [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07])
        let privateTemplate = AttributeList()
        for template in [publicTemplate, privateTemplate] {
            template.add(CKA_TOKEN, flag: true)
            template.add(CKA_LABEL, text: label)
            template.add(CKA_ID, Array(label.utf8))
        }
        publicTemplate.add(CKA_VERIFY, flag: true)
        privateTemplate.add(CKA_SIGN, flag: true)
        privateTemplate.add(CKA_PRIVATE, flag: true)
        more(publicTemplate, privateTemplate)
        var mechanism = CK_MECHANISM(mechanism: CKM_EC_KEY_PAIR_GEN, pParameter: nil, ulParameterLen: 0)
        var (publicKey, privateKey) = (Handle(), Handle())
        let result = publicTemplate.withAttributes { publicAttributes, publicCount in
            privateTemplate.withAttributes { privateAttributes, privateCount in
                self.functions.C_GenerateKeyPair?(
                    session, &mechanism, publicAttributes, publicCount, privateAttributes, privateCount, &publicKey,
                    &privateKey)
            }
        }
        return (result, publicKey, privateKey)
    }

    /// `C_GenerateKey` for an AES key in the session that has one use, and what `more` adds.
    func generateAES(
        _ session: CK_SESSION_HANDLE, _ use: UInt, _ more: (AttributeList) -> Void = { _ in }
    ) -> (result: CK_RV?, key: Handle) {
        let template = AttributeList()
        template.add(CKA_VALUE_LEN, number: 32)
        template.add(CKA_EXTRACTABLE, flag: true)
        template.add(CKA_PRIVATE, flag: false)
        template.add(use, flag: true)
        more(template)
        var mechanism = CK_MECHANISM(mechanism: CKM_AES_KEY_GEN, pParameter: nil, ulParameterLen: 0)
        var key = Handle()
        let result = template.withAttributes { self.functions.C_GenerateKey?(session, &mechanism, $0, $1, &key) }
        return (result, key)
    }

    /// `C_WrapKey`.
    func wrap(_ session: CK_SESSION_HANDLE, _ wrapping: Handle, _ key: Handle, _ type: CK_MECHANISM_TYPE) -> CK_RV? {
        var mechanism = CK_MECHANISM(mechanism: type, pParameter: nil, ulParameterLen: 0)
        var wrapped = [UInt8](repeating: 0, count: 4096)
        var length: CK_ULONG = 4096
        return self.functions.C_WrapKey?(session, &mechanism, wrapping, key, &wrapped, &length)
    }

    /// `C_CreateObject` for a data object.
    func create(
        _ session: CK_SESSION_HANDLE, label: String, isOnToken: Bool = true, _ more: (AttributeList) -> Void = { _ in }
    ) -> (result: CK_RV?, object: Handle) {
        let template = AttributeList()
        template.add(CKA_CLASS, number: CKO_DATA)
        template.add(CKA_TOKEN, flag: isOnToken)
        template.add(CKA_LABEL, text: label)
        template.add(CKA_VALUE, [1, 2, 3])
        more(template)
        var object = Handle()
        let result = template.withAttributes { self.functions.C_CreateObject?(session, $0, $1, &object) }
        return (result, object)
    }

    /// `CKA_LABEL` of an object, or the code.
    func label(_ session: CK_SESSION_HANDLE, _ object: Handle) -> Result<String, CodeError> {
        var bytes = [UInt8](repeating: 0, count: 64)
        return bytes.withUnsafeMutableBytes { buffer in
            var attribute = CK_ATTRIBUTE(type: CKA_LABEL, pValue: buffer.baseAddress, ulValueLen: 64)
            let result = self.functions.C_GetAttributeValue?(session, object, &attribute, 1) ?? 0
            guard result == CKR_OK else { return .failure(CodeError(code: result)) }
            return .success(String(decoding: buffer.prefix(Int(attribute.ulValueLen)), as: UTF8.self))
        }
    }
}

/// A template whose values live as long as it.
final class AttributeList {
    private var attributes: [CK_ATTRIBUTE] = []

    deinit {
        for attribute in self.attributes { attribute.pValue?.deallocate() }
    }

    func add(_ type: UInt, _ bytes: [UInt8]) {
        let value = UnsafeMutableRawPointer.allocate(byteCount: max(1, bytes.count), alignment: 8)
        value.copyMemory(from: bytes, byteCount: bytes.count)
        let attribute = CK_ATTRIBUTE(type: type, pValue: value, ulValueLen: UInt(bytes.count))
        if let index = self.attributes.firstIndex(where: { $0.type == type }) {
            self.attributes[index].pValue?.deallocate()
            self.attributes[index] = attribute
        } else {
            self.attributes.append(attribute)
        }
    }

    func add(_ type: UInt, text: String) { self.add(type, Array(text.utf8)) }
    func add(_ type: UInt, flag: Bool) { self.add(type, [flag ? 1 : 0]) }
    func add(_ type: UInt, number: UInt) { self.add(type, withUnsafeBytes(of: number) { Array($0) }) }

    func withAttributes<R>(_ body: (UnsafeMutablePointer<CK_ATTRIBUTE>?, CK_ULONG) -> R) -> R {
        let count = CK_ULONG(self.attributes.count)
        return self.attributes.withUnsafeMutableBufferPointer { body($0.baseAddress, count) }
    }
}
