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

extension DeviceProfile.Latency {
    init(reading section: ProfileSection) {
        section.allow(["open", "login", "sign_rsa2048", "sign_p256", "sign_p384", "keygen_rsa2048", "p99"])
        self.open = section.value("open") { $0.milliseconds() }
        self.login = section.value("login") { $0.milliseconds() }
        self.signRSA2048 = section.value("sign_rsa2048") { $0.milliseconds() }
        self.signP256 = section.value("sign_p256") { $0.milliseconds() }
        self.signP384 = section.value("sign_p384") { $0.milliseconds() }
        self.generateRSA2048 = section.value("keygen_rsa2048") { $0.milliseconds() }
        self.percentile99 = section.value("p99") { $0.milliseconds() }
    }
}
