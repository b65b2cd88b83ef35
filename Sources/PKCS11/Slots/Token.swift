public import Diagnostics
internal import Synchronization

/// The token in a slot: threads of its own, their sessions, and one login for all of them.
public final class Token: Sendable {
    public let slot: Slot
    /// What the token said when this object was made.
    public let info: TokenInfo
    private let limits: TokenLimits
    /// In nanoseconds.
    private let (callLimit, queueLimit): (UInt64, UInt64)
    private let pool: WorkerPool
    private let seatKey = WorkerSeat.key
    /// The session that keeps the login alive while the workers' sessions come and go (PKCS #11 v2.40, section
    /// 5.6: the login ends with the last session).
    private let login: LoginSession
    private let loginTime = Mutex<Double?>(nil)
    private let clock: TokenClock

    /// - Parameters:
    ///   - slot: a slot with a token.
    ///   - maximumSessions: how many threads, each with a session of its own, at most. Fewer are used when the
    ///     token answers `CKR_SESSION_COUNT`.
    ///   - limits: how long calls may take, and how long the device keeps an idle session.
    ///   - executor: whose tasks run on the threads of this token until it is closed.
    public convenience init(
        slot: Slot, maximumSessions: Int = 4, limits: TokenLimits = TokenLimits(), executor: TokenExecutor? = nil
    ) throws(PKCS11Error) {
        try self.init(
            slot: slot, maximumSessions: maximumSessions, limits: limits, executor: executor, clock: .system)
    }

    /// The same by a clock that is not the host's.
    package init(
        slot: Slot, maximumSessions: Int = 4, limits: TokenLimits = TokenLimits(), executor: TokenExecutor? = nil,
        clock: TokenClock
    ) throws(PKCS11Error) {
        self.clock = clock
        self.slot = slot
        self.info = try slot.tokenInfo()
        self.limits = limits
        (self.callLimit, self.queueLimit) = (limits.call.nanoseconds, limits.queue.nanoseconds)
        self.login = LoginSession(slot: slot, token: self.info.identification)
        self.pool = WorkerPool(
            slot: slot, token: self.info.identification, size: maximumSessions,
            idleLimit: limits.idleSession?.nanoseconds, login: self.login, executor: executor, clock: clock)
    }

    deinit {
        self.closeLogin()
        self.pool.stop()
    }

    public var identification: TokenIdentification { self.info.identification }

    /// How many sessions are used at most, as far as the device has allowed them.
    public var sessionLimit: Int { self.pool.state.limit }

    /// How many threads hang in the module, given up by those who waited for them.
    public var abandonedThreads: Int { self.pool.state.abandoned }

    /// Runs `body` with a session on a thread of this token. A call into a token is not cancelled by the
    /// cancellation of the task: it cannot be taken back.
    ///
    /// - Parameters:
    ///   - access: what the session has to allow at least.
    ///   - isNew: open a session for this call, instead of using the thread's.
    ///   - epoch: ``epoch`` of when the handles were found that `body` uses, if it brings any.
    ///   - limit: how long `body` may take; that of ``TokenLimits`` when it is `nil`.
    ///   - late: runs on the same thread when `body` returns after its caller was told that it was given up, to undo
    ///     what it did nevertheless.
    /// - Throws: ``PKCS11Error`` when no session opens, ``TokenWaitError`` when `body` does not begin or return in
    ///   time, or sessions were declared lost since `epoch`, and whatever `body` throws.
    public nonisolated(nonsending) func withSession<R: Sendable>(
        _ access: SessionAccess = .readOnly, isNew: Bool = false, epoch: Int? = nil, limit: Duration? = nil,
        late: (@Sendable (Session) -> Void)? = nil, _ body: @escaping @Sendable (Session) throws -> R
    ) async throws -> R {
        let work = ClosureWork(access, isNew: isNew, epoch: epoch, limit: limit, late: late, body: body)
        try await self.perform(work)
        guard let result = work.result else {
            throw TokenWaitError(code: .closed, seconds: 0, token: self.identification)
        }
        return result
    }

