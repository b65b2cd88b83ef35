/// How long work on a token may take before its caller is answered without it, and what its sessions are like.
public struct TokenLimits: Hashable, Sendable {
    /// One piece of work in a session: a signature with everything around it.
    public var call: Duration
    /// A login, which waits for a person where the PIN is entered at the device.
    public var login: Duration
    /// The time that work waits for a free thread.
    public var queue: Duration
    /// After this time a session that nothing uses is closed, before the device closes it; `nil` for never.
    public var idleSession: Duration?
    /// False for a device that has read-write sessions only.
    public var hasReadOnlySessions: Bool
    /// True for a device with one session in all: the session of the login is also the one that works, and a new
    /// session needs a new login.
    public var hasOneSession: Bool

    public init(
        call: Duration = .seconds(60), login: Duration = .seconds(120), queue: Duration = .seconds(120),
        idleSession: Duration? = nil, hasReadOnlySessions: Bool = true,
        hasOneSession: Bool = false
    ) {
        self.hasOneSession = hasOneSession
        self.hasReadOnlySessions = hasReadOnlySessions
        self.call = call
        self.login = login
        self.queue = queue
        self.idleSession = idleSession
    }
}
