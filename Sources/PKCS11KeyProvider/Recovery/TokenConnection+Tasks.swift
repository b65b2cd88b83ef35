internal import DeviceProfiles
internal import KeyProvider
internal import PKCS11
internal import Synchronization

/// What a connection does without being asked.
extension TokenConnection {
    /// Looks for a token that is down until it is back, so that health and the first request after it are right.
    func supervise() {
        self.state.withLock { state in
            guard state.supervisor == nil else { return }
            state.supervisor = Task { [weak self] in
                while !Task.isCancelled {
                    // Cancellation ends the loop at its head.
                    try? await Task.sleep(for: .milliseconds(500))
                    guard let self, await self.isStillDown() else { break }
                }
                self?.state.withLock { $0.supervisor = nil }
            }
        }
    }

    private func isStillDown() async -> Bool {
        do {
            _ = try await self.ready()
            return false
        } catch {
            // The health tells why; what only an operator can mend is not tried again.
            let (status, cause) = (self.state.withLock { $0.status }, error as? KeyProviderError)
            if case .down = status { return cause?.isForOperator != true }
            return false
        }
    }

    /// Uses the login session before the device finds it idle.
    func keepAlive() {
        guard case .atMost(let seconds)? = self.profile.sessions.idleSeconds.value else { return }
        self.state.withLock { state in
            guard state.keeper == nil else { return }
            state.keeper = Task { [weak self] in
                while !Task.isCancelled {
                    // Cancellation ends the loop at its head.
                    try? await Task.sleep(for: .milliseconds(max(200, seconds * 1000 / 3)))
                    guard let self, !Task.isCancelled else { return }
                    await self.touch()
                }
            }
        }
    }

    private func touch() async {
        guard let live = self.readyNow else { return }
        do {
            try await live.token.keepLoginAlive()
        } catch {
            self.failed(error, live)
        }
    }
}

extension DeviceProfile {
    /// Sessions are closed at two thirds of the time after which the device closes them; after a minute when that time
    /// is unknown, and never when the device keeps them.
    func limits(_ deadlines: TokenDeadlines) -> TokenLimits {
        var limits = deadlines.limits
        switch self.sessions.idleSeconds.value {
        case .atMost(let seconds)?: limits.idleSession = .milliseconds(max(100, seconds * 2000 / 3))
        case .unlimited?: limits.idleSession = nil
        case nil: limits.idleSession = .seconds(60)
        }
        limits.hasReadOnlySessions = self.sessions.readOnly.value ?? true
        if self.sessions.maximum.value == .atMost(1) {
            // It may never be opened anew for another access, nor closed because nothing uses it.
            limits.hasOneSession = true
            limits.hasReadOnlySessions = false
            limits.idleSession = nil
        }
        return limits
    }
}
