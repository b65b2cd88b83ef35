public import Diagnostics

/// How a token is, since when, and why.
public struct TokenHealth: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, Codable {
        /// The last work on the token went well.
        case up
        /// It works with less than it should have, or is being brought back.
        case degraded
        /// It does not work: requests fail at once until it is back.
        case down
    }

    /// What brought the token into its state.
    public struct Cause: Hashable, Sendable {
        /// One sentence.
        public var summary: String
        public var failureClass: FailureClass?
        /// The call that failed, where one did.
        public var tokenFailure: TokenFailure?

        public init(summary: String, failureClass: FailureClass? = nil, tokenFailure: TokenFailure? = nil) {
            self.summary = summary
            self.failureClass = failureClass
            self.tokenFailure = tokenFailure
        }
    }

    public var state: State
    /// Seconds since 1970, when the token came into this state.
    public var since: Int64
    /// `nil` for a token that has always been up.
    public var cause: Cause?
    /// How often the token was brought back since the program began.
    public var recoveries: Int
    /// Threads that hang in the module, given up by those who waited for them.
    public var abandonedThreads: Int
    /// How many sessions are used at most: fewer than configured when the device allows no more.
    public var sessionLimit: Int

    public init(
        state: State, since: Int64, cause: Cause? = nil, recoveries: Int = 0, abandonedThreads: Int = 0,
        sessionLimit: Int = 0
    ) {
        self.state = state
        self.since = since
        self.cause = cause
        self.recoveries = recoveries
        self.abandonedThreads = abandonedThreads
        self.sessionLimit = sessionLimit
    }
}

/// Tells how a token is.
public protocol TokenHealthReporting: Sendable {
    var health: TokenHealth { get }

    /// The present state, then every change of it, until the consumer ends or the token is closed.
    func healthChanges() -> AsyncStream<TokenHealth>
}
