internal import CPKCS11

extension CK_FUNCTION_LIST {
    /// Digest functions that pass through (PKCS #11 v2.40, section 5.10).
    mutating func setPassingDigests() {
        self.C_DigestInit = { session, mechanism in
            simulator.using(.digestInit, session, mechanism, CKF_DIGEST) {
                $0.functions.pointee.C_DigestInit?($0.handle, mechanism)
            }
        }
        self.C_Digest = { session, data, dataLen, digest, digestLen in
            simulator.inSession(.digest, session, isSizeQuery: digest == nil, dataLength: dataLen) {
                $0.functions.pointee.C_Digest?($0.handle, data, dataLen, digest, digestLen)
            }
        }
        self.C_DigestUpdate = { session, part, partLen in
            simulator.inSession(.digestUpdate, session, dataLength: partLen) {
                $0.functions.pointee.C_DigestUpdate?($0.handle, part, partLen)
            }
        }
        self.C_DigestKey = { session, key in
            simulator.inSession(.digestKey, session, about: .object(key)) { use in
                use.withKey(key) { use.functions.pointee.C_DigestKey?(use.handle, $0) }
            }
        }
        self.C_DigestFinal = { session, digest, digestLen in
            simulator.inSession(.digestFinal, session, isSizeQuery: digest == nil) {
                $0.functions.pointee.C_DigestFinal?($0.handle, digest, digestLen)
            }
        }
    }

    /// Signature functions that pass through (PKCS #11 v2.40, section 5.11).
    mutating func setPassingSigning() {
        self.C_SignInit = { session, mechanism, key in
            simulator.begin(.signInit, session, mechanism, key, CKF_SIGN) {
                $0.functions.pointee.C_SignInit?($0.handle, mechanism, $1)
            }
        }
        self.C_Sign = { session, data, dataLen, signature, signatureLen in
            simulator.inSession(.sign, session, isSizeQuery: signature == nil, dataLength: dataLen) {
                $0.functions.pointee.C_Sign?($0.handle, data, dataLen, signature, signatureLen)
            }
        }
        self.C_SignUpdate = { session, part, partLen in
            simulator.inSession(.signUpdate, session, dataLength: partLen) {
                $0.functions.pointee.C_SignUpdate?($0.handle, part, partLen)
            }
        }
        self.C_SignFinal = { session, signature, signatureLen in
            simulator.inSession(.signFinal, session, isSizeQuery: signature == nil) {
                $0.functions.pointee.C_SignFinal?($0.handle, signature, signatureLen)
            }
        }
        self.C_SignRecoverInit = { session, mechanism, key in
            simulator.begin(.signRecoverInit, session, mechanism, key, CKF_SIGN_RECOVER) {
                $0.functions.pointee.C_SignRecoverInit?($0.handle, mechanism, $1)
            }
        }
        self.C_SignRecover = { session, data, dataLen, signature, signatureLen in
            simulator.inSession(.signRecover, session, isSizeQuery: signature == nil, dataLength: dataLen) {
                $0.functions.pointee.C_SignRecover?($0.handle, data, dataLen, signature, signatureLen)
            }
        }
    }

    /// Verification functions that pass through (PKCS #11 v2.40, section 5.11).
    mutating func setPassingVerification() {
        self.C_VerifyInit = { session, mechanism, key in
            simulator.begin(.verifyInit, session, mechanism, key, CKF_VERIFY) {
                $0.functions.pointee.C_VerifyInit?($0.handle, mechanism, $1)
            }
        }
        self.C_Verify = { session, data, dataLen, signature, signatureLen in
            simulator.inSession(.verify, session, dataLength: dataLen) {
                $0.functions.pointee.C_Verify?($0.handle, data, dataLen, signature, signatureLen)
            }
        }
        self.C_VerifyUpdate = { session, part, partLen in
            simulator.inSession(.verifyUpdate, session, dataLength: partLen) {
                $0.functions.pointee.C_VerifyUpdate?($0.handle, part, partLen)
            }
        }
        self.C_VerifyFinal = { session, signature, signatureLen in
            simulator.inSession(.verifyFinal, session) {
                $0.functions.pointee.C_VerifyFinal?($0.handle, signature, signatureLen)
            }
        }
        self.C_VerifyRecoverInit = { session, mechanism, key in
            simulator.begin(.verifyRecoverInit, session, mechanism, key, CKF_VERIFY_RECOVER) {
                $0.functions.pointee.C_VerifyRecoverInit?($0.handle, mechanism, $1)
            }
        }
        self.C_VerifyRecover = { session, signature, signatureLen, data, dataLen in
            simulator.inSession(.verifyRecover, session, isSizeQuery: data == nil, dataLength: signatureLen) {
                $0.functions.pointee.C_VerifyRecover?($0.handle, signature, signatureLen, data, dataLen)
            }
        }
    }
}
