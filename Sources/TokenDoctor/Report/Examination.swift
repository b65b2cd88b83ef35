internal import DeviceProfiles
package import Diagnostics

/// Everything that one run of the doctor found out.
package struct Examination: Sendable, Codable, Hashable {
    package var token: TokenIdentification
    /// The date of the run.
    package var when: String
    /// The profile in force; `nil` when none matches.
    package var profile: String?
    /// Where test keys were made.
    package var objects: TokenDoctor.ObjectKind
    package var roles: [RoleReport]
    package var measured: [MeasuredValue]
    /// Test objects that an earlier run, which was killed, had left.
    package var removedFromEarlierRuns: Int
    /// How the token differs from what it was; empty when it does not.
    package var leftBehind: [String]

    /// True when every role can be played and the token is as it was.
    package var isGood: Bool { self.leftBehind.isEmpty && self.roles.allSatisfy(\.can) }
}

/// Whether a token can play a role.
package struct RoleReport: Sendable, Codable, Hashable {
    package var role: DoctorRole
    package var can: Bool
    package var requirements: [RequirementReport]

    init(role: DoctorRole, requirements: [RequirementReport]) {
        self.role = role
        self.can = requirements.allSatisfy { $0.isMet || $0.isOptional }
        self.requirements = requirements
    }
}

/// One thing that a role needs; one ability is enough.
package struct RequirementReport: Sendable, Codable, Hashable {
    package var title: String
    package var isMet: Bool
    /// True for what the role can do without.
    package var isOptional: Bool
    package var abilities: [AbilityReport]

    init(title: String, isOptional: Bool, abilities: [AbilityReport]) {
        self.isOptional = isOptional
        self.title = title
        self.isMet = abilities.contains { $0.can }
        self.abilities = abilities
    }
}

/// One thing that was tried.
package struct AbilityReport: Sendable, Codable, Hashable {
    /// Stable name, such as `kra.oaep-sha256`.
    package var id: String
    package var title: String
    package var can: Bool
    /// Why not, as a clause.
    package var because: String?
    /// What to change, as a sentence.
    package var change: String?

    init(_ ability: Ability, failure: ProbeFailure?) {
        self.id = ability.id
        self.title = ability.title
        self.can = failure == nil
        self.because = failure?.reason
        self.change = failure?.change
    }
}

/// One value of a device profile as it was measured.
package struct MeasuredValue: Sendable, Codable, Hashable {
    package var path: String
    package var text: String
    /// What the profile in force says; `nil` when there is none.
    package var profile: String?

    /// `true` when the profile says otherwise. Latencies are compared nowhere: they are those of one machine.
    package var contradictsProfile: Bool {
        guard let profile = self.profile, profile != "unknown", !self.path.hasPrefix("latency.") else { return false }
        return profile != self.text
    }

    /// `true` when the profile does not know it.
    package var isNew: Bool { self.profile == "unknown" }
}
