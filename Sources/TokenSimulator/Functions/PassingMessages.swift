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
        self.C_MessageEncryptInit = { session, mechanism, key in
            simulator.begin(.messageEncryptInit, session, mechanism, key, CKF_ENCRYPT) {
                $0.functions3?.pointee.C_MessageEncryptInit?($0.handle, mechanism, $1)
            }
        }
        self.C_EncryptMessage = {
            session, parameter, parameterLen, associated, associatedLen, data, dataLen, output, outputLen in
            simulator.inSession(.encryptMessage, session, isSizeQuery: output == nil, dataLength: dataLen) {
                $0.functions3?.pointee.C_EncryptMessage?(
                    $0.handle, parameter, parameterLen, associated, associatedLen, data, dataLen, output, outputLen)
            }
        }
        self.C_EncryptMessageBegin = { session, parameter, parameterLen, associated, associatedLen in
            simulator.inSession(.encryptMessageBegin, session) {
                $0.functions3?.pointee.C_EncryptMessageBegin?(
                    $0.handle, parameter, parameterLen, associated, associatedLen)
            }
        }
        self.C_EncryptMessageNext = { session, parameter, parameterLen, data, dataLen, output, outputLen, flags in
            simulator.inSession(.encryptMessageNext, session, isSizeQuery: output == nil, dataLength: dataLen) {
                $0.functions3?.pointee.C_EncryptMessageNext?(
                    $0.handle, parameter, parameterLen, data, dataLen, output, outputLen, flags)
            }
        }
        self.C_MessageEncryptFinal = { session in
            simulator.inSession(.messageEncryptFinal, session) {
                $0.functions3?.pointee.C_MessageEncryptFinal?($0.handle)
            }
        }
    }

    mutating func setDecryptMessages() {
        self.C_MessageDecryptInit = { session, mechanism, key in
            simulator.begin(.messageDecryptInit, session, mechanism, key, CKF_DECRYPT) {
                $0.functions3?.pointee.C_MessageDecryptInit?($0.handle, mechanism, $1)
            }
        }
        self.C_DecryptMessage = {
            session, parameter, parameterLen, associated, associatedLen, data, dataLen, output, outputLen in
            simulator.inSession(.decryptMessage, session, isSizeQuery: output == nil, dataLength: dataLen) {
                $0.functions3?.pointee.C_DecryptMessage?(
                    $0.handle, parameter, parameterLen, associated, associatedLen, data, dataLen, output, outputLen)
            }
        }
        self.C_DecryptMessageBegin = { session, parameter, parameterLen, associated, associatedLen in
            simulator.inSession(.decryptMessageBegin, session) {
                $0.functions3?.pointee.C_DecryptMessageBegin?(
                    $0.handle, parameter, parameterLen, associated, associatedLen)
            }
        }
        self.C_DecryptMessageNext = { session, parameter, parameterLen, data, dataLen, output, outputLen, flags in
            simulator.inSession(.decryptMessageNext, session, isSizeQuery: output == nil, dataLength: dataLen) {
                $0.functions3?.pointee.C_DecryptMessageNext?(
                    $0.handle, parameter, parameterLen, data, dataLen, output, outputLen, flags)
            }
        }
        self.C_MessageDecryptFinal = { session in
            simulator.inSession(.messageDecryptFinal, session) {
                $0.functions3?.pointee.C_MessageDecryptFinal?($0.handle)
            }
        }
    }

    mutating func setSignMessages() {
        self.C_MessageSignInit = { session, mechanism, key in
            simulator.begin(.messageSignInit, session, mechanism, key, CKF_SIGN) {
                $0.functions3?.pointee.C_MessageSignInit?($0.handle, mechanism, $1)
            }
        }
        self.C_SignMessage = { session, parameter, parameterLen, data, dataLen, signature, signatureLen in
            simulator.inSession(.signMessage, session, isSizeQuery: signature == nil, dataLength: dataLen) {
                $0.functions3?.pointee.C_SignMessage?(
                    $0.handle, parameter, parameterLen, data, dataLen, signature, signatureLen)
            }
        }
        self.C_SignMessageBegin = { session, parameter, parameterLen in
            simulator.inSession(.signMessageBegin, session) {
                $0.functions3?.pointee.C_SignMessageBegin?($0.handle, parameter, parameterLen)
            }
        }
        self.C_SignMessageNext = { session, parameter, parameterLen, data, dataLen, signature, signatureLen in
            simulator.inSession(
                .signMessageNext, session, isSizeQuery: signature == nil && signatureLen != nil, dataLength: dataLen
            ) {
                $0.functions3?.pointee.C_SignMessageNext?(
                    $0.handle, parameter, parameterLen, data, dataLen, signature, signatureLen)
            }
        }
        self.C_MessageSignFinal = { session in
            simulator.inSession(.messageSignFinal, session) {
                $0.functions3?.pointee.C_MessageSignFinal?($0.handle)
            }
        }
    }

    mutating func setVerifyMessages() {
        self.C_MessageVerifyInit = { session, mechanism, key in
            simulator.begin(.messageVerifyInit, session, mechanism, key, CKF_VERIFY) {
                $0.functions3?.pointee.C_MessageVerifyInit?($0.handle, mechanism, $1)
            }
        }
        self.C_VerifyMessage = { session, parameter, parameterLen, data, dataLen, signature, signatureLen in
            simulator.inSession(.verifyMessage, session, dataLength: dataLen) {
                $0.functions3?.pointee.C_VerifyMessage?(
                    $0.handle, parameter, parameterLen, data, dataLen, signature, signatureLen)
            }
        }
        self.C_VerifyMessageBegin = { session, parameter, parameterLen in
            simulator.inSession(.verifyMessageBegin, session) {
                $0.functions3?.pointee.C_VerifyMessageBegin?($0.handle, parameter, parameterLen)
            }
        }
        self.C_VerifyMessageNext = { session, parameter, parameterLen, data, dataLen, signature, signatureLen in
            simulator.inSession(.verifyMessageNext, session, dataLength: dataLen) {
                $0.functions3?.pointee.C_VerifyMessageNext?(
                    $0.handle, parameter, parameterLen, data, dataLen, signature, signatureLen)
            }
        }
        self.C_MessageVerifyFinal = { session in
            simulator.inSession(.messageVerifyFinal, session) {
                $0.functions3?.pointee.C_MessageVerifyFinal?($0.handle)
            }
        }
    }
}
