internal import CPKCS11

extension CK_FUNCTION_LIST {
    /// General-purpose, slot and token functions in which the simulation acts (PKCS #11 v2.40, sections 5.4, 5.5).
    mutating func setActingGeneral() {
        self.C_Initialize = { arguments in
            simulator.initialize(arguments)
        }
        self.C_Finalize = { reserved in
            simulator.finalize(reserved)
        }
        self.C_GetInfo = { info in
            simulator.perform(.getInfo) { $0.libraryInfo(info) }
        }
        self.C_GetSlotList = { tokenPresent, list, count in
            simulator.perform(.getSlotList) { $0.slotList(tokenPresent, list, count) }
        }
        self.C_GetSlotInfo = { slot, info in
            simulator.perform(.getSlotInfo) { $0.slotInfo(slot, info) }
        }
        self.C_WaitForSlotEvent = { flags, slot, reserved in
            simulator.perform(.waitForSlotEvent) { $0.waitForSlotEvent(flags, slot, reserved) }
        }
        self.C_GetTokenInfo = { slot, info in
            simulator.perform(.getTokenInfo) { $0.tokenInfo(slot, info) }
        }
        self.C_GetMechanismList = { slot, list, count in
            simulator.perform(.getMechanismList) { $0.mechanismList(slot, list, count) }
        }
        self.C_GetMechanismInfo = { slot, type, info in
            simulator.perform(.getMechanismInfo) { $0.mechanismInfo(slot, type, info) }
        }
        self.C_InitToken = { slot, pin, pinLen, label in
            simulator.perform(.initToken) { $0.initializeToken(slot, pin, pinLen, label) }
        }
        self.C_InitPIN = { session, pin, pinLen in
            simulator.perform(.initPIN) { $0.initializePIN(session, pin, pinLen) }
        }
        self.C_SetPIN = { session, oldPin, oldLen, newPin, newLen in
            simulator.perform(.setPIN) { $0.setPIN(session, oldPin, oldLen, newPin, newLen) }
        }
    }

    /// Session functions in which the simulation acts (PKCS #11 v2.40, section 5.6).
    mutating func setActingSessions() {
        self.C_OpenSession = { slot, flags, application, notify, session in
            simulator.perform(.openSession) { $0.openSession(slot, flags, application, notify, session) }
        }
        self.C_CloseSession = { session in
            simulator.perform(.closeSession) { $0.closeSession(session) }
        }
        self.C_CloseAllSessions = { slot in
            simulator.perform(.closeAllSessions) { $0.closeAllSessions(slot) }
        }
        self.C_GetSessionInfo = { session, info in
            simulator.perform(.getSessionInfo) { $0.sessionInfo(session, info) }
        }
        self.C_Login = { session, userType, pin, pinLen in
            simulator.perform(.login) { simulation in
                simulation.login(.login, session, userType, pin, pinLen) {
                    simulation.inner.C_Login?($0, userType, pin, pinLen)
                }
            }
        }
    }
}
