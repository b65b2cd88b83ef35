internal import CPKCS11
internal import DeviceProfiles

/// A token that a rule of the configuration is for.
struct Card {
    let slot: CK_SLOT_ID
    /// Serial number and label: what the ledger calls it.
    let name: String
    let profile: DeviceProfile

    var limits: CardLimits { CardLimits(capacity: self.profile.capacity) }

    /// - Returns: `nil` when no rule is for the token.
    init?(slot: CK_SLOT_ID, info: CK_TOKEN_INFO, in configuration: SimulatorConfiguration) {
        let label = withUnsafeBytes(of: info.label, PaddedText.read)
        guard let rule = configuration.tokens.first(where: { $0.label.isFound(in: label) }) else { return nil }
        let serial = withUnsafeBytes(of: info.serialNumber, PaddedText.read)
        self.slot = slot
        self.name = "\(serial) \(label)".split(whereSeparator: \.isNewline).joined(separator: " ")
        self.profile = rule.profile
    }
}

extension Simulation {
    /// The card in a slot, if a rule is for it.
    func card(in slot: CK_SLOT_ID) -> Card? {
        guard !self.configuration.tokens.isEmpty else { return nil }
        var info = CK_TOKEN_INFO()
        guard self.inner.C_GetTokenInfo?(slot, &info) == CKR_OK else { return nil }
        return Card(slot: slot, info: info, in: self.configuration)
    }

    /// The card that a session is open on, if its profile has limits that a new object could exceed.
    ///
    /// - Parameter isPrivate: whether the object is private. A session that may not write it gets no card: the
    ///   module inside is to refuse it in its own words.
    func limitedCard(of session: CK_SESSION_HANDLE, writing isPrivate: Bool) -> Card? {
        guard !self.configuration.tokens.isEmpty else { return nil }
        var info = CK_SESSION_INFO()
        guard self.inner.C_GetSessionInfo?(session, &info) == CKR_OK,
            info.state == CKS_RW_USER_FUNCTIONS || (!isPrivate && info.flags & CKF_RW_SESSION != 0),
            let card = self.card(in: info.slotID), card.limits.areAny
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
                let before = self.look(at: card, knowing: ledger[card.name])
                result = operation(before)
                ledger[card.name] = self.look(at: card, knowing: before)
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
            try self.ledger.withLedger { ledger in
                census = self.look(at: card, knowing: ledger[card.name])
                ledger[card.name] = census
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
