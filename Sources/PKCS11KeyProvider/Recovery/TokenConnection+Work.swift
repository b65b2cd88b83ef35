internal import DeviceProfiles
internal import Diagnostics
internal import KeyProvider
internal import PKCS11
internal import Synchronization

/// Work on the token.
extension TokenConnection {
    /// Runs `body` once. What nothing was called of, because the token was brought back meanwhile, runs on the token
    /// that is there now.
    func once<R: Sendable>(
        _ access: SessionAccess, isNew: Bool, limit: Duration?, late: (@Sendable (Session) -> Void)?,
        _ body: @escaping @Sendable (Session, LiveToken) throws -> R
    ) async throws -> R {
        var live = try await self.ready()
        while true {
            let present = live
            do {
                let result = try await present.token.withSession(
                    access, isNew: isNew && !present.token.hasOneSession, epoch: present.epoch, limit: limit,
                    late: late
                ) {
                    try body($0, present)
                }
                self.succeeded(present)
                return result
            } catch let error as TokenWaitError where error.code == .closed {
                live = try await self.ready()
                guard live !== present else { throw error }
            } catch let error as TokenWaitError where error.code == .outdated {
                live = try await self.renewed(present, error)
            } catch {
                self.failed(error, present)
                throw error
            }
        }
    }

    /// Runs `body`, and again after each rung of the ladder that can mend its failure.
    ///
    /// - Parameters:
    ///   - forget: a key whose handle is found again after a failure.
    ///   - first: the attempt that was made already.
    nonisolated(nonsending) func retrying<R: Sendable>(
        forget: KeyLocator?, after first: Failure? = nil, _ body: @escaping @Sendable (Session, LiveToken) throws -> R
    ) async throws -> R {
        var first = first
        var live = if let now = first?.live ?? self.readyNow { now } else { try await self.ready() }
        var last: Rung?
        var pause = Duration.milliseconds(50)
        while true {
            let present = live
            do {
                if let failure = first {
                    first = nil
                    throw failure.error
                }
                let result = try await present.token.withSession(
                    .readOnly, isNew: last != nil && !present.token.hasOneSession, epoch: present.epoch
                ) {
                    try body($0, present)
                }
                self.succeeded(present)
                return result
            } catch let error as TokenWaitError where error.code == .outdated {
                live = try await self.renewed(present, error)
            } catch {
                if let forget { present.forget(forget) }
                if self.isThrottled(error), pause <= .seconds(1) {
                    self.health.set(.degraded, self.setback(error).map(TokenHealth.Cause.init))
                    try await Task.sleep(for: pause)
                    pause *= 2
                    continue
                }
                guard let setback = self.setback(error), let rungs = self.rungs(setback, after: last) else {
                    self.failed(error, present)
                    throw error
                }
                (live, last) = try await self.next(present, rungs, setback)
            }
        }
    }

    /// The generation after `old`, for work with handles of sessions that were given up while it waited.
    private func renewed(_ old: LiveToken, _ error: TokenWaitError) async throws -> LiveToken {
        guard let setback = self.setback(error), let rungs = self.rungs(setback, after: nil) else { throw error }
        return try await self.recover(from: old, rungs, after: setback).live
    }

    /// True when the device, not the queue before it, has too much to do.
    private func isThrottled(_ error: any Error) -> Bool {
        guard let error = error as? PKCS11Error else { return false }
        return FailureClass.of(error, profile: self.profile) == .throttled
    }

    private func next(
        _ present: LiveToken, _ rungs: ClosedRange<Rung>, _ setback: TokenSetback
    ) async throws -> (LiveToken, Rung?) {
        do {
            return try await self.recover(from: present, rungs, after: setback)
        } catch let error as KeyProviderError where error.isForOperator && setback.failureClass == .ambiguous {
            // The login could not be renewed for a failure that need not have come from its loss.
            throw setback.error
        }
    }

    /// The rungs that are left, and can be climbed for this failure.
    private func rungs(_ setback: TokenSetback, after last: Rung?) -> ClosedRange<Rung>? {
        guard let rungs = setback.rungs else { return nil }
        var highest = rungs.upperBound
        if !self.login.isRepeatable, [.ambiguous, .sessionLost].contains(setback.failureClass) {
            // The token and the login may be sound: they are not given up where the login cannot be renewed.
            highest = .reopen
        } else if setback.failureClass == .ambiguous {
            if self.profile.lifecycle.recovery.value == .finalize { highest = .reinitialize }
        }
        var lowest = rungs.lowerBound
        if let last {
            guard let next = last.next else { return nil }
            lowest = max(lowest, next)
        }
        return lowest <= highest ? lowest...highest : nil
    }

    /// Logs in at a person's word: the login that was lost, or the first one.
    func logIn() async throws {
        let needsPerson = self.state.withLock { state in
            if case .down(_, let error as KeyProviderError) = state.status {
                error.code == .pinUnavailable
            } else {
                false
            }
        }
        guard needsPerson else {
            _ = try await self.ready()
            return
        }
        await self.login.allowOnce()
        self.state.withLock { state in
            if case .down(_, let error) = state.status { state.status = .lost(.rescan, error) }
        }
        _ = try await self.ready()
    }

    func distrustHandles() {
        self.state.withLock { state in
            guard case .ready = state.status else { return }
            state.live.token.discardSessions()
            state.live = LiveToken(number: state.live.number + 1, token: state.live.token)
        }
    }
}
