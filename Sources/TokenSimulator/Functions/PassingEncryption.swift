internal import CPKCS11

extension CK_FUNCTION_LIST {
    /// Encryption, decryption and wrapping functions that pass through (PKCS #11 v2.40, sections 5.8, 5.9, 5.13).
    mutating func setPassingEncryption() {
        self.C_EncryptInit = {
            simulator.begin(.encryptInit, CKF_ENCRYPT, \.functions.pointee.C_EncryptInit, $0, $1, $2)
        }
        self.C_Encrypt = { simulator.pass(.encrypt, \.functions.pointee.C_Encrypt, $0, $1, $2, $3, $4) }
        self.C_EncryptUpdate = {
            simulator.pass(.encryptUpdate, \.functions.pointee.C_EncryptUpdate, $0, $1, $2, $3, $4)
        }
        self.C_EncryptFinal = { simulator.pass(.encryptFinal, \.functions.pointee.C_EncryptFinal, $0, $1, $2) }
        self.C_DecryptInit = {
            simulator.begin(.decryptInit, CKF_DECRYPT, \.functions.pointee.C_DecryptInit, $0, $1, $2)
        }
        self.C_Decrypt = { simulator.pass(.decrypt, \.functions.pointee.C_Decrypt, $0, $1, $2, $3, $4) }
        self.C_DecryptUpdate = {
            simulator.pass(.decryptUpdate, \.functions.pointee.C_DecryptUpdate, $0, $1, $2, $3, $4)
        }
        self.C_DecryptFinal = { simulator.pass(.decryptFinal, \.functions.pointee.C_DecryptFinal, $0, $1, $2) }
        self.C_WrapKey = { session, mechanism, wrappingKey, key, wrappedKey, wrappedKeyLen in
            simulator.using(.wrapKey, session, mechanism, CKF_WRAP, isSizeQuery: wrappedKey == nil, about: .object(key))
            {
                use, innerMechanism in
                use.withKey(wrappingKey) { wrappingKey in
                    use.withKey(key) { key in
                        use.refusal(ofWrapping: key, mechanism)
                            ?? use.functions.pointee.C_WrapKey?(
                                use.handle, innerMechanism, wrappingKey, key, wrappedKey, wrappedKeyLen)
                    }
                }
            }
        }
    }

    /// Dual-purpose functions that pass through (PKCS #11 v2.40, section 5.12).
    mutating func setPassingDualPurpose() {
        self.C_DigestEncryptUpdate = {
            simulator.pass(.digestEncryptUpdate, \.functions.pointee.C_DigestEncryptUpdate, $0, $1, $2, $3, $4)
        }
        self.C_DecryptDigestUpdate = {
            simulator.pass(.decryptDigestUpdate, \.functions.pointee.C_DecryptDigestUpdate, $0, $1, $2, $3, $4)
        }
        self.C_SignEncryptUpdate = {
            simulator.pass(.signEncryptUpdate, \.functions.pointee.C_SignEncryptUpdate, $0, $1, $2, $3, $4)
        }
        self.C_DecryptVerifyUpdate = {
            simulator.pass(.decryptVerifyUpdate, \.functions.pointee.C_DecryptVerifyUpdate, $0, $1, $2, $3, $4)
        }
    }
}
