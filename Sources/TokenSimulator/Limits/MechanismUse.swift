internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// AES key wrap with padding (RFC 5649) on a card that has it under another number than the module inside.
struct PaddedWrapNumbers: Sendable, Equatable {
    /// The number of the profile.
    let card: CK_MECHANISM_TYPE
    let module: CK_MECHANISM_TYPE

    /// - Parameter listed: what the module inside lists. `CKM_AES_KEY_WRAP_KWP` (v3.0) goes before the older
    ///   `CKM_AES_KEY_WRAP_PAD`, which some modules have for another padding.
    /// - Returns: `nil` when the numbers are the same, or one of them is not known.
    init?(_ profile: DeviceProfile.Mechanisms, listed: [CK_MECHANISM_TYPE]) {
        let known = [SIGNET_CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD]
        guard let card = profile.rfc5649.value, let module = known.first(where: listed.contains), card != module
        else { return nil }
        self.card = card
        self.module = module
    }
}

extension Card {
    /// What the card answers to a mechanism, or `nil` when it takes it.
    ///
    /// - Parameter use: the `CKF_` flag of what it is to be used for.
    func refusal(of mechanism: UnsafeMutablePointer<CK_MECHANISM>?, use: CK_FLAGS) -> ReturnValue? {
        if let numbers = self.paddedWrap, mechanism?.pointee.mechanism == numbers.module { return .mechanismInvalid }
        return self.rule.mechanisms.refusal(of: mechanism, use: use)
    }

    /// True when the card shows the mechanisms of the module inside as they are.
    var showsAllMechanisms: Bool { self.paddedWrap == nil && self.rule.mechanisms.areAll }

    /// The mechanisms that the card has, of those of the module inside.
    func shown(_ types: [CK_MECHANISM_TYPE]) -> [CK_MECHANISM_TYPE] {
        types.filter { $0 != self.paddedWrap?.card }.map { $0 == self.paddedWrap?.module ? self.outer($0) : $0 }
            .filter(self.rule.mechanisms.contains)
    }

    private func outer(_ type: CK_MECHANISM_TYPE) -> CK_MECHANISM_TYPE { self.paddedWrap?.card ?? type }

    /// The number of the module inside; `nil` for a mechanism that the card does not have.
    func inner(_ type: CK_MECHANISM_TYPE) -> CK_MECHANISM_TYPE? {
        guard type != self.paddedWrap?.module, self.rule.mechanisms.contains(type) else { return nil }
        return type == self.paddedWrap?.card ? self.paddedWrap?.module : type
    }
}

extension SessionUse {
    /// Calls `body` with a mechanism as the module inside knows it.
    func withInner(
        _ mechanism: UnsafeMutablePointer<CK_MECHANISM>?, for function: FunctionName, isSizeQuery: Bool = false,
        _ body: (UnsafeMutablePointer<CK_MECHANISM>?) -> CK_RV?
    ) -> CK_RV? {
        guard let card = self.card, let given = mechanism else { return body(mechanism) }
        if card.makesVectors, !isSizeQuery, given.pointee.mechanism == CKM_AES_GCM,
            function == .encryptInit || function == .wrapKey
        {
            let result = self.writeVector(of: given.pointee)
            guard result == CKR_OK else { return result }
        }
        guard let numbers = card.paddedWrap, given.pointee.mechanism == numbers.card else { return body(given) }
        var translated = given.pointee
        translated.mechanism = numbers.module
        return body(&translated)
    }

    /// Makes the initialization vector of AES-GCM for the program, which has to leave 12 zero bytes for it
    /// (`CK_GCM_PARAMS`, PKCS #11 v2.40, section 2.12.3; its first members are the vector and its length).
    private func writeVector(of mechanism: CK_MECHANISM) -> CK_RV {
        guard let parameter = mechanism.pParameter, mechanism.ulParameterLen >= 2 * MemoryLayout<UInt>.size,
            let vector = parameter.loadUnaligned(as: UnsafeMutablePointer<UInt8>?.self),
            parameter.loadUnaligned(fromByteOffset: MemoryLayout<UInt>.size, as: CK_ULONG.self) == 12,
            (0..<12).allSatisfy({ vector[$0] == 0 })
        else { return self.simulation.refuse(.encryptInit, .mechanismParamInvalid, nil) }
        return self.functions.pointee.C_GenerateRandom?(self.handle, vector, 12) ?? CKR_FUNCTION_NOT_SUPPORTED
    }
}
