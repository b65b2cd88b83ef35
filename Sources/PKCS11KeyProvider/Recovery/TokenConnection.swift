internal import DeviceProfiles
internal import Diagnostics
internal import KeyProvider
internal import PKCS11
internal import Synchronization

/// The way to one token, kept open: sessions, login, and the ladder that brings both back.
///
/// Work takes the present ``LiveToken`` without waiting. What fails in a way that a rung can mend waits for the ladder,
/// which one task climbs for all.
final class TokenConnection: Sendable {
    enum Status: Sendable {
        /// Not logged in yet.
        case fresh
        case ready
        /// To be brought back by this rung before the next use.
        case lost(Rung, any Error)
        /// The ladder ended without a token; not climbed again before this time.
        case down(until: ContinuousClock.Instant, any Error)
        case closed
    }

    /// A piece of work that failed, and where.
    struct Failure: Sendable {
        let live: LiveToken
        let error: any Error
    }

    struct State {
        var live: LiveToken { didSet { self.note() } }
        var status = Status.fresh { didSet { self.note() } }
        /// ``live`` while it is ready: all that a signature asks for.
        private(set) var ready: LiveToken?
        var supervisor: Task<Void, Never>?
        var keeper: Task<Void, Never>?

        init(live: LiveToken) { self.live = live }

        private mutating func note() {
            if case .ready = self.status { self.ready = self.live } else { self.ready = nil }
        }
    }

    let module: Module
    let modules: ModuleRegistry
    let profile: DeviceProfile
    let deadlines: TokenDeadlines
    let sessions: Int
    let health: HealthMonitor
    let login: TokenLogin
    let clock: TokenClock
    /// Runs tasks on the threads of whatever generation is present.
    let executor = TokenExecutor()
    let state: Mutex<State>
    /// One climber at a time.
    let gate = WriteGate()
    let slotCalls = DetachedCalls()

    init(_ settings: TokenConfiguration, module: Module, modules: ModuleRegistry, slot: Slot, login: TokenLogin) throws
    {
        self.module = module
        self.modules = modules
        self.profile = settings.profile
        self.deadlines = settings.deadlines ?? TokenDeadlines(profile: settings.profile)
        self.sessions = settings.profile.sessionLimit(atMost: settings.maximumSessions ?? settings.profile.busySessions)
        self.health = HealthMonitor(clock: settings.clock)
        self.login = login
        self.clock = settings.tokenClock
        let token = try Token(
            slot: slot, maximumSessions: self.sessions, limits: settings.profile.limits(self.deadlines),
            executor: self.executor, clock: settings.tokenClock)
        self.state = Mutex(State(live: LiveToken(number: 0, token: token)))
        modules.register(self)
    }

    deinit {
        self.state.withLock { state in
            state.supervisor?.cancel()
            state.keeper?.cancel()
        }
        self.health.finish()
    }

    var live: LiveToken { self.state.withLock { $0.live } }

    var identification: TokenIdentification { self.live.token.identification }

    /// True when it is down with nothing on its way, or was never used: the module may be taken from under it.
    var isIdle: Bool {
        self.state.withLock { state in
            switch state.status {
            case .fresh, .closed, .down: true
            case .ready, .lost: false
            }
        }
    }

    /// The present generation, logged in; brought back first when it is lost.
    nonisolated(nonsending) func ready() async throws -> LiveToken {
        if let ready = self.readyNow { return ready }
        return try await self.gate.exclusively { try await self.establish() }
    }

    /// The present generation, where it is logged in and not known to be lost.
    var readyNow: LiveToken? { self.state.withLock { $0.ready } }

    /// Tells that work on the token went well.
    func succeeded(_ live: LiveToken) {
        guard !self.health.isUp, live.token.abandonedThreads == 0 else { return }
        if self.readyNow === live { self.health.set(.up) }
    }

    /// Tells that work on the token failed and is not repeated: what is lost is brought back before the next use.
    func failed(_ error: any Error, _ live: LiveToken) {
        guard let setback = self.setback(error) else { return }
        if let error = error as? TokenWaitError, error.code == .hung || error.code == .wedged {
            self.health.set(error.code == .hung ? .degraded : .down, .init(setback))
        }
        guard setback.failureClass != .ambiguous, let rungs = setback.rungs else { return }
        self.state.withLock { state in
            guard state.live === live, case .ready = state.status else { return }
            state.status = .lost(rungs.lowerBound, error)
        }
        self.health.set(.degraded, .init(setback))
    }

    func setback(_ error: any Error) -> TokenSetback? {
        TokenSetback(error) { FailureClass.of($0, profile: self.profile) }
    }

    /// Ends everything. Nothing works afterwards.
    func close() async {
        let (token, tasks) = self.state.withLock { state in
            state.status = .closed
            defer { (state.supervisor, state.keeper) = (nil, nil) }
            return (state.live.token, [state.supervisor, state.keeper])
        }
        for task in tasks { task?.cancel() }
        await token.close()
        self.health.finish()
    }
}

extension TokenHealth.Cause {
    init(_ setback: TokenSetback) {
        let report = ErrorReport(setback.error)
        self.init(
            summary: report.headline, failureClass: setback.failureClass,
            tokenFailure: (setback.error as? any DiagnosableError)?.tokenFailure)
    }
}
