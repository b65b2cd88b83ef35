internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics
internal import Synchronization

/// A token that a rule of the configuration is for.
final class Card: Sendable {
    /// The slot of the module inside.
    let slot: CK_SLOT_ID
    /// Serial number and label: what the ledger calls it.
    let name: String
    let rule: SimulatorConfiguration.TokenRule
    /// The most bytes that one call takes.
    let maximumData: UInt
    /// Whether keys with `CKA_ALWAYS_AUTHENTICATE` want a login for each use, and keys are made with it.
    let asksForEachUse: Bool
    /// Whether an operation that failed stays active.
    let keepsFailedOperations: Bool
    /// Nanoseconds after which an idle session is closed; `nil` when none is.
    private let idleTime: UInt64?
    /// Where the number of AES key wrap with padding is another than inside.
    let paddedWrap: PaddedWrapNumbers?
    /// Whether ECDSA signatures are DER.
    let encodesSignatures: Bool
    /// Whether points of curves have no OCTET STRING around them.
    let givesBarePoints: Bool
    /// Whether the card makes the initialization vector of AES-GCM.
    let makesVectors: Bool
    /// Whether a process sees what was there when it began.
    let showsObjectsOfStart: Bool
    /// Entries in the audit log; `nil` where there is no bound.
    let maximumLogEntries: Int?
    /// Uses of keys begun, to know which of them is a slow one.
    private let usesBegun = Atomic<Int>(0)

    var profile: DeviceProfile { self.rule.profile }
    var limits: CardLimits { CardLimits(capacity: self.profile.capacity) }

    /// What the ledger calls a token, and the rule that is for it; `nil` when none is.
    static func rule(
        for info: CK_TOKEN_INFO, in configuration: SimulatorConfiguration
    ) -> (name: String, rule: SimulatorConfiguration.TokenRule)? {
        let label = withUnsafeBytes(of: info.label, PaddedText.read)
        guard let rule = configuration.tokens.first(where: { $0.label.isFound(in: label) }) else { return nil }
        let serial = withUnsafeBytes(of: info.serialNumber, PaddedText.read)
        return ("\(serial) \(label)".split(whereSeparator: \.isNewline).joined(separator: " "), rule)
    }

    /// - Parameter mechanisms: what the module inside lists for the slot.
    init(
        slot: CK_SLOT_ID, name: String, rule: SimulatorConfiguration.TokenRule, mechanisms: [CK_MECHANISM_TYPE]
    ) {
        self.slot = slot
        self.name = name
        self.rule = rule
        self.paddedWrap = PaddedWrapNumbers(rule.profile.mechanisms, listed: mechanisms)
        self.encodesSignatures = rule.profile.template.ecdsaSignature.value == .der
        self.givesBarePoints = rule.profile.template.ecPoint.value == .raw
        self.makesVectors = rule.profile.mechanisms.gcmInitializationVector.value == .device
        self.showsObjectsOfStart = rule.profile.lifecycle.visibility.value == .atInitialization
        if case .atMost(let entries)? = rule.profile.capacity.logEntries.value {
            self.maximumLogEntries = entries
        } else {
            self.maximumLogEntries = nil
        }
        if case .atMost(let bytes)? = rule.profile.mechanisms.maximumData.value {
            self.maximumData = UInt(bytes)
        } else {
            self.maximumData = .max
        }
        self.asksForEachUse = rule.profile.login.alwaysAuthenticate.value == .perKey
        self.keepsFailedOperations = rule.profile.lifecycle.operationSticky.value == true
        if case .atMost(let seconds)? = rule.profile.sessions.idleSeconds.value {
            self.idleTime = UInt64(seconds) * 1_000_000_000
        } else {
            self.idleTime = nil
        }
    }

    // What a card does of which nobody knows better is what was measured with a card under OpenSC.

    /// What calls give while the card is out.
    var removed: ReturnValue { self.profile.lifecycle.removed.value ?? .deviceRemoved }
    /// For how many seconds a call of the device was seen to hang.
    var hangSeconds: Double? {
        if case .atMost(let seconds)? = self.profile.lifecycle.hangSeconds.value { Double(seconds) } else { nil }
    }
    /// What a session gives that the card no longer has.
    var staleSession: ReturnValue { self.profile.lifecycle.staleSession.value ?? .sessionHandleInvalid }
    /// Whether the program has to look at the slots to see that the card is back.
    var needsRescan: Bool { self.profile.lifecycle.needsRescan }

    var countsSessionsOfDevice: Bool {
        guard case .atMost? = self.profile.sessions.maximum.value else { return false }
        return self.profile.sessions.scope.value == .device
    }

    /// - Parameters:
    ///   - moment: of the last use, by ``Moment``.
    func isIdle(since moment: UInt64, now: UInt64) -> Bool {
        guard let idleTime = self.idleTime else { return false }
        return now > moment && now - moment > idleTime
    }

