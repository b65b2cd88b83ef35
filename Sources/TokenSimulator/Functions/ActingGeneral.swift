internal import CPKCS11

extension CK_FUNCTION_LIST {
    /// General-purpose and token functions in which the simulation acts (PKCS #11 v2.40, sections 5.4, 5.5).
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
        self.C_GetTokenInfo = { slot, info in
            simulator.perform(.getTokenInfo) { $0.tokenInfo(slot, info) }
        }
        self.C_InitToken = { slot, pin, pinLen, label in
            simulator.perform(.initToken) { $0.initializeToken(slot, pin, pinLen, label) }
        }
    }
}
