package import SecretMemory

extension PrivateKeyBlob {
    /// Converts a PKCS #8 key.
    ///
    /// - Parameter privateKeyInfo: DER PrivateKeyInfo.
    /// - Throws: ``PKIMessageError``: `signatureOnlyKey` when the key is not RSA, `malformed` when it is no key or its
    ///   numbers do not belong together, `invalidValue` when it has no form as a blob.
    package init(privateKeyInfo: SecretBytes) throws {
        self = try RSAPrivateKeyDER.withNumbers(of: PrivateKeyInfo(derEncoded: privateKeyInfo)) {
            try PrivateKeyBlob($0)
        }
    }

    /// The same key in PKCS #8, DER.
    package func privateKeyInfoDER() throws -> SecretBytes {
        try self.bytes.withUnsafeBytes { buffer in
            try RSAPrivateKeyDER.privateKeyInfo(Self.numbers(in: buffer, modulusBits: self.modulusBits))
        }
    }

    /// The same key in PKCS #8.
    package func privateKeyInfo() throws -> PrivateKeyInfo {
        try PrivateKeyInfo(derEncoded: self.privateKeyInfoDER(), allowingZeroPadding: false)
    }
}
