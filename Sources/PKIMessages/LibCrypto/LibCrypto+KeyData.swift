import CLibCrypto

extension LibCrypto {
    /// A key of its numbers (provider-keymgmt(7)), past libcrypto's decoder.
    ///
    /// - Parameters:
    ///   - algorithm: libcrypto's name of it.
    ///   - selection: which parts there are, `EVP_PKEY_PUBLIC_KEY` or `EVP_PKEY_KEYPAIR`.
    ///   - parameters: up to the one that ends them. What they point to has to stay until this returns.
    static func key(
        _ algorithm: String, _ selection: Int32, _ parameters: UnsafeMutablePointer<OSSL_PARAM>?, _ what: String
    ) throws -> OpaquePointer {
        let context = try self.require(EVP_PKEY_CTX_new_from_name(nil, algorithm, nil), what)
        defer { EVP_PKEY_CTX_free(context) }
        try self.check(EVP_PKEY_fromdata_init(context), what)
        var key: OpaquePointer?
        try self.check(EVP_PKEY_fromdata(context, &key, selection, parameters), what)
        return try self.require(key, what)
    }
}

extension StaticString {
    /// For a name that libcrypto keeps a pointer to.
    var characters: UnsafePointer<CChar> {
        UnsafeRawPointer(self.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
