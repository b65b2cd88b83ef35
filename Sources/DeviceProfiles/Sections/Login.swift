extension DeviceProfile {
    /// What a device asks of a PIN and of the one who logs in.
    public struct Login: Hashable, Sendable {
        /// Whether keys ask for the PIN at each use (`CKA_ALWAYS_AUTHENTICATE`).
        public enum AlwaysAuthenticate: String, Hashable, Sendable, CaseIterable {
            case no
            case perKey = "per-key"
        }

        /// Who must be logged in to generate keys.
        public enum Role: String, Hashable, Sendable, CaseIterable {
            case user, so
        }

        /// Shortest PIN in bytes.
        public var pinMinimum: ProfileValue<Int> = .unknown
        /// Longest PIN in bytes.
        public var pinMaximum: ProfileValue<Int> = .unknown
        /// Wrong PINs until it locks; unlimited for a device that never locks.
        public var tries: ProfileValue<Limit> = .unknown
        /// What a PIN looks like where it is more than text.
        public var pinFormat: ProfileValue<ProfilePattern> = .unknown
        public var alwaysAuthenticate: ProfileValue<AlwaysAuthenticate> = .unknown
        public var keyGenerationRole: ProfileValue<Role> = .unknown

        /// Everything unknown.
        public init() {}
    }
}

extension DeviceProfile.Login: ProfileTable {
    static var table: [SectionField<Self>] {
        [
            SectionField("pin_min", \.pinMinimum, .integer(atLeast: 0)),
            SectionField("pin_max", \.pinMaximum, .integer(atLeast: 0)),
            SectionField("tries", \.tries, .limit),
            SectionField("pin_format", \.pinFormat, .pattern),
            SectionField("always_auth", \.alwaysAuthenticate, .choice),
            SectionField("keygen_role", \.keyGenerationRole, .choice),
        ]
    }

    func check(_ section: ProfileSection) {
        if let minimum = self.pinMinimum.value, let maximum = self.pinMaximum.value, minimum > maximum {
            section.report("pin_max", "\(maximum) is less than pin_min, which is \(minimum)")
        }
    }
}