    /// How long a use of a key takes in milliseconds: each hundredth as long as the 99th percentile says.
    func duration(of kind: OperationKind, with key: ObjectDescriptor) -> Double? {
        guard let median = self.profile.latency.operation(kind, of: key) else { return nil }
        guard let slow = self.profile.latency.percentile99.value else { return median }
        return self.usesBegun.add(1, ordering: .relaxed).newValue.isMultiple(of: 100) ? slow : median
    }

    /// Waits until a call has taken as long as on the device, if that is wanted.
    func takeTime(_ milliseconds: Double?, since start: UInt64) {
        guard self.rule.hasLatency, let milliseconds else { return }
        Moment.wait(seconds: milliseconds / 1000 - Double(Moment.now() - start) / 1e9)
    }
}

extension Simulation {
    /// The card in a slot of the module inside, if a rule is for it. The reader and the ledger come to know it.
    func card(in slot: CK_SLOT_ID) -> Card? {
        guard !self.configuration.tokens.isEmpty else { return nil }
        var info = CK_TOKEN_INFO()
        guard self.inner.C_GetTokenInfo?(slot, &info) == CKR_OK,
            let (name, rule) = Card.rule(for: info, in: self.configuration)
        else { return nil }
        let known = self.reader.withState { state -> Card? in
            if let known = state.cards[name], known.card.slot == slot { return known.card }
            // A token that was there before and has another name now was initialized anew.
            state.cards = state.cards.filter { $0.value.card.slot != slot }
            return nil
        }
        if let known { return known }
        let card = Card(slot: slot, name: name, rule: rule, mechanisms: self.innerMechanisms(of: slot))
        var presence = CardRecord.Presence()
        do {
            presence = try self.ledger.withLedger { ledger in
                ledger[card.name] = ledger[card.name]
                return ledger[card.name].presence
            }
        } catch {
            Simulator.log(error)  // A card that was taken out cannot be told from one that is there.
        }
        let view = CardView(card: card, presence: presence)
        self.reader.withState { $0.cards[card.name] = view }
        return card
    }

    private func innerMechanisms(of slot: CK_SLOT_ID) -> [CK_MECHANISM_TYPE] {
        var count: CK_ULONG = 0
        guard self.inner.C_GetMechanismList?(slot, nil, &count) == CKR_OK else { return [] }
        var types = [CK_MECHANISM_TYPE](repeating: 0, count: Int(count))
        guard self.inner.C_GetMechanismList?(slot, &types, &count) == CKR_OK else { return [] }
        return Array(types.prefix(Int(count)))
    }

    /// Meets all cards, so that commands over the control socket can name them.
    func identifyCards() {
        guard !self.configuration.tokens.isEmpty else { return }
        for slot in self.innerSlots(tokenPresent: CK_BBOOL(CK_TRUE)) ?? [] { _ = self.card(in: slot) }
    }

    /// The card that a session is open on, if its profile has limits that a new object could exceed.
    ///
    /// - Parameter isPrivate: whether the object is private. A session that may not write it gets no card: the
    ///   module inside is to refuse it in its own words.
    func limitedCard(of use: SessionUse, writing isPrivate: Bool) -> Card? {
        guard let card = use.card, card.limits.areAny else { return nil }
        var info = CK_SESSION_INFO()
        guard self.inner.C_GetSessionInfo?(use.handle, &info) == CKR_OK,
            info.state == CKS_RW_USER_FUNCTIONS || (!isPrivate && info.flags & CKF_RW_SESSION != 0)
        else { return nil }
        return card
    }

    /// Runs an operation that changes what is on a card, alone among all users of the ledger.
    ///
    /// - Parameter operation: gets what is on the card now.
    func alone(on card: Card, _ operation: (Census) -> CK_RV) -> CK_RV {
        var result = CKR_GENERAL_ERROR
        do {
            try self.ledger.withLedger { ledger in
                let before = self.look(at: card, knowing: ledger[card.name].census)
                result = operation(before)
                ledger[card.name].census = self.look(at: card, knowing: before)
            }
        } catch {
            // When only the writing failed, the operation was done and has its own result.
            Simulator.log(error)
        }
        return result
    }

    /// What is on a card now.
    func currentCensus(of card: Card) -> Census {
        var census = Census()
        do {
            census = try self.ledger.withLedger { ledger in
                let census = self.look(at: card, knowing: ledger[card.name].census)
                ledger[card.name].census = census
                return census
            }
        } catch {
            Simulator.log(error)  // A report of memory is no reason to fail; the next write will.
        }
        return census
    }

    /// Counts the objects on a card, taking from the ledger those that cannot be seen without login.
    private func look(at card: Card, knowing earlier: Census) -> Census {
        guard let scan = CardScan(module: self.module).run(slot: card.slot) else { return earlier }
        return scan.isComplete ? scan.census : scan.census.completed(from: earlier)
    }
}
