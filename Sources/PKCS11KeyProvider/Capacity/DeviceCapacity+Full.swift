internal import DeviceProfiles
internal import Diagnostics
internal import KeyProvider
internal import PKCS11

extension DeviceProfile.Capacity {
    /// True when this failure is what the device says when it is full.
    ///
    /// Judged by the operation and the profile as well as by the code: devices say `CKR_GENERAL_ERROR` for a full
    /// directory, and modules say `CKR_DEVICE_MEMORY` of calls that write nothing, when the host has no memory.
    func meansFull(_ error: PKCS11Error) -> Bool {
        let ofOperation: ReturnValue?
        switch error.function {
        case "C_GenerateKeyPair", "C_GenerateKey": ofOperation = self.full.keyGeneration.value
        case "C_CreateObject", "C_UnwrapKey": ofOperation = self.full.create.value
        default: return false
        }
        // `CKR_OK` as the code of a full device is a loss that no return value tells.
        let known = [ofOperation, self.full.directory.value, self.full.objects.value].filter { $0 != nil && $0 != .ok }
        return error.returnValue == .deviceMemory || known.contains(error.returnValue)
    }
}

extension KeyProviderError {
    /// The token ran out of room in the middle of an operation.
    static func tokenFull(_ error: PKCS11Error, operation: String, profile: DeviceProfile) -> KeyProviderError {
        let failure = error.tokenFailure.map { profile.explained($0) }
        var advice: [Advice] = ["Remove what is not needed from the token, or use one with more memory."]
        if profile.capacity.full.log.value == error.returnValue {
            advice.append("Read the device's audit log and empty it: a full log gives the same answer.")
        }
        return KeyProviderError(
            code: .tokenFull, operation: operation,
            reason:
                "the token answered \(failure?.answer ?? "\(error.returnValue)") to \(error.function), which is how this device says that it "
                + "is full",
            hresult: .writeTooMany, tokenFailure: failure, advice: advice)
    }

    /// The check before the first object found no room.
    static func tokenFull(
        _ shortage: CapacityShortage, operation: String, token: TokenIdentification
    )
        -> KeyProviderError
    {
        KeyProviderError(
            code: .tokenFull, operation: operation, reason: shortage.reason, hresult: .writeTooMany,
            facts: shortage.facts + [Fact("token", token.description), Fact("written", "nothing")],
            advice: [
                "Remove what is not needed from the token, choose a smaller key, or use a token with more memory."
            ])
    }
}
