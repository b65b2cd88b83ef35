internal import CPKCS11
internal import Diagnostics

/// Encryption and decryption (PKCS #11 v2.40, sections 5.8 and 5.9).
extension Session {
    /// Encrypts in one part (`C_EncryptInit`, `C_Encrypt`). The plaintext is lent, not copied.
    public func encrypt(
        _ plaintext: UnsafeRawBufferPointer, with key: ObjectHandle, _ mechanism: Mechanism
    ) throws(PKCS11Error) -> [UInt8] {
        try self.check("C_EncryptInit", self.functions.C_EncryptInit, mechanism: mechanism.type, object: key) {
            function in
            mechanism.withUnsafeMechanism { function(self.handle, $0, key.rawValue) }
        }
        let input = UnsafeMutableRawPointer(mutating: plaintext.baseAddress)?.assumingMemoryBound(to: CK_BYTE.self)
        // One block of padding, and room for the modulus of any RSA key.
        let capacity = max(2048, plaintext.count + 32)
        return try self.output("C_Encrypt", self.functions.C_Encrypt, mechanism: mechanism.type, capacity: capacity) {
            function, buffer, length in
            function(self.handle, input, CK_ULONG(plaintext.count), buffer, length)
        }
    }

    /// Decrypts in one part into the caller's memory (`C_DecryptInit`, `C_Decrypt`), so that the plaintext is nowhere
    /// else.
    ///
    /// - Parameters:
    ///   - plaintext: at least as long as the ciphertext: devices write whole blocks before they cut.
    ///   - authorize: runs between both calls, for keys that want the PIN at each use.
    /// - Returns: how many bytes were written.
    public func decrypt(
        _ ciphertext: [UInt8], with key: ObjectHandle, _ mechanism: Mechanism,
        into plaintext: UnsafeMutableRawBufferPointer,
        authorize: ((Session) throws(PKCS11Error) -> Void)? = nil
    ) throws(PKCS11Error) -> Int {
        try self.check("C_DecryptInit", self.functions.C_DecryptInit, mechanism: mechanism.type, object: key) {
            function in
            mechanism.withUnsafeMechanism { function(self.handle, $0, key.rawValue) }
        }
        if let authorize { try authorize(self) }
        var input = ciphertext
        var length = CK_ULONG(plaintext.count)
        try self.check("C_Decrypt", self.functions.C_Decrypt, mechanism: mechanism.type) { function in
            function(
                self.handle, &input, CK_ULONG(input.count),
                plaintext.baseAddress?.assumingMemoryBound(to: CK_BYTE.self),
                &length)
        }
        return min(Int(clamping: length), plaintext.count)
    }
}
