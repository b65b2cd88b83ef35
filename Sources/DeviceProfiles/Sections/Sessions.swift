public import Diagnostics

extension DeviceProfile {
    /// How many sessions a device has.
    public struct Sessions: Hashable, Sendable {
        /// Over what the maximum is counted.
        public enum Scope: String, Hashable, Sendable, CaseIterable {
            case process, module, device
        }

        /// The real maximum.
        public var maximum: ProfileValue<Limit> = .unknown
        /// `ulMaxSessionCount` as the device reports it, as a signed number; 0 is "effectively infinite", -1 "not told".
        public var reported: ProfileValue<Int> = .unknown
        public var scope: ProfileValue<Scope> = .unknown
        /// Seconds after which the device closes an idle session.
        public var idleSeconds: ProfileValue<Limit> = .unknown
        /// What `C_OpenSession` returns above the maximum.
        public var overLimit: ProfileValue<ReturnValue> = .unknown
        /// Whether there are read-only sessions; without them every session has to be opened read-write.
        public var readOnly: ProfileValue<Bool> = .unknown

        /// Everything unknown.
        public init() {}
    }
}

extension DeviceProfile.Sessions: ProfileTable {
    static var table: [SectionField<Self>] {
        [
            SectionField("max", \.maximum, .limit),
            SectionField("reported", \.reported, .integer(atLeast: -2)),
            SectionField("scope", \.scope, .choice),
            SectionField("idle_s", \.idleSeconds, .limit),
            SectionField("over_rv", \.overLimit, .returnValue),
            SectionField("ro", \.readOnly, .boolean),
        ]
    }
}
