internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// Login and PINs (PKCS #11 v2.40, sections 5.5, 5.6), counted for all processes together.
extension Simulation {
    /// `C_Login` and `C_LoginUser`.
    ///
    /// - Parameter work: gets the session of the module inside.
    func login(
        _ function: FunctionName, _ session: CK_SESSION_HANDLE, _ userType: CK_USER_TYPE,
        _ pin: UnsafeMutablePointer<UInt8>?, _ length: UInt, _ work: (CK_SESSION_HANDLE) -> CK_RV?
    ) -> CK_RV {
        self.call(function, in: session) { use in
            let started = Moment.now()
            let counter = userType == CKU_SO ? \CardRecord.securityOfficer : \CardRecord.user
            let result = self.tryPIN(of: counter, function, use, pin, [length]) { work(use.handle) }
            if result == CKR_OK { self.noteObjectsOfLogin(use, userType) }
            if result == CKR_OK, userType == CKU_CONTEXT_SPECIFIC, use.card?.asksForEachUse == true {
                self.authorize(session)
            }
            use.card?.takeTime(use.card?.profile.latency.login.value, since: started)
            return result
        }
    }

    /// The user has logged in for the operations that the session has begun.
    private func authorize(_ session: CK_SESSION_HANDLE) {
        self.reader.withState { state in
            for kind in state.sessions[session]?.keys.keys.map(\.self) ?? [] {
                state.sessions[session]?.keys[kind]?.needsLogin = false
            }
        }
    }

    /// `C_SetPIN`, which tries the old PIN.
    func setPIN(
        _ session: CK_SESSION_HANDLE, _ old: UnsafeMutablePointer<UInt8>?, _ oldLength: UInt,
        _ new: UnsafeMutablePointer<UInt8>?, _ newLength: UInt
    ) -> CK_RV {
        self.call(.setPIN, in: session) { use in
            var info = CK_SESSION_INFO()
            let isOfficer =
                self.inner.C_GetSessionInfo?(use.handle, &info) == CKR_OK && info.state == CKS_RW_SO_FUNCTIONS
            if let card = use.card, !isOfficer, card.refuses(new, newLength) {
                return self.refuse(.setPIN, .pinInvalid, nil)
            }
            return self.tryPIN(
                of: isOfficer ? \.securityOfficer : \.user, .setPIN, use, old, [oldLength, newLength]
            ) {
                self.inner.C_SetPIN?(use.handle, old, oldLength, new, newLength)
            }
        }
    }

    /// `C_InitPIN`, by which the security officer gives the user a new PIN and new tries.
    func initializePIN(_ session: CK_SESSION_HANDLE, _ pin: UnsafeMutablePointer<UInt8>?, _ length: UInt) -> CK_RV {
        self.call(.initPIN, in: session) { use in
            if let refusal = use.card?.refusal(ofPIN: pin, lengths: [length], isNew: true) { return refusal.rawValue }
            let result = self.inner.C_InitPIN?(use.handle, pin, length)
            if result == CKR_OK, let card = use.card {
                self.change(card) { $0.user = CardRecord.PINCounter() }
            }
            return result
        }
    }

    /// Lets the module inside judge a PIN, unless the card would not.
    private func tryPIN(
        of counter: WritableKeyPath<CardRecord, CardRecord.PINCounter>, _ function: FunctionName,
        _ use: SessionUse, _ pin: UnsafeMutablePointer<UInt8>?, _ lengths: [UInt], _ work: () -> CK_RV?
    ) -> CK_RV? {
        guard let card = use.card else { return work() }
        if counter == \.user, let refusal = card.refusal(ofPIN: pin, lengths: lengths, isNew: false) {
            self.events?.write(function, "refused by the profile: \(refusal)")
            return refusal.rawValue
        }
        guard card.maximumTries != nil || self.configuration.canLockPINs else { return work() }
        var result: CK_RV? = CKR_GENERAL_ERROR
        self.change(card) { record in
            guard !card.isLocked(record[keyPath: counter]) else {
                result = CKR_PIN_LOCKED
                return
            }
            result = work()
            if result == CKR_OK {
                record[keyPath: counter].wrong = 0
            } else if result == CKR_PIN_INCORRECT {
                record[keyPath: counter].wrong += 1
                if card.isLocked(record[keyPath: counter]) { result = CKR_PIN_LOCKED }
            }
        }
        if result != CKR_OK, let result { self.events?.write(function, "\(ReturnValue(rawValue: result))") }
        return result
    }

