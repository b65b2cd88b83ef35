internal import CPKCS11

extension CK_FUNCTION_LIST {
    /// Encryption, decryption and wrapping functions that pass through (PKCS #11 v2.40, sections 5.8, 5.9, 5.13).
    mutating func setPassingEncryption() {
        self.C_EncryptInit = { session, mechanism, key in
            simulator.begin(.encryptInit, session, mechanism, key, CKF_ENCRYPT) {
                $0.functions.pointee.C_EncryptInit?($0.handle, mechanism, $1)
            }
        }
        self.C_Encrypt = { session, data, dataLen, encryptedData, encryptedDataLen in
            simulator.inSession(.encrypt, session, isSizeQuery: encryptedData == nil, dataLength: dataLen) {
                $0.functions.pointee.C_Encrypt?($0.handle, data, dataLen, encryptedData, encryptedDataLen)
            }
        }
        self.C_EncryptUpdate = { session, part, partLen, encryptedPart, encryptedPartLen in
            simulator.inSession(.encryptUpdate, session, isSizeQuery: encryptedPart == nil, dataLength: partLen) {
                $0.functions.pointee.C_EncryptUpdate?($0.handle, part, partLen, encryptedPart, encryptedPartLen)
            }
        }
        self.C_EncryptFinal = { session, lastEncryptedPart, lastEncryptedPartLen in
            simulator.inSession(.encryptFinal, session, isSizeQuery: lastEncryptedPart == nil) {
                $0.functions.pointee.C_EncryptFinal?($0.handle, lastEncryptedPart, lastEncryptedPartLen)
            }
        }
        self.C_DecryptInit = { session, mechanism, key in
            simulator.begin(.decryptInit, session, mechanism, key, CKF_DECRYPT) {
                $0.functions.pointee.C_DecryptInit?($0.handle, mechanism, $1)
            }
        }
        self.C_Decrypt = { session, encryptedData, encryptedDataLen, data, dataLen in
            simulator.inSession(.decrypt, session, isSizeQuery: data == nil, dataLength: encryptedDataLen) {
                $0.functions.pointee.C_Decrypt?($0.handle, encryptedData, encryptedDataLen, data, dataLen)
            }
        }
        self.C_DecryptUpdate = { session, encryptedPart, encryptedPartLen, part, partLen in
            simulator.inSession(.decryptUpdate, session, isSizeQuery: part == nil, dataLength: encryptedPartLen) {
                $0.functions.pointee.C_DecryptUpdate?($0.handle, encryptedPart, encryptedPartLen, part, partLen)
            }
        }
        self.C_DecryptFinal = { session, lastPart, lastPartLen in
            simulator.inSession(.decryptFinal, session, isSizeQuery: lastPart == nil) {
                $0.functions.pointee.C_DecryptFinal?($0.handle, lastPart, lastPartLen)
            }
        }
        self.C_WrapKey = { session, mechanism, wrappingKey, key, wrappedKey, wrappedKeyLen in
            simulator.using(.wrapKey, session, mechanism, CKF_WRAP, isSizeQuery: wrappedKey == nil, about: .object(key))
            {
                use in
                use.withKey(wrappingKey) { wrappingKey in
                    use.withKey(key) { key in
                        use.refusal(ofWrapping: key, mechanism)
                            ?? use.functions.pointee.C_WrapKey?(
                                use.handle, mechanism, wrappingKey, key, wrappedKey, wrappedKeyLen)
                    }
                }
            }
        }
    }

    /// Dual-purpose functions that pass through (PKCS #11 v2.40, section 5.12).
    mutating func setPassingDualPurpose() {
        self.C_DigestEncryptUpdate = { session, part, partLen, encryptedPart, encryptedPartLen in
            simulator.inSession(.digestEncryptUpdate, session, isSizeQuery: encryptedPart == nil) {
                $0.functions.pointee.C_DigestEncryptUpdate?($0.handle, part, partLen, encryptedPart, encryptedPartLen)
            }
        }
        self.C_DecryptDigestUpdate = { session, encryptedPart, encryptedPartLen, part, partLen in
            simulator.inSession(.decryptDigestUpdate, session, isSizeQuery: part == nil) {
                $0.functions.pointee.C_DecryptDigestUpdate?($0.handle, encryptedPart, encryptedPartLen, part, partLen)
            }
        }
        self.C_SignEncryptUpdate = { session, part, partLen, encryptedPart, encryptedPartLen in
            simulator.inSession(.signEncryptUpdate, session, isSizeQuery: encryptedPart == nil) {
                $0.functions.pointee.C_SignEncryptUpdate?($0.handle, part, partLen, encryptedPart, encryptedPartLen)
            }
        }
        self.C_DecryptVerifyUpdate = { session, encryptedPart, encryptedPartLen, part, partLen in
            simulator.inSession(.decryptVerifyUpdate, session, isSizeQuery: part == nil) {
                $0.functions.pointee.C_DecryptVerifyUpdate?($0.handle, encryptedPart, encryptedPartLen, part, partLen)
            }
        }
    }
}
