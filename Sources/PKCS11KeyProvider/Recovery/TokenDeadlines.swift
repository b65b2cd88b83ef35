public import DeviceProfiles
internal import PKCS11

/// How long each kind of work on a token may take before whoever waits is answered without it.
///
/// From the latencies of the device profile where it has them, otherwise from the values that are given: long enough
/// for the slowest device known, and never endless.
public struct TokenDeadlines: Hashable, Sendable {
    /// A signature, a decryption, a search.
    public var use: Duration
    /// Generating a key pair.
    public var generate: Duration
    /// Logging in; a person may be at the device's PIN pad.
    public var login: Duration
    /// Looking for the token in all slots (`C_GetSlotList` was seen to block for 27 s).
    public var rescan: Duration
    /// `C_Finalize` and `C_Initialize`.
    public var reinitialize: Duration
    /// Waiting for a free session.
    public var queue: Duration

    public init(
        use: Duration = .seconds(30), generate: Duration = .seconds(300), login: Duration = .seconds(120),
        rescan: Duration = .seconds(45), reinitialize: Duration = .seconds(60), queue: Duration = .seconds(60)
    ) {
        self.use = use
        self.generate = generate
        self.login = login
        self.rescan = rescan
        self.reinitialize = reinitialize
        self.queue = queue
    }

    /// The deadlines for a device: fifty times what an operation usually takes, and 10 s (a minute for key generation)
    /// at least, where the profile knows it; and never longer than the time for which its calls were seen to hang.
    public init(profile: DeviceProfile, otherwise fallback: TokenDeadlines = TokenDeadlines()) {
        self = fallback
        let latency = profile.latency
        let uses = [latency.signRSA2048, latency.signP256, latency.signP384, latency.percentile99].compactMap(\.value)
        if let slowest = uses.max() { self.use = .milliseconds(max(10_000, Int64(slowest * 50))) }
        if case .atMost(let seconds)? = profile.lifecycle.hangSeconds.value {
            self.use = min(self.use, .seconds(seconds))
        }
        if let generation = latency.generateRSA2048.value {
            self.generate = .milliseconds(max(60_000, Int64(generation * 50)))
        }
        if let login = latency.login.value, profile.login.alwaysAuthenticate.value != nil {
            self.login = .milliseconds(max(30_000, Int64(login * 50)))
        }
    }

    var limits: TokenLimits { TokenLimits(call: self.use, login: self.login, queue: self.queue) }
}
