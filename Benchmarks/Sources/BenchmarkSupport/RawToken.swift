import CRawPKCS11
import Foundation

/// Attributes in memory of their own, for as long as the program runs.
struct RawTemplate: @unchecked Sendable {
    // `@unchecked`: written once, when it is made.
    let attributes: UnsafeMutableBufferPointer<CK_ATTRIBUTE>

    init(_ values: [(CK_ATTRIBUTE_TYPE, [UInt8])]) {
        self.attributes = .allocate(capacity: values.count)
        for (index, value) in values.enumerated() {
            let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: value.1.count)
            _ = memory.initialize(from: value.1)
            self.attributes.initializeElement(
                at: index,
                to: CK_ATTRIBUTE(type: value.0, pValue: memory.baseAddress, ulValueLen: CK_ULONG(value.1.count)))
        }
    }

    static func number(_ value: CK_ULONG) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
    private static let yes: [UInt8] = [1]
    private static let no: [UInt8] = [0]

    static let publicKey = RawTemplate([
        (CKA_TOKEN, no), (CKA_ENCRYPT, yes), (CKA_WRAP, yes), (CKA_VERIFY, yes), (CKA_MODULUS_BITS, number(2048)),
        (CKA_PUBLIC_EXPONENT, [1, 0, 1]),
    ])
    static let madePrivateKey = RawTemplate([
        (CKA_TOKEN, no), (CKA_PRIVATE, yes), (CKA_SENSITIVE, yes), (CKA_EXTRACTABLE, yes), (CKA_DECRYPT, yes),
        (CKA_UNWRAP, yes), (CKA_SIGN, yes),
    ])
    /// The same of a pair that is stored, as a CA's and an agent's are.
    static func stored(_ template: RawTemplate, identifier: UInt8) -> RawTemplate {
        RawTemplate(
            template.attributes.dropFirst().map {
                ($0.type, Array(UnsafeRawBufferPointer(start: $0.pValue, count: Int($0.ulValueLen))))
            } + [(CKA_TOKEN, self.yes), (CKA_ID, [0xBE, identifier]), (CKA_LABEL, Array("bare calls".utf8))])
    }

    static let madeSecretKey = RawTemplate([
        (CKA_TOKEN, no), (CKA_PRIVATE, yes), (CKA_SENSITIVE, yes), (CKA_EXTRACTABLE, yes), (CKA_WRAP, yes),
        (CKA_UNWRAP, yes), (CKA_VALUE_LEN, number(32)),
    ])
    static let secretKey = RawTemplate([
        (CKA_CLASS, number(CKO_SECRET_KEY)), (CKA_KEY_TYPE, number(CKK_AES)), (CKA_TOKEN, no), (CKA_PRIVATE, yes),
        (CKA_SENSITIVE, yes), (CKA_UNWRAP, yes),
    ])
    static let privateKey = RawTemplate([
        (CKA_CLASS, number(CKO_PRIVATE_KEY)), (CKA_KEY_TYPE, number(CKK_RSA)), (CKA_TOKEN, no), (CKA_PRIVATE, yes),
        (CKA_SENSITIVE, yes), (CKA_EXTRACTABLE, yes), (CKA_DECRYPT, yes),
    ])
}

/// A module's functions as the specification has them.
struct RawToken: @unchecked Sendable {
    // `@unchecked`: the function list is constant memory of a module that stays mapped.
    enum Mechanism { case oaep, aesKeyWrapPadded }

    private let list: UnsafeMutablePointer<CK_FUNCTION_LIST>
    private let slot: CK_SLOT_ID
    /// SHA-1 with MGF1 of SHA-1, the only one that SoftHSM takes.
    private let oaep: UnsafeMutablePointer<CK_RSA_PKCS_OAEP_PARAMS>

    init(module: String, label: String) throws {
        self.list = try RawSigner.functions(of: module)
        self.slot = try RawSigner.slot(self.list, label)
        self.oaep = .allocate(capacity: 1)
        self.oaep.initialize(
            to: CK_RSA_PKCS_OAEP_PARAMS(
                hashAlg: CKM_SHA_1, mgf: CK_RSA_PKCS_MGF_TYPE(CKG_MGF1_SHA1), source: CKZ_DATA_SPECIFIED,
                pSourceData: nil, ulSourceDataLen: 0))
    }

    private func check(_ result: CK_RV?) throws {
        guard result == CKR_OK else { throw BenchmarkFailure.callFailed }
    }

    private func mechanism(_ mechanism: Mechanism) -> CK_MECHANISM {
        switch mechanism {
        case .oaep:
            CK_MECHANISM(
                mechanism: CKM_RSA_PKCS_OAEP, pParameter: self.oaep,
                ulParameterLen: CK_ULONG(MemoryLayout<CK_RSA_PKCS_OAEP_PARAMS>.size))
        case .aesKeyWrapPadded: self.plain(CKM_AES_KEY_WRAP_PAD)
        }
    }

    private func plain(_ type: CK_MECHANISM_TYPE) -> CK_MECHANISM {
        CK_MECHANISM(mechanism: type, pParameter: nil, ulParameterLen: 0)
    }

    func openSession() throws -> CK_SESSION_HANDLE {
        var session: CK_SESSION_HANDLE = 0
        let flags = CK_FLAGS(CKF_SERIAL_SESSION) | CK_FLAGS(CKF_RW_SESSION)
        try self.check(self.list.pointee.C_OpenSession?(self.slot, flags, nil, nil, &session))
        return session
    }

    func close(_ session: CK_SESSION_HANDLE) {
        _ = self.list.pointee.C_CloseSession?(session)
    }

