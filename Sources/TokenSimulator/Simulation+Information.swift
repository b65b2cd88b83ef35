internal import CPKCS11
internal import DeviceProfiles

/// What the module and its tokens say of themselves (PKCS #11 v2.40, sections 5.4, 5.5).
extension Simulation {
    /// `C_GetInfo`: the information of the module inside, under a description that says what this is.
    ///
    /// - Parameter functions: of the module inside; `nil` for those of v2.40.
    func libraryInfo(_ info: UnsafeMutablePointer<CK_INFO>?, from functions: CK_FUNCTION_LIST? = nil) -> CK_RV {
        self.call(.getInfo) {
            let result = (functions ?? self.inner).C_GetInfo?(info)
            guard result == CKR_OK, let info else { return result }
            withUnsafeMutableBytes(of: &info.pointee.libraryDescription) { field in
                let text = "Signet token simulator: " + PaddedText.read(UnsafeRawBufferPointer(field))
                PaddedText.write(text, to: field)
            }
            return result
        }
    }

    /// `C_GetTokenInfo`, with what the profile says is reported.
    func tokenInfo(_ slot: CK_SLOT_ID, _ info: UnsafeMutablePointer<CK_TOKEN_INFO>?) -> CK_RV {
        self.call(.getTokenInfo, in: slot) { inner in
            let result = self.inner.C_GetTokenInfo?(inner, info)
            guard result == CKR_OK, let info, let card = self.card(in: inner) else { return result }
            self.describeLimits(of: card, in: &info.pointee)
            self.describeMemory(of: card, in: &info.pointee)
            return result
        }
    }

    private func describeMemory(of card: Card, in info: inout CK_TOKEN_INFO) {
        guard let report = card.profile.capacity.memoryReported.value else { return }
        let total: UInt
        let free: UInt
        switch report {
        case .notReported:
            (total, free) = (SIGNET_CK_UNAVAILABLE_INFORMATION, SIGNET_CK_UNAVAILABLE_INFORMATION)
        case .constant(let number):
            (total, free) = (UInt(number), UInt(number))
        case .actual:
            guard let usable = card.profile.capacity.usableBytes else { return }
            let used = self.currentCensus(of: card).bytes(by: card.profile.capacity)
            (total, free) = (UInt(usable), UInt(max(0, usable - used)))
        }
        info.ulTotalPublicMemory = total
        info.ulTotalPrivateMemory = total
        info.ulFreePublicMemory = free
        info.ulFreePrivateMemory = free
    }

    /// `C_InitToken`: what the ledger knew of the token is gone with its objects.
    func initializeToken(
        _ slot: CK_SLOT_ID, _ pin: UnsafeMutablePointer<UInt8>?, _ pinLength: UInt,
        _ label: UnsafeMutablePointer<UInt8>?
    ) -> CK_RV {
        self.call(.initToken, in: slot) { inner in
            let card = self.card(in: inner)
            let result = self.inner.C_InitToken?(inner, pin, pinLength, label)
            guard result == CKR_OK, let card else { return result }
            do {
                try self.ledger.withLedger { $0.forgetContent(of: card.name) }
            } catch {
                Simulator.log(error)  // The token is initialized whatever becomes of the ledger.
            }
            return result
        }
    }

    /// `C_GetMechanismList`, without the mechanisms that the profile removes.
    func mechanismList(
        _ slot: CK_SLOT_ID, _ list: UnsafeMutablePointer<CK_MECHANISM_TYPE>?, _ count: UnsafeMutablePointer<CK_ULONG>?
    ) -> CK_RV {
        self.call(.getMechanismList, in: slot, isSizeQuery: list == nil) { inner in
            guard let count, let card = self.card(in: inner), !card.showsAllMechanisms else {
                return self.inner.C_GetMechanismList?(inner, list, count)
            }
            var total: CK_ULONG = 0
            var result = self.inner.C_GetMechanismList?(inner, nil, &total)
            guard result == CKR_OK else { return result }
            var types = [CK_MECHANISM_TYPE](repeating: 0, count: Int(total))
            result = self.inner.C_GetMechanismList?(inner, &types, &total)
            guard result == CKR_OK else { return result }
            let shown = card.shown(Array(types.prefix(Int(total))))
            let room = count.pointee
            count.pointee = CK_ULONG(shown.count)
            guard let list else { return CKR_OK }
            guard room >= shown.count else { return CKR_BUFFER_TOO_SMALL }
            for (index, type) in shown.enumerated() { list[index] = type }
            return CKR_OK
        }
    }

    /// `C_GetMechanismInfo`.
    ///
    /// - Parameter functions: of the module inside; `nil` for those of v2.40.
    func mechanismInfo(
        _ slot: CK_SLOT_ID, _ type: CK_MECHANISM_TYPE, _ info: UnsafeMutablePointer<CK_MECHANISM_INFO>?,
        from functions: CK_FUNCTION_LIST? = nil
    ) -> CK_RV {
        self.call(.getMechanismInfo, in: slot) { inner in
            let card = self.card(in: inner)
            guard let known = card.map({ $0.inner(type) }) ?? type else { return CKR_MECHANISM_INVALID }
            let result = (functions ?? self.inner).C_GetMechanismInfo?(inner, known, info)
            if result == CKR_OK, let info, let card { card.rule.mechanisms.restrict(&info.pointee, of: type) }
            return result
        }
    }
}
