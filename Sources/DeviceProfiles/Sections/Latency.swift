extension DeviceProfile {
    /// How long calls take: medians in milliseconds.
    public struct Latency: Hashable, Sendable {
        /// `C_OpenSession`.
        public var open: ProfileValue<Double> = .unknown
        /// `C_Login`.
        public var login: ProfileValue<Double> = .unknown
        public var signRSA2048: ProfileValue<Double> = .unknown
        public var signP256: ProfileValue<Double> = .unknown
        public var signP384: ProfileValue<Double> = .unknown
        public var generateRSA2048: ProfileValue<Double> = .unknown
        /// The 99th percentile of a signature.
        public var percentile99: ProfileValue<Double> = .unknown

        /// Everything unknown.
        public init() {}
    }
}

extension DeviceProfile.Latency: ProfileTable {
    static var table: [SectionField<Self>] {
        [
            SectionField("open", \.open, .milliseconds),
            SectionField("login", \.login, .milliseconds),
            SectionField("sign_rsa2048", \.signRSA2048, .milliseconds),
            SectionField("sign_p256", \.signP256, .milliseconds),
            SectionField("sign_p384", \.signP384, .milliseconds),
            SectionField("keygen_rsa2048", \.generateRSA2048, .milliseconds),
            SectionField("p99", \.percentile99, .milliseconds),
        ]
    }
}
