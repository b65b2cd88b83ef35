internal import CPKCS11

extension CK_FUNCTION_LIST {
    /// Digest functions that pass through (PKCS #11 v2.40, section 5.10).
    mutating func setPassingDigests() {
        self.C_DigestInit = { session, mechanism in
            simulator.forward(.digestInit) { $0.pointee.C_DigestInit?(session, mechanism) }
        }
        self.C_Digest = { session, data, dataLen, digest, digestLen in
            simulator.forward(.digest, isSizeQuery: digest == nil) {
                $0.pointee.C_Digest?(session, data, dataLen, digest, digestLen)
            }
        }
        self.C_DigestUpdate = { session, part, partLen in
            simulator.forward(.digestUpdate) { $0.pointee.C_DigestUpdate?(session, part, partLen) }
        }
        self.C_DigestKey = { session, key in
            simulator.forward(.digestKey) { $0.pointee.C_DigestKey?(session, key) }
        }
        self.C_DigestFinal = { session, digest, digestLen in
            simulator.forward(.digestFinal, isSizeQuery: digest == nil) {
                $0.pointee.C_DigestFinal?(session, digest, digestLen)
            }
        }
    }

    /// Signature functions that pass through (PKCS #11 v2.40, section 5.11).
    mutating func setPassingSigning() {
        self.C_SignInit = { session, mechanism, key in
            simulator.forward(.signInit) { $0.pointee.C_SignInit?(session, mechanism, key) }
        }
        self.C_Sign = { session, data, dataLen, signature, signatureLen in
            simulator.forward(.sign, isSizeQuery: signature == nil) {
                $0.pointee.C_Sign?(session, data, dataLen, signature, signatureLen)
            }
        }
        self.C_SignUpdate = { session, part, partLen in
            simulator.forward(.signUpdate) { $0.pointee.C_SignUpdate?(session, part, partLen) }
        }
        self.C_SignFinal = { session, signature, signatureLen in
            simulator.forward(.signFinal, isSizeQuery: signature == nil) {
                $0.pointee.C_SignFinal?(session, signature, signatureLen)
            }
        }
        self.C_SignRecoverInit = { session, mechanism, key in
            simulator.forward(.signRecoverInit) { $0.pointee.C_SignRecoverInit?(session, mechanism, key) }
        }
        self.C_SignRecover = { session, data, dataLen, signature, signatureLen in
            simulator.forward(.signRecover, isSizeQuery: signature == nil) {
                $0.pointee.C_SignRecover?(session, data, dataLen, signature, signatureLen)
            }
        }
    }

    /// Verification functions that pass through (PKCS #11 v2.40, section 5.11).
    mutating func setPassingVerification() {
        self.C_VerifyInit = { session, mechanism, key in
            simulator.forward(.verifyInit) { $0.pointee.C_VerifyInit?(session, mechanism, key) }
        }
        self.C_Verify = { session, data, dataLen, signature, signatureLen in
            simulator.forward(.verify) { $0.pointee.C_Verify?(session, data, dataLen, signature, signatureLen) }
        }
        self.C_VerifyUpdate = { session, part, partLen in
            simulator.forward(.verifyUpdate) { $0.pointee.C_VerifyUpdate?(session, part, partLen) }
        }
        self.C_VerifyFinal = { session, signature, signatureLen in
            simulator.forward(.verifyFinal) { $0.pointee.C_VerifyFinal?(session, signature, signatureLen) }
        }
        self.C_VerifyRecoverInit = { session, mechanism, key in
            simulator.forward(.verifyRecoverInit) { $0.pointee.C_VerifyRecoverInit?(session, mechanism, key) }
        }
        self.C_VerifyRecover = { session, signature, signatureLen, data, dataLen in
            simulator.forward(.verifyRecover, isSizeQuery: data == nil) {
                $0.pointee.C_VerifyRecover?(session, signature, signatureLen, data, dataLen)
            }
        }
    }
}
