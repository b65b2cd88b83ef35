internal import CPKCS11

extension CK_FUNCTION_LIST {
    /// General-purpose, slot and random functions that pass through (PKCS #11 v2.40, sections 5.4, 5.5, 5.15).
    mutating func setPassingGeneral() {
        self.C_GetSlotList = { tokenPresent, slotList, count in
            simulator.forward(.getSlotList, isSizeQuery: slotList == nil) {
                $0.pointee.C_GetSlotList?(tokenPresent, slotList, count)
            }
        }
        self.C_GetSlotInfo = { slotId, info in
            simulator.forward(.getSlotInfo) { $0.pointee.C_GetSlotInfo?(slotId, info) }
        }
        self.C_WaitForSlotEvent = { flags, slot, reserved in
            simulator.forward(.waitForSlotEvent) { $0.pointee.C_WaitForSlotEvent?(flags, slot, reserved) }
        }
        self.C_GetMechanismList = { slotId, mechanismList, count in
            simulator.forward(.getMechanismList, isSizeQuery: mechanismList == nil) {
                $0.pointee.C_GetMechanismList?(slotId, mechanismList, count)
            }
        }
        self.C_GetMechanismInfo = { slotId, type, info in
            simulator.forward(.getMechanismInfo) { $0.pointee.C_GetMechanismInfo?(slotId, type, info) }
        }
        self.C_InitPIN = { session, pin, pinLen in
            simulator.forward(.initPIN) { $0.pointee.C_InitPIN?(session, pin, pinLen) }
        }
        self.C_SetPIN = { session, oldPin, oldLen, newPin, newLen in
            simulator.forward(.setPIN) { $0.pointee.C_SetPIN?(session, oldPin, oldLen, newPin, newLen) }
        }
        self.C_GetFunctionStatus = { session in
            simulator.forward(.getFunctionStatus) { $0.pointee.C_GetFunctionStatus?(session) }
        }
        self.C_CancelFunction = { session in
            simulator.forward(.cancelFunction) { $0.pointee.C_CancelFunction?(session) }
        }
        self.C_SeedRandom = { session, seed, seedLen in
            simulator.forward(.seedRandom) { $0.pointee.C_SeedRandom?(session, seed, seedLen) }
        }
        self.C_GenerateRandom = { session, randomData, randomLen in
            simulator.forward(.generateRandom) { $0.pointee.C_GenerateRandom?(session, randomData, randomLen) }
        }
    }

    /// Session functions that pass through (PKCS #11 v2.40, section 5.6).
    mutating func setPassingSessions() {
        self.C_OpenSession = { slotId, flags, application, notify, session in
            simulator.forward(.openSession) { $0.pointee.C_OpenSession?(slotId, flags, application, notify, session) }
        }
        self.C_CloseSession = { session in
            simulator.forward(.closeSession) { $0.pointee.C_CloseSession?(session) }
        }
        self.C_CloseAllSessions = { slotId in
            simulator.forward(.closeAllSessions) { $0.pointee.C_CloseAllSessions?(slotId) }
        }
        self.C_GetSessionInfo = { session, info in
            simulator.forward(.getSessionInfo) { $0.pointee.C_GetSessionInfo?(session, info) }
        }
        self.C_GetOperationState = { session, operationState, operationStateLen in
            simulator.forward(.getOperationState, isSizeQuery: operationState == nil) {
                $0.pointee.C_GetOperationState?(session, operationState, operationStateLen)
            }
        }
        self.C_SetOperationState = { session, operationState, operationStateLen, encryptionKey, authenticationKey in
            simulator.forward(.setOperationState) {
                $0.pointee.C_SetOperationState?(
                    session, operationState, operationStateLen, encryptionKey, authenticationKey)
            }
        }
        self.C_Login = { session, userType, pin, pinLen in
            simulator.forward(.login) { $0.pointee.C_Login?(session, userType, pin, pinLen) }
        }
        self.C_Logout = { session in
            simulator.forward(.logout) { $0.pointee.C_Logout?(session) }
        }
    }

    /// Object functions that only read that pass through (PKCS #11 v2.40, section 5.7).
    mutating func setPassingObjects() {
        self.C_GetObjectSize = { session, object, size in
            simulator.forward(.getObjectSize) { $0.pointee.C_GetObjectSize?(session, object, size) }
        }
        self.C_GetAttributeValue = { session, object, template, count in
            simulator.forward(.getAttributeValue, isSizeQuery: Template(template, count).asksForSizes) {
                $0.pointee.C_GetAttributeValue?(session, object, template, count)
            }
        }
        self.C_FindObjectsInit = { session, template, count in
            simulator.forward(.findObjectsInit) { $0.pointee.C_FindObjectsInit?(session, template, count) }
        }
        self.C_FindObjects = { session, object, maxObjectCount, objectCount in
            simulator.forward(.findObjects) { $0.pointee.C_FindObjects?(session, object, maxObjectCount, objectCount) }
        }
        self.C_FindObjectsFinal = { session in
            simulator.forward(.findObjectsFinal) { $0.pointee.C_FindObjectsFinal?(session) }
        }
    }
}
