internal import CPKCS11

extension CK_FUNCTION_LIST {
    /// Encryption, decryption and wrapping functions that pass through (PKCS #11 v2.40, sections 5.8, 5.9, 5.13).
    mutating func setPassingEncryption() {
        self.C_EncryptInit = { session, mechanism, key in
            simulator.forward(.encryptInit) { $0.pointee.C_EncryptInit?(session, mechanism, key) }
        }
        self.C_Encrypt = { session, data, dataLen, encryptedData, encryptedDataLen in
            simulator.forward(.encrypt, isSizeQuery: encryptedData == nil) {
                $0.pointee.C_Encrypt?(session, data, dataLen, encryptedData, encryptedDataLen)
            }
        }
        self.C_EncryptUpdate = { session, part, partLen, encryptedPart, encryptedPartLen in
            simulator.forward(.encryptUpdate, isSizeQuery: encryptedPart == nil) {
                $0.pointee.C_EncryptUpdate?(session, part, partLen, encryptedPart, encryptedPartLen)
            }
        }
        self.C_EncryptFinal = { session, lastEncryptedPart, lastEncryptedPartLen in
            simulator.forward(.encryptFinal, isSizeQuery: lastEncryptedPart == nil) {
                $0.pointee.C_EncryptFinal?(session, lastEncryptedPart, lastEncryptedPartLen)
            }
        }
        self.C_DecryptInit = { session, mechanism, key in
            simulator.forward(.decryptInit) { $0.pointee.C_DecryptInit?(session, mechanism, key) }
        }
        self.C_Decrypt = { session, encryptedData, encryptedDataLen, data, dataLen in
            simulator.forward(.decrypt, isSizeQuery: data == nil) {
                $0.pointee.C_Decrypt?(session, encryptedData, encryptedDataLen, data, dataLen)
            }
        }
        self.C_DecryptUpdate = { session, encryptedPart, encryptedPartLen, part, partLen in
            simulator.forward(.decryptUpdate, isSizeQuery: part == nil) {
                $0.pointee.C_DecryptUpdate?(session, encryptedPart, encryptedPartLen, part, partLen)
            }
        }
        self.C_DecryptFinal = { session, lastPart, lastPartLen in
            simulator.forward(.decryptFinal, isSizeQuery: lastPart == nil) {
                $0.pointee.C_DecryptFinal?(session, lastPart, lastPartLen)
            }
        }
        self.C_WrapKey = { session, mechanism, wrappingKey, key, wrappedKey, wrappedKeyLen in
            simulator.forward(.wrapKey, isSizeQuery: wrappedKey == nil) {
                $0.pointee.C_WrapKey?(session, mechanism, wrappingKey, key, wrappedKey, wrappedKeyLen)
            }
        }
    }

    /// Dual-purpose functions that pass through (PKCS #11 v2.40, section 5.12).
    mutating func setPassingDualPurpose() {
        self.C_DigestEncryptUpdate = { session, part, partLen, encryptedPart, encryptedPartLen in
            simulator.forward(.digestEncryptUpdate, isSizeQuery: encryptedPart == nil) {
                $0.pointee.C_DigestEncryptUpdate?(session, part, partLen, encryptedPart, encryptedPartLen)
            }
        }
        self.C_DecryptDigestUpdate = { session, encryptedPart, encryptedPartLen, part, partLen in
            simulator.forward(.decryptDigestUpdate, isSizeQuery: part == nil) {
                $0.pointee.C_DecryptDigestUpdate?(session, encryptedPart, encryptedPartLen, part, partLen)
            }
        }
        self.C_SignEncryptUpdate = { session, part, partLen, encryptedPart, encryptedPartLen in
            simulator.forward(.signEncryptUpdate, isSizeQuery: encryptedPart == nil) {
                $0.pointee.C_SignEncryptUpdate?(session, part, partLen, encryptedPart, encryptedPartLen)
            }
        }
        self.C_DecryptVerifyUpdate = { session, encryptedPart, encryptedPartLen, part, partLen in
            simulator.forward(.decryptVerifyUpdate, isSizeQuery: part == nil) {
                $0.pointee.C_DecryptVerifyUpdate?(session, encryptedPart, encryptedPartLen, part, partLen)
            }
        }
    }
}
