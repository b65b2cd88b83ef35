import CLibCrypto
import SecretMemory

extension LibCrypto.PrivateKey {
    /// A key on a curve that can sign, made of its number: libcrypto's decoder leaves a copy of the number in memory that it
    /// has freed.
    ///
    /// - Parameters:
    ///   - curve: libcrypto's name of it.
    ///   - privateKey: big-endian, as long as the order of the curve.
    convenience init(curve: StaticString, privateKey: UnsafeRawBufferPointer) throws {
        let what = "private key on a curve"
        // Parameters have numbers in the machine's byte order, and the keys their names for as long as they are used.
        let (groupName, numberName): (StaticString, StaticString) = ("group", "priv")
        let number = try SecretBytes(capacity: privateKey.count) { buffer in
            for index in buffer.indices { buffer[index] = privateKey[privateKey.count - 1 - index] }
            return privateKey.count
        }
        let context = try LibCrypto.require(EVP_PKEY_CTX_new_from_name(nil, "EC", nil), what)
        defer { EVP_PKEY_CTX_free(context) }
        try LibCrypto.check(EVP_PKEY_fromdata_init(context), what)
        let made = try number.withUnsafeBytes { bytes in
            var parameters = [
                OSSL_PARAM_construct_utf8_string(
                    groupName.characters, UnsafeMutablePointer(mutating: curve.characters), 0),
                OSSL_PARAM_construct_BN(
                    numberName.characters, UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress),
                    bytes.count),
                OSSL_PARAM_construct_end(),
            ]
            var made: OpaquePointer?
            try LibCrypto.check(EVP_PKEY_fromdata(context, &made, Self.keyPair, &parameters), what)
            return try LibCrypto.require(made, what)
        }
        self.init(owning: made)
    }

    /// `EVP_PKEY_KEYPAIR` (openssl/evp.h), a macro of macros.
    private static let keyPair =
        OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS | OSSL_KEYMGMT_SELECT_OTHER_PARAMETERS | OSSL_KEYMGMT_SELECT_PRIVATE_KEY
        | OSSL_KEYMGMT_SELECT_PUBLIC_KEY
}

extension StaticString {
    fileprivate var characters: UnsafePointer<CChar> {
        UnsafeRawPointer(self.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