    /// - Parameter identifier: of a pair that is to be stored; the others go with their session.
    func generatePair(
        _ session: CK_SESSION_HANDLE, storedAs identifier: UInt8? = nil
    ) throws -> (publicKey: CK_OBJECT_HANDLE, privateKey: CK_OBJECT_HANDLE) {
        var mechanism = self.plain(CKM_RSA_PKCS_KEY_PAIR_GEN)
        var (publicKey, privateKey) = (CK_OBJECT_HANDLE(0), CK_OBJECT_HANDLE(0))
        let templates = [RawTemplate.publicKey, .madePrivateKey].map { template in
            identifier.map { RawTemplate.stored(template, identifier: $0) } ?? template
        }
        let (first, second) = (templates[0].attributes, templates[1].attributes)
        try self.check(
            self.list.pointee.C_GenerateKeyPair?(
                session, &mechanism, first.baseAddress, CK_ULONG(first.count), second.baseAddress,
                CK_ULONG(second.count), &publicKey, &privateKey))
        return (publicKey, privateKey)
    }

    func generateSecretKey(_ session: CK_SESSION_HANDLE) throws -> CK_OBJECT_HANDLE {
        var mechanism = self.plain(CKM_AES_KEY_GEN)
        var key = CK_OBJECT_HANDLE(0)
        let template = RawTemplate.madeSecretKey.attributes
        try self.check(
            self.list.pointee.C_GenerateKey?(
                session, &mechanism, template.baseAddress, CK_ULONG(template.count), &key))
        return key
    }

    func wrap(
        _ session: CK_SESSION_HANDLE, _ mechanism: Mechanism, _ key: CK_OBJECT_HANDLE, with wrapping: CK_OBJECT_HANDLE
    ) throws -> [UInt8] {
        var mechanism = self.mechanism(mechanism)
        var wrapped = [UInt8](repeating: 0, count: 4096)
        var length = CK_ULONG(wrapped.count)
        try self.check(self.list.pointee.C_WrapKey?(session, &mechanism, wrapping, key, &wrapped, &length))
        return Array(wrapped.prefix(Int(length)))
    }

    func unwrap(
        _ session: CK_SESSION_HANDLE, _ mechanism: Mechanism, _ wrapped: [UInt8], with key: CK_OBJECT_HANDLE,
        _ template: RawTemplate
    ) throws -> CK_OBJECT_HANDLE {
        var mechanism = self.mechanism(mechanism)
        var (wrapped, unwrapped) = (wrapped, CK_OBJECT_HANDLE(0))
        let attributes = template.attributes
        try self.check(
            self.list.pointee.C_UnwrapKey?(
                session, &mechanism, key, &wrapped, CK_ULONG(wrapped.count), attributes.baseAddress,
                CK_ULONG(attributes.count), &unwrapped))
        return unwrapped
    }

    func encrypt(_ session: CK_SESSION_HANDLE, _ bytes: [UInt8], with key: CK_OBJECT_HANDLE) throws -> [UInt8] {
        var (mechanism, bytes) = (self.mechanism(.oaep), bytes)
        var result = [UInt8](repeating: 0, count: 512)
        var length = CK_ULONG(result.count)
        try self.check(self.list.pointee.C_EncryptInit?(session, &mechanism, key))
        try self.check(self.list.pointee.C_Encrypt?(session, &bytes, CK_ULONG(bytes.count), &result, &length))
        return Array(result.prefix(Int(length)))
    }

    func decrypt(_ session: CK_SESSION_HANDLE, _ ciphertext: [UInt8], with key: CK_OBJECT_HANDLE) throws {
        var (mechanism, ciphertext) = (self.mechanism(.oaep), ciphertext)
        var result = [UInt8](repeating: 0, count: 512)
        var length = CK_ULONG(result.count)
        try self.check(self.list.pointee.C_DecryptInit?(session, &mechanism, key))
        try self.check(
            self.list.pointee.C_Decrypt?(session, &ciphertext, CK_ULONG(ciphertext.count), &result, &length))
    }

    func sign(_ session: CK_SESSION_HANDLE, with key: CK_OBJECT_HANDLE) throws {
        var mechanism = self.plain(CKM_RSA_PKCS)
        var (input, signature) = ([UInt8](repeating: 0x5A, count: 51), [UInt8](repeating: 0, count: 512))
        var length = CK_ULONG(signature.count)
        try self.check(self.list.pointee.C_SignInit?(session, &mechanism, key))
        try self.check(self.list.pointee.C_Sign?(session, &input, CK_ULONG(input.count), &signature, &length))
    }

    /// What the evidence of an archived key tells of it.
    func readAttributes(_ session: CK_SESSION_HANDLE, of key: CK_OBJECT_HANDLE) throws {
        let types = [
            CKA_PRIVATE, CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_EXTRACTABLE, CKA_NEVER_EXTRACTABLE, CKA_LOCAL,
        ]
        var values = [UInt8](repeating: 0, count: types.count)
        try values.withUnsafeMutableBytes { bytes in
            var template = types.indices.map { index in
                CK_ATTRIBUTE(type: types[index], pValue: bytes.baseAddress.map { $0 + index }, ulValueLen: 1)
            }
            try self.check(
                self.list.pointee.C_GetAttributeValue?(session, key, &template, CK_ULONG(template.count)))
        }
    }

    func destroy(_ session: CK_SESSION_HANDLE, _ object: CK_OBJECT_HANDLE) throws {
        try self.check(self.list.pointee.C_DestroyObject?(session, object))
    }
}
