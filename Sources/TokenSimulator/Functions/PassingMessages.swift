internal import CPKCS11

/// Functions that v3.0 adds: they pass through (PKCS #11 v3.0, sections 5.6, 5.9, 5.11, 5.14, 5.16).
extension SIGNET_CK_FUNCTION_LIST_3_0 {
    mutating func setSessions() {
        self.C_LoginUser = { session, userType, pin, pinLen, userName, userNameLen in
            simulator.perform(.loginUser) { simulation in
                simulation.login(.loginUser, session, userType, pin, pinLen) {
                    simulation.module.functions3?.pointee.C_LoginUser?(
                        $0, userType, pin, pinLen, userName, userNameLen)
                }
            }
        }
        self.C_SessionCancel = { session, flags in
            simulator.inSession(.sessionCancel, session) {
                let result = $0.functions3?.pointee.C_SessionCancel?($0.handle, flags)
                if result == CKR_OK { $0.forgetOperations() }
                return result
            }
        }
    }

    mutating func setEncryptMessages() {
        self.C_MessageEncryptInit = {
            simulator.begin(
                .messageEncryptInit, CKF_ENCRYPT, \.functions3?.pointee.C_MessageEncryptInit, $0, $1, $2)
        }
        self.C_EncryptMessage = {
            simulator.pass(
                .encryptMessage, \.functions3?.pointee.C_EncryptMessage, $0, $1, $2, $3, $4, $5, $6, $7, $8)
        }
        self.C_EncryptMessageBegin = {
            simulator.pass(.encryptMessageBegin, \.functions3?.pointee.C_EncryptMessageBegin, $0, $1, $2, $3, $4)
        }
        self.C_EncryptMessageNext = {
            simulator.pass(
                .encryptMessageNext, \.functions3?.pointee.C_EncryptMessageNext, $0, $1, $2, $3, $4, $5, $6, $7)
        }
        self.C_MessageEncryptFinal = {
            simulator.pass(.messageEncryptFinal, \.functions3?.pointee.C_MessageEncryptFinal, $0)
        }
    }

    mutating func setDecryptMessages() {
        self.C_MessageDecryptInit = {
            simulator.begin(
                .messageDecryptInit, CKF_DECRYPT, \.functions3?.pointee.C_MessageDecryptInit, $0, $1, $2)
        }
        self.C_DecryptMessage = {
            simulator.pass(
                .decryptMessage, \.functions3?.pointee.C_DecryptMessage, $0, $1, $2, $3, $4, $5, $6, $7, $8)
        }
        self.C_DecryptMessageBegin = {
            simulator.pass(.decryptMessageBegin, \.functions3?.pointee.C_DecryptMessageBegin, $0, $1, $2, $3, $4)
        }
        self.C_DecryptMessageNext = {
            simulator.pass(
                .decryptMessageNext, \.functions3?.pointee.C_DecryptMessageNext, $0, $1, $2, $3, $4, $5, $6, $7)
        }
        self.C_MessageDecryptFinal = {
            simulator.pass(.messageDecryptFinal, \.functions3?.pointee.C_MessageDecryptFinal, $0)
        }
    }

    mutating func setSignMessages() {
        self.C_MessageSignInit = {
            simulator.begin(.messageSignInit, CKF_SIGN, \.functions3?.pointee.C_MessageSignInit, $0, $1, $2)
        }
        self.C_SignMessage = {
            simulator.pass(.signMessage, \.functions3?.pointee.C_SignMessage, $0, $1, $2, $3, $4, $5, $6)
        }
        self.C_SignMessageBegin = {
            simulator.pass(.signMessageBegin, \.functions3?.pointee.C_SignMessageBegin, $0, $1, $2)
        }
        self.C_SignMessageNext = {
            simulator.pass(.signMessageNext, \.functions3?.pointee.C_SignMessageNext, $0, $1, $2, $3, $4, $5, $6)
        }
        self.C_MessageSignFinal = {
            simulator.pass(.messageSignFinal, \.functions3?.pointee.C_MessageSignFinal, $0)
        }
    }

    mutating func setVerifyMessages() {
        self.C_MessageVerifyInit = {
            simulator.begin(.messageVerifyInit, CKF_VERIFY, \.functions3?.pointee.C_MessageVerifyInit, $0, $1, $2)
        }
        self.C_VerifyMessage = {
            simulator.pass(.verifyMessage, \.functions3?.pointee.C_VerifyMessage, $0, $1, $2, $3, $4, $5, $6)
        }
        self.C_VerifyMessageBegin = {
            simulator.pass(.verifyMessageBegin, \.functions3?.pointee.C_VerifyMessageBegin, $0, $1, $2)
        }
        self.C_VerifyMessageNext = {
            simulator.pass(.verifyMessageNext, \.functions3?.pointee.C_VerifyMessageNext, $0, $1, $2, $3, $4, $5, $6)
        }
        self.C_MessageVerifyFinal = {
            simulator.pass(.messageVerifyFinal, \.functions3?.pointee.C_MessageVerifyFinal, $0)
        }
    }
}
