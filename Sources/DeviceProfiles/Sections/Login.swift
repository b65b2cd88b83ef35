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
        /// What a PIN is made of where it is more than text, such as `keyid4hex+password`.
        public var pinFormat: ProfileValue<String> = .unknown
        public var alwaysAuthenticate: ProfileValue<AlwaysAuthenticate> = .unknown
        public var keyGenerationRole: ProfileValue<Role> = .unknown

        /// Everything unknown.
        public init() {}
    }
}

extension DeviceProfile.Login {
    init(reading section: ProfileSection) {
        section.allow(["pin_min", "pin_max", "tries", "pin_format", "always_auth", "keygen_role"])
        self.pinMinimum = section.value("pin_min") { $0.integer(atLeast: 0) }
        self.pinMaximum = section.value("pin_max") { $0.integer(atLeast: 0) }
        self.tries = section.value("tries") { $0.limit() }
        self.pinFormat = section.value("pin_format") { $0.text() }
        self.alwaysAuthenticate = section.value("always_auth") { $0.choice() }
        self.keyGenerationRole = section.value("keygen_role") { $0.choice() }
        if let minimum = self.pinMinimum.value, let maximum = self.pinMaximum.value, minimum > maximum {
            section.report("pin_max", "\(maximum) is less than pin_min, which is \(minimum)")
        }
    }
}
