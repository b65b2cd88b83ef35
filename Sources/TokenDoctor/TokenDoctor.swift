package import DeviceProfiles
internal import Diagnostics
package import PKCS11

/// Finds out what a token can do, by doing it: exactly the operations that a CA, an exchange key and a key recovery agent
/// need, with test objects that are gone afterwards.
package struct TokenDoctor: Sendable {
    /// `CKA_LABEL` of every test object.
    package static let label = "signet token doctor"

    /// Where test keys are made.
    package enum ObjectKind: String, Sendable, Codable {
        /// In the session; they end with it. Costs no memory of the token.
        case session
        /// On the token, removed afterwards.
        case token
    }

    private let token: Token
    private let profile: DeviceProfile
    private let isProfileKnown: Bool
    private let objects: ObjectKind?
    private let isThorough: Bool
    private let logIn: @Sendable () async throws -> Void
    private let randomBytes: @Sendable (Int) -> [UInt8]
    private let milliseconds: @Sendable () -> Double

    /// - Parameters:
    ///   - token: with its user logged in; the doctor uses sessions of its own.
    ///   - profile: what is believed of the device; `nil` when nothing is.
    ///   - objects: `nil` for session objects where the device has them.
    ///   - isThorough: also tries what takes minutes on a card, and opens sessions until the device refuses one.
    ///   - logIn: logs in again on a device with one session, where the login ends with each call that fails.
    ///   - randomBytes: for the `CKA_ID` of the test objects.
    ///   - milliseconds: a clock that does not go back.
    package init(
        token: Token, profile: DeviceProfile?, objects: ObjectKind? = nil, isThorough: Bool = false,
        logIn: @escaping @Sendable () async throws -> Void = {},
        randomBytes: @escaping @Sendable (Int) -> [UInt8], milliseconds: @escaping @Sendable () -> Double
    ) {
        self.token = token
        self.profile = profile ?? DeviceProfile(name: "unknown", summary: "A device without a profile")
        self.isProfileKnown = profile != nil
        self.objects = objects
        self.isThorough = isThorough
        self.logIn = logIn
        self.randomBytes = randomBytes
        self.milliseconds = milliseconds
    }

    /// Tries everything that the roles need.
    ///
    /// - Parameter when: the date for the report, such as `2026-01-31`.
    /// - Throws: ``PKCS11Error`` when the token's objects cannot be listed; a call that fails later is a finding.
    package func examine(_ roles: [DoctorRole], when: String) async throws -> Examination {
        let inventory = TokenInventory(token: self.token)
        let old = try await inventory.removeTestObjects()
        let before = try await inventory.list()
        var measured = Measurements()
        measured.openMilliseconds = try await self.openingTime()
        measured.loginMilliseconds = self.token.loginMilliseconds
        let bench = await self.bench(&measured)
        var reports: [RoleReport] = []
        for role in roles { reports.append(await self.examine(role, bench, &measured)) }
        if self.isThorough { measured.sessions = try await self.sessionLimit() }
        let left = await self.cleanUp(inventory, before: before)
        let info = self.token.info
        return Examination(
            token: info.identification, when: when, profile: self.isProfileKnown ? self.profile.name : nil,
            objects: bench.onToken ? .token : .session, roles: reports,
            measured: MeasuredProfile(measured, info: info, mechanisms: self.mechanisms()).values(
                comparedWith: self.isProfileKnown ? self.profile : nil),
            removedFromEarlierRuns: old, leftBehind: left)
    }

    /// What could not be removed, or is gone that was there.
    private func cleanUp(_ inventory: TokenInventory, before: [String]) async -> [String] {
        do {
            _ = try await inventory.removeTestObjects()
            let after = try await inventory.list()
            let changes = after.difference(from: before)
            return changes.map { change in
                switch change {
                case .insert(_, let object, _): "left behind: \(object)"
                case .remove(_, let object, _): "gone: \(object)"
                }
            }
        } catch {
            return ["test objects may be left with the label \"\(TokenDoctor.label)\": \(ErrorReport(error).headline)"]
        }
    }

    private func openingTime() async throws -> Double {
        var times: [Double] = []
        for _ in 0..<5 {
            let start = self.milliseconds()
            // Of a device's only session there is nothing to measure.
            try await self.token.withSession(.readOnly, isNew: !self.token.hasOneSession) { _ in }
            times.append(self.milliseconds() - start)
        }
        return times.sorted()[times.count / 2]
    }

    /// How many sessions the device allows, as far as this goes: it may have other users.
    private static let sessionsTried = 64

    /// Opens sessions until one is refused.
    private func sessionLimit() async throws -> Measurements.Sessions {
        // One is that of this thread, and but for a device with one session another one keeps the login.
        let own = self.token.hasOneSession ? 1 : 2
        return try await self.token.withSession(.readOnly) { session in
            let more = session.openMore(upTo: TokenDoctor.sessionsTried)
            return Measurements.Sessions(count: more.count + own, refusal: more.refusal)
        }
    }

    /// Names of the mechanisms that the token lists; empty when it does not list any.
    private func mechanisms() -> [MechanismType] {
        // A device that cannot list them is judged by what it did.
        (try? self.token.slot.mechanisms()) ?? []
    }

    /// Session objects where they work: a key is made in both ways only when the first way fails.
    private func bench(_ measured: inout Measurements) async -> Bench {
        let inSession = self.bench(onToken: false)
        let onToken = self.bench(onToken: true)
        switch self.objects {
        case .session?: return inSession
        case .token?: return onToken
        case nil: break
        }
        if self.profile.template.sessionObjects.value == false { return onToken }
        let trial = Ability(id: "objects", title: "session objects", key: .signingRSA2048, run: { _ in })
        if await inSession.run([trial], with: .signingRSA2048, measuring: &measured).allSatisfy({ $0.failure == nil }) {
            measured.sessionObjects = true
            return inSession
        }
        if await onToken.run([trial], with: .signingRSA2048, measuring: &measured).allSatisfy({ $0.failure == nil }) {
            measured.sessionObjects = false
            return onToken
        }
        return inSession
    }

    private func bench(onToken: Bool) -> Bench {
        Bench(
            token: self.token, profile: self.profile, onToken: onToken, id: self.randomBytes(20), logIn: self.logIn,
            milliseconds: self.milliseconds)
    }

    private func examine(_ role: DoctorRole, _ bench: Bench, _ measured: inout Measurements) async -> RoleReport {
        let requirements = role.requirements(isThorough: self.isThorough)
        var failures: [String: ProbeFailure?] = [:]
        for kind in TestKeyKind.allCases {
            let abilities = requirements.flatMap(\.abilities).filter { $0.key == kind }
            guard !abilities.isEmpty else { continue }
            for outcome in await bench.run(abilities, with: kind, measuring: &measured) {
                failures[outcome.ability.id] = .some(outcome.failure)
            }
        }
        return RoleReport(
            role: role,
            requirements: requirements.map { requirement in
                RequirementReport(
                    title: requirement.title, isOptional: requirement.isOptional,
                    abilities: requirement.abilities.map { ability in
                        AbilityReport(ability, failure: failures[ability.id] ?? nil)
                    })
            })
    }
}
