internal import Diagnostics
internal import KeyProvider
internal import PKCS11
internal import Synchronization

/// The ladder. Every method here runs with the gate taken.
extension TokenConnection {
    /// A new generation after a failure of `old`, by the first rung from `rung` on that gives one.
    ///
    /// - Returns: the generation that another task has made meanwhile, where one has.
    func recover(
        from old: LiveToken, _ rungs: ClosedRange<Rung>, after setback: TokenSetback
    ) async throws -> (live: LiveToken, rung: Rung) {
        try await self.gate.exclusively {
            let isOld = self.state.withLock { state in
                switch state.status {
                case .ready, .lost: state.live === old
                default: false
                }
            }
            guard isOld else { return (try await self.establish(), rungs.lowerBound) }
            return try await self.climb(rungs, after: setback.error)
        }
    }

    /// The first login, or what is left to do before the token can be used.
    func establish() async throws -> LiveToken {
        let (status, live) = self.state.withLock { ($0.status, $0.live) }
        switch status {
        case .ready: return live
        case .closed: throw TokenWaitError(code: .closed, seconds: 0, token: live.token.identification)
        case .fresh: return try await self.firstLogin(live)
        case .lost(let rung, let error): return try await self.climb(rung ... .reinitialize, after: error).live
        case .down(let until, let error):
            guard ContinuousClock.now >= until else { throw self.downError(error) }
            return try await self.climb(.rescan ... .reinitialize, after: error).live
        }
    }

    private func firstLogin(_ live: LiveToken) async throws -> LiveToken {
        do {
            try await self.login.logIn(to: live.token, again: false)
        } catch {
            guard let setback = self.setback(error), let rungs = setback.rungs, setback.failureClass != .ambiguous
            else {
                self.blocked(error)
                throw error
            }
            return try await self.climb(rungs, after: error).live
        }
        self.becomeReady(live)
        return live
    }

    private func becomeReady(_ live: LiveToken) {
        self.state.withLock { state in
            if case .closed = state.status { return }
            state.live = live
            state.status = .ready
        }
        self.keepAlive()
    }

    /// Nothing but the operator helps: a PIN that was refused, or that nobody is there to enter.
    private func blocked(_ error: any Error) {
        self.health.set(.down, self.cause(error))
    }

    private func cause(_ error: any Error) -> TokenHealth.Cause {
        if let setback = self.setback(error) { return TokenHealth.Cause(setback) }
        let known = error as? KeyProviderError
        return TokenHealth.Cause(
            summary: ErrorReport(error).headline, failureClass: known?.failureClass, tokenFailure: known?.tokenFailure)
    }

    private func climb(
        _ rungs: ClosedRange<Rung>, after first: any Error
    ) async throws -> (live: LiveToken, rung: Rung) {
        var error = first
        self.health.set(.degraded, self.cause(first))
        for rung in Rung.allCases where rungs.contains(rung) {
            let old = self.live
            do {
                self.module.trace?.note("recovery: \(rung.name)")
                let live = try await self.perform(rung, on: old)
                self.becomeReady(live)
                self.health.set(live.token.abandonedThreads == 0 ? .up : .degraded, recovered: true)
                return (live, rung)
            } catch let failure as KeyProviderError where failure.isForOperator {
                self.goDown(failure, supervised: false)
                throw failure
            } catch let failure {
                error = failure
            }
        }
        self.goDown(error, supervised: true)
        throw error
    }

    private func goDown(_ error: any Error, supervised: Bool) {
        let later = ContinuousClock.now + .milliseconds(250)
        self.state.withLock { state in
            if case .closed = state.status { return }
            state.status = .down(until: later, error)
        }
        self.health.set(.down, self.cause(error))
        if supervised { self.supervise() }
    }

    private func perform(_ rung: Rung, on old: LiveToken) async throws -> LiveToken {
        let number = old.number + 1
        switch rung {
        case .reopen:
            old.token.discardSessions()
            return LiveToken(number: number, token: old.token)
        case .relogin:
            try self.login.requireRepeatable(old.token.identification)
            old.token.discardSessions()
            try await old.token.forgetLogin()
            try await self.login.logIn(to: old.token, again: true)
            return LiveToken(number: number, token: old.token)
        case .rescan:
            await old.token.close()
            return try await self.found(number, like: old.token)
        case .reinitialize:
            await old.token.close()
            try await self.modules.reinitialize(self.module, for: self)
            return try await self.found(number, like: old.token)
        }
    }

    /// The token with the same serial number and label, in whatever slot it is, logged in.
    private func found(_ number: Int, like old: Token) async throws -> LiveToken {
        let (module, sessions, executor, clock) = (self.module, self.sessions, self.executor, self.clock)
        let limits = self.profile.limits(self.deadlines)
        let wanted = old.identification
        let token = try await self.slotCalls.run(limit: self.deadlines.rescan, for: wanted) {
            let slot = try TokenFinder.slot(of: wanted, in: module)
            return try Token(
                slot: slot, maximumSessions: sessions, limits: limits, executor: executor, clock: clock)
        }
        do {
            try await self.login.logIn(to: token, again: true)
        } catch {
            await token.close()
            throw error
        }
        return LiveToken(number: number, token: token)
    }

    private func downError(_ error: any Error) -> any Error {
        guard
            let known = KeyProviderError.of(error, operation: "use the token", profile: self.profile)
                as? KeyProviderError
        else { return error }
        var down = known
        down.facts.append(Fact("token", "down, tried again every half second"))
        return down
    }
}
