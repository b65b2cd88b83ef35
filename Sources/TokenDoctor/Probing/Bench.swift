internal import DeviceProfiles
internal import PKCS11

/// What came of one ability.
struct Outcome: Sendable {
    let ability: Ability
    let failure: ProbeFailure?
}

/// Makes test keys and tries abilities with them. A call that failed ends its session, and with it the session's
/// objects: what is left to try goes on with a new key in a new one.
struct Bench: Sendable {
    let token: Token
    let profile: DeviceProfile
    /// Whether test objects are token objects, for devices without session objects.
    let onToken: Bool
    /// The `CKA_ID` of every test object.
    let id: [UInt8]
    let logIn: @Sendable () async throws -> Void
    let milliseconds: @Sendable () -> Double

    /// A card takes minutes for an RSA key; a call that takes longer than this hangs.
    private static let patience = Duration.seconds(300)

    private struct Batch: Sendable {
        var outcomes: [Outcome]
        var measured: Measurements
    }

    /// - Returns: an outcome for each ability, in order.
    func run(_ abilities: [Ability], with kind: TestKeyKind, measuring measured: inout Measurements) async -> [Outcome]
    {
        var outcomes: [Outcome] = []
        while outcomes.count < abilities.count {
            let pending = Array(abilities.dropFirst(outcomes.count))
            do {
                if self.token.hasOneSession { try await self.logIn() }
                let known = measured
                let batch = try await self.token.withSession(
                    .readWrite, isNew: !self.token.hasOneSession, limit: Bench.patience
                ) {
                    session in
                    try self.batch(pending, kind, session, known)
                }
                outcomes += batch.outcomes
                measured = batch.measured
            } catch {
                // Without a key none of them can be tried.
                outcomes += pending.map { Outcome(ability: $0, failure: ProbeFailure(error)) }
                await self.removeResidue()
            }
        }
        return outcomes
    }

    /// A full card may keep one half of a pair that it did not make, and has no room for the next key then.
    private func removeResidue() async {
        guard self.onToken else { return }
        do {
            if self.token.hasOneSession { try await self.logIn() }
            _ = try await TokenInventory(token: self.token).removeTestObjects()
        } catch {
            // The sweep at the end of the examination tries again, and tells what is left.
        }
    }

    private func batch(
        _ abilities: [Ability], _ kind: TestKeyKind, _ session: Session, _ measured: Measurements
    ) throws -> Batch {
        var measured = measured
        let templates = kind.templates(id: self.id, onToken: self.onToken)
        let size = self.onToken ? StoredSize(on: self.token) : nil
        let start = self.milliseconds()
        let key = try session.generateKeyPair(
            kind.mechanism, publicKey: templates.publicKey, privateKey: templates.privateKey)
        if kind.modulusBits == 2048 { measured.latencies["keygen_rsa2048"] = self.milliseconds() - start }
        if let algorithm = kind.algorithm, let size = size?.bytes(of: [key.publicKey, key.privateKey], in: session) {
            measured.pairCosts[algorithm] = size.bytes
            measured.reportsMemory = measured.reportsMemory || size.isByMemory
        }
        let probe = try Probe(session: session, key: key, kind: kind, bench: self, measured: measured)
        // A key that says of itself what must not be is no use to any ability; what they can is measured all the same.
        let objection = Result { try probe.judgeAttributes() }.failure.map(ProbeFailure.init)
        var outcomes: [Outcome] = []
        for ability in abilities {
            do {
                try ability.run(probe)
                outcomes.append(Outcome(ability: ability, failure: objection))
            } catch {
                let failure = ProbeFailure(error)
                outcomes.append(Outcome(ability: ability, failure: failure))
                guard failure.leavesSessionUsable else { break }
            }
        }
        do {
            try session.destroyObject(key.publicKey)
            try session.destroyObject(key.privateKey)
        } catch {
            // The end of the session removes session objects, and the sweep at the end removes token objects.
        }
        return Batch(outcomes: outcomes, measured: probe.measured)
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
