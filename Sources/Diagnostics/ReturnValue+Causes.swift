extension ReturnValue {
    /// Causes that were seen on several devices, a sentence each, the likeliest first.
    package var commonCauses: [String] {
        switch self.name ?? "" {
        case "CKR_DEVICE_MEMORY":
            [
                "The token is full; on YubiHSM 2 a full audit log gives the same.",
                "From a call that writes nothing: the module on this machine could not get memory.",
            ]
        case "CKR_GENERAL_ERROR":
            ["Under OpenSC: a directory file of the card is full, or it has 128 objects.", "The module has a fault."]
        case "CKR_FUNCTION_FAILED": ["SoftHSM on a full disk; CloudHSM when it is asked too much at once."]
        case "CKR_DEVICE_ERROR": ["The device, or the daemon or network before it, failed or was restarted."]
        case "CKR_ARGUMENTS_BAD":
            ["RSA-OAEP with another hash than SHA-1 on SoftHSM; too many sessions on CloudHSM."]
        case "CKR_KEY_HANDLE_INVALID", "CKR_OBJECT_HANDLE_INVALID":
            ["The token was away and has given its objects other handles.", "Somebody removed the object."]
        case "CKR_SESSION_HANDLE_INVALID", "CKR_SESSION_CLOSED":
            ["The device was away, restarted, or closed a session that was idle."]
        case "CKR_SESSION_COUNT": ["This program, or others beside it, use all sessions that the device has."]
        case "CKR_DEVICE_REMOVED", "CKR_TOKEN_NOT_PRESENT", "CKR_SLOT_ID_INVALID":
            ["The token was taken out, switched off, or is in another slot now."]
        case "CKR_CRYPTOKI_NOT_INITIALIZED":
            [
                "The process has forked since the module was loaded.",
                "The device dropped all clients after a long pause.",
            ]
        case "CKR_OPERATION_ACTIVE": ["The device keeps an operation that failed: the session has to be closed."]
        case "CKR_PIN_INCORRECT": ["The source of the PIN is of another token, or the PIN was changed."]
        case "CKR_PIN_LOCKED": ["The PIN was wrong too many times."]
        case "CKR_USER_NOT_LOGGED_IN": ["Another program logged out, or the device ended the login."]
        case "CKR_MECHANISM_INVALID", "CKR_MECHANISM_PARAM_INVALID", "CKR_FUNCTION_NOT_SUPPORTED":
            ["The device does not have the mechanism, or not with these parameters, or its policy forbids it."]
        case "CKR_KEY_FUNCTION_NOT_PERMITTED": ["The key was made for another use."]
        case "CKR_TEMPLATE_INCONSISTENT", "CKR_ATTRIBUTE_TYPE_INVALID", "CKR_ATTRIBUTE_VALUE_INVALID",
            "CKR_TEMPLATE_INCOMPLETE":
            ["The device refuses an attribute that others take: see template.refuse of its profile."]
        case "CKR_HOST_MEMORY": ["openCryptoki with 2048 objects of one kind."]
        default: []
        }
    }

    /// ``commonCauses`` without those that cannot be for a call of this function.
    package func commonCauses(of function: String) -> [String] {
        if function == "C_Initialize", !self.commonCauses.isEmpty {
            return ["The module found no configuration that it can use; its log or its standard error says why."]
        }
        guard ["CKR_DEVICE_MEMORY", "CKR_GENERAL_ERROR"].contains(self.name) else { return self.commonCauses }
        let isWrite = ["C_GenerateKeyPair", "C_GenerateKey", "C_CreateObject", "C_UnwrapKey", "C_SetAttributeValue"]
            .contains(function)
        return [self.commonCauses[isWrite ? 0 : 1]]
    }

    /// The command that tells more, without the options that name the token.
    package var nextCommand: String {
        switch self.name ?? "" {
        case "CKR_DEVICE_MEMORY", "CKR_HOST_MEMORY", "CKR_GENERAL_ERROR", "CKR_FUNCTION_FAILED", "CKR_DEVICE_ERROR":
            "signet token capacity"
        case "CKR_KEY_HANDLE_INVALID", "CKR_OBJECT_HANDLE_INVALID", "CKR_DEVICE_REMOVED", "CKR_TOKEN_NOT_PRESENT",
            "CKR_SESSION_HANDLE_INVALID", "CKR_SESSION_CLOSED", "CKR_SESSION_COUNT", "CKR_SLOT_ID_INVALID",
            "CKR_USER_NOT_LOGGED_IN":
            "signet token list"
        case "CKR_PIN_INCORRECT", "CKR_PIN_LEN_RANGE", "CKR_PIN_INVALID": "signet token unblock"
        default: "signet token doctor"
        }
    }
}
