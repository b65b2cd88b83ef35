internal import CPKCS11

extension CK_FUNCTION_LIST {
    /// Digest functions that pass through (PKCS #11 v2.40, section 5.10).
    mutating func setPassingDigests() {
        self.C_DigestInit = { session, mechanism in
            simulator.using(.digestInit, session, mechanism, CKF_DIGEST) {
                $0.functions.pointee.C_DigestInit?($0.handle, $1)
            }
        }
        self.C_Digest = { simulator.pass(.digest, \.functions.pointee.C_Digest, $0, $1, $2, $3, $4) }
        self.C_DigestUpdate = { simulator.pass(.digestUpdate, \.functions.pointee.C_DigestUpdate, $0, $1, $2) }
        self.C_DigestKey = { session, key in
            simulator.inSession(.digestKey, session, about: .object(key)) { use in
                use.withKey(key) { use.functions.pointee.C_DigestKey?(use.handle, $0) }
            }
        }
        self.C_DigestFinal = { simulator.pass(.digestFinal, \.functions.pointee.C_DigestFinal, $0, $1, $2) }
    }

    /// Signature functions that pass through (PKCS #11 v2.40, section 5.11).
    mutating func setPassingSigning() {
        self.C_SignInit = { simulator.begin(.signInit, CKF_SIGN, \.functions.pointee.C_SignInit, $0, $1, $2) }
        self.C_Sign = { session, data, dataLen, signature, signatureLen in
            simulator.inSession(.sign, session, isSizeQuery: signature == nil, dataLength: dataLen) { use in
                use.giving(signature, signatureLen) {
                    use.functions.pointee.C_Sign?(use.handle, data, dataLen, $0, $1)
                }
            }
        }
        self.C_SignUpdate = { simulator.pass(.signUpdate, \.functions.pointee.C_SignUpdate, $0, $1, $2) }
        self.C_SignFinal = { session, signature, signatureLen in
            simulator.inSession(.signFinal, session, isSizeQuery: signature == nil) { use in
                use.giving(signature, signatureLen) { use.functions.pointee.C_SignFinal?(use.handle, $0, $1) }
            }
        }
        self.C_SignRecoverInit = {
            simulator.begin(.signRecoverInit, CKF_SIGN_RECOVER, \.functions.pointee.C_SignRecoverInit, $0, $1, $2)
        }
        self.C_SignRecover = {
            simulator.pass(.signRecover, \.functions.pointee.C_SignRecover, $0, $1, $2, $3, $4)
        }
    }

    /// Verification functions that pass through (PKCS #11 v2.40, section 5.11).
    mutating func setPassingVerification() {
        self.C_VerifyInit = { simulator.begin(.verifyInit, CKF_VERIFY, \.functions.pointee.C_VerifyInit, $0, $1, $2) }
        self.C_Verify = { session, data, dataLen, signature, signatureLen in
            simulator.inSession(.verify, session, dataLength: dataLen) { use in
                use.taking(signature, signatureLen) {
                    use.functions.pointee.C_Verify?(use.handle, data, dataLen, $0, $1)
                }
            }
        }
        self.C_VerifyUpdate = { simulator.pass(.verifyUpdate, \.functions.pointee.C_VerifyUpdate, $0, $1, $2) }
        self.C_VerifyFinal = { session, signature, signatureLen in
            simulator.inSession(.verifyFinal, session) { use in
                use.taking(signature, signatureLen) { use.functions.pointee.C_VerifyFinal?(use.handle, $0, $1) }
            }
        }
        self.C_VerifyRecoverInit = {
            simulator.begin(
                .verifyRecoverInit, CKF_VERIFY_RECOVER, \.functions.pointee.C_VerifyRecoverInit, $0, $1, $2)
        }
        self.C_VerifyRecover = {
            simulator.pass(.verifyRecover, \.functions.pointee.C_VerifyRecover, $0, $1, $2, $3, $4)
        }
    }
}
