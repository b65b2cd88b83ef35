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
        let made = try number.withUnsafeBytes { bytes in
            var parameters = [
                OSSL_PARAM_construct_utf8_string(
                    groupName.characters, UnsafeMutablePointer(mutating: curve.characters), 0),
                OSSL_PARAM_construct_BN(
                    numberName.characters, UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress),
                    bytes.count),
                OSSL_PARAM_construct_end(),
            ]
            return try LibCrypto.key("EC", signet_EVP_PKEY_KEYPAIR(), &parameters, what)
        }
        self.init(owning: made)
    }
}