    /// Runs work with a session on a thread of this token: ``withSession(_:isNew:limit:late:_:)`` without a closure, for
    /// what is done for every signature.
    public nonisolated(nonsending) func perform(_ work: TokenWork) async throws {
        // Not the checked kind: work is answered once by its own means, and this is the way of every signature.
        try await withUnsafeThrowingContinuation { continuation in
            work.continuation = continuation
            self.submit(work)
        }
    }

    private func submit(_ work: TokenWork) {
        guard !self.slot.module.isForked else {
            return work.giveUp(.forked, waited: 0, token: self.identification)
        }
        if !self.limits.hasReadOnlySessions { work.access = .readWrite }
        if work.limit == 0 { work.limit = self.callLimit }
        work.queueLimit = self.queueLimit
        work.queued = self.clock.recent
        self.pool.submit(work, from: WorkerSeat.current(self.seatKey))
    }

    /// What the token says of itself now, asked on one of its threads.
    public func currentInfo() async throws -> TokenInfo {
        // The kind of session that a login wants: it is often next, and some devices have few.
        try await self.withSession(self.loginAccess) { [slot] _ in try slot.tokenInfo() }
    }

    private var loginAccess: SessionAccess { self.info.flags.contains(.writeProtected) ? .readOnly : .readWrite }

    /// Declares all sessions lost: every thread opens a new one before it works again.
    public func discardSessions() { self.pool.discardSessions() }

    /// How often sessions were declared lost: what tells handles of these sessions from those of earlier ones.
    public var epoch: Int { self.pool.epoch.load(ordering: .acquiring) }

    /// Logs in for all sessions of this token, and keeps the login until ``close()`` or the end of this object.
    /// One call to `C_Login` at most: a refused PIN is not tried again.
    ///
    /// - Parameters:
    ///   - user: who logs in.
    ///   - lendPIN: calls its argument once with the bytes of the PIN, or with `nil` when it is entered at the device.
    /// - Throws: ``PKCS11Error``, such as `CKR_PIN_INCORRECT` of `C_Login`.
    public func login(
        _ user: UserType = .user,
        lendPIN: @escaping @Sendable (_ use: (UnsafeRawBufferPointer?) -> Void) -> Void
    ) async throws {
        let readOnly = self.loginAccess == .readOnly
        let began = MonotonicClock.now
        if self.limits.hasOneSession {
            try await self.withSession(.readWrite, limit: self.limits.login) { try $0.login(user, lendPIN: lendPIN) }
        } else {
            // The session of the worker gives the thread; the login has a session of its own, which stays.
            try await self.withSession(self.loginAccess, limit: self.limits.login) { [login] _ in
                try login.open(user, readOnly: readOnly, lendPIN)
            }
        }
        let milliseconds = Double(MonotonicClock.now - began) / 1e6
        self.loginTime.withLock { $0 = milliseconds }
    }

    /// How long the last login took that succeeded; `nil` when there was none.
    public var loginMilliseconds: Double? { self.loginTime.withLock { $0 } }

    /// True for a device with one session in all; see ``TokenLimits/hasOneSession``.
    public var hasOneSession: Bool { self.limits.hasOneSession }

    /// Gives up the login session, because the login is known to be lost; ``login(_:lendPIN:)`` logs in anew then.
    public func forgetLogin() async throws {
        guard !self.limits.hasOneSession else { return self.discardSessions() }
        try await self.withSession { [login] _ in login.close() }
    }

    /// Has the device do something in the login session, so that it does not close it as idle.
    ///
    /// - Throws: ``PKCS11Error`` when the session is no longer there.
    public func keepLoginAlive() async throws {
        try await self.withSession { [login, limits] session in
            if limits.hasOneSession { _ = try session.randomBytes(1) } else { try login.touch() }
        }
    }

    /// Ends the login, waits for the work that is queued, and closes all sessions. Nothing works afterwards.
    public func close() async {
        self.closeLogin()
        await self.pool.stopAndWait()
    }

    /// On a thread of the token, because closing a session can hang as any other call.
    private func closeLogin() {
        guard self.login.isOpen, !self.slot.module.isForked else { return }
        self.submit(ThreadWork { [login] in login.close() })
    }
}