    private func change(_ card: Card, _ body: (inout CardRecord) -> Void) {
        do {
            try self.ledger.withLedger { ledger in body(&ledger[card.name]) }
        } catch {
            Simulator.log(error)  // The PIN was judged whatever becomes of the ledger.
        }
    }

    /// What `C_GetTokenInfo` says of PINs and sessions.
    func describeLimits(of card: Card, in info: inout CK_TOKEN_INFO) {
        let record = self.ledger.current().ledger[card.name]
        if card.maximumTries != nil || self.configuration.canLockPINs {
            info.flags = card.flags(
                record.user, in: info.flags, low: CKF_USER_PIN_COUNT_LOW, final: CKF_USER_PIN_FINAL_TRY,
                locked: CKF_USER_PIN_LOCKED)
            info.flags = card.flags(
                record.securityOfficer, in: info.flags, low: CKF_SO_PIN_COUNT_LOW, final: CKF_SO_PIN_FINAL_TRY,
                locked: CKF_SO_PIN_LOCKED)
        }
        if let minimum = card.profile.login.pinMinimum.value { info.ulMinPinLen = UInt(minimum) }
        if let maximum = card.profile.login.pinMaximum.value { info.ulMaxPinLen = UInt(maximum) }
        if let reported = card.profile.sessions.reported.value {
            let number = reported < 0 ? SIGNET_CK_UNAVAILABLE_INFORMATION : UInt(reported)
            info.ulMaxSessionCount = number
            info.ulMaxRwSessionCount = number
        }
    }
}

extension Card {
    /// Wrong PINs until it locks; `nil` for a card that does not lock.
    var maximumTries: Int? {
        if case .atMost(let tries)? = self.profile.login.tries.value { tries } else { nil }
    }

    func isLocked(_ counter: CardRecord.PINCounter) -> Bool {
        counter.isLocked || (self.maximumTries.map { counter.wrong >= $0 } ?? false)
    }

    /// A PIN of a length or a form that the card does not have, which it refuses without a try. A pad has no length.
    ///
    /// - Parameters:
    ///   - lengths: of the PIN, and of another one in the same call.
    ///   - isNew: true for one that is to be set, which is invalid where one that is tried is wrong.
    func refusal(ofPIN pin: UnsafeMutablePointer<UInt8>?, lengths: [UInt], isNew: Bool) -> ReturnValue? {
        guard pin != nil else { return nil }
        let login = self.profile.login
        let isTooShort = login.pinMinimum.value.map { bound in lengths.contains { $0 < bound } } ?? false
        let isTooLong = login.pinMaximum.value.map { bound in lengths.contains { $0 > bound } } ?? false
        if isTooShort || isTooLong { return .pinLenRange }
        return lengths.first.map { self.refuses(pin, $0) } ?? false ? (isNew ? .pinInvalid : .pinIncorrect) : nil
    }

    /// True for a PIN that is not of the form of the profile.
    func refuses(_ pin: UnsafeMutablePointer<UInt8>?, _ length: UInt) -> Bool {
        guard let pin, let format = self.profile.login.pinFormat.value, let count = Int(exactly: length) else {
            return false
        }
        let text = String(decoding: UnsafeBufferPointer(start: pin, count: count), as: UTF8.self)
        return !format.isFound(in: text)
    }

    /// Token flags for a counter (section 3.2): a wrong PIN was given, one try is left, none is.
    func flags(
        _ counter: CardRecord.PINCounter, in flags: CK_FLAGS, low: CK_FLAGS, final: CK_FLAGS, locked: CK_FLAGS
    ) -> CK_FLAGS {
        var flags = flags & ~(low | final | locked)
        if counter.wrong > 0 { flags |= low }
        if self.isLocked(counter) {
            flags |= locked
        } else if let tries = self.maximumTries, tries - counter.wrong == 1 {
            flags |= final
        }
        return flags
    }
}
