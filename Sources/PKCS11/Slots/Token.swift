internal import CPKCS11
public import Diagnostics
internal import Synchronization

/// The token in a slot: threads of its own, their sessions, and one login for all of them.
public final class Token: Sendable {
    public let slot: Slot
    /// What the token said when this object was made.
    public let info: TokenInfo
    private let pool: WorkerPool
    /// The session that keeps the login alive while the workers' sessions come and go (PKCS #11 v2.40, section
    /// 5.6: the login ends with the last session). Used for nothing else.
    private let loginSession = Mutex<CK_SESSION_HANDLE?>(nil)

    /// - Parameters:
    ///   - slot: a slot with a token.
    ///   - maximumSessions: how many threads, each with a session of its own, at most. Fewer are used when the
    ///     token answers `CKR_SESSION_COUNT`.
    public init(slot: Slot, maximumSessions: Int = 4) throws(PKCS11Error) {
        self.slot = slot
        self.info = try slot.tokenInfo()
        self.pool = WorkerPool(slot: slot, token: self.info.identification, size: maximumSessions)
    }

    deinit {
        self.closeLoginSession()
        self.pool.stop()
    }

    public var identification: TokenIdentification { self.info.identification }

    /// Runs `body` with a session on a thread of this token. A call into a token is not cancelled by the
    /// cancellation of the task: it cannot be taken back.
    ///
    /// - Parameters:
    ///   - access: what the session has to allow at least.
    ///   - isNew: open a session for this call, instead of using the thread's.
    /// - Throws: ``PKCS11Error`` when no session opens, and whatever `body` throws.
    public func withSession<R: Sendable>(
        _ access: SessionAccess = .readOnly, isNew: Bool = false, _ body: @escaping @Sendable (Session) throws -> R
    ) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            let queued = self.pool.submit { worker, mayHandBack in
                let result = Result { try body(worker.session(access, isNew: isNew)) }
                worker.discardBrokenSession()
                if mayHandBack, case .failure(let error as PKCS11Error) = result, error.function == "C_OpenSession",
                    error.returnValue == .sessionCount
                {
                    return false
                }
                continuation.resume(with: result)
                return true
            }
            if !queued {
                continuation.resume(
                    throwing: PKCS11Error(
                        returnValue: .sessionClosed, function: "C_OpenSession", token: self.identification))
            }
        }
    }

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
        let writeProtected = self.info.flags.contains(.writeProtected)
        // The session of the worker gives the thread; the login has a session of its own, which stays.
        try await self.withSession(writeProtected ? .readOnly : .readWrite) { [self] _ in
            try self.loginSession.withLock { (holder: inout CK_SESSION_HANDLE?) throws(PKCS11Error) in
                guard holder == nil else { return }
                holder = try self.openLoginSession(user, readOnly: writeProtected, lendPIN)
            }
        }
    }

    /// Ends the login, waits for the work that is queued, and closes all sessions. Nothing works afterwards.
    public func close() async {
        self.closeLoginSession()
        await self.pool.stopAndWait()
    }

    private func openLoginSession(
        _ user: UserType, readOnly: Bool, _ lendPIN: (_ use: (UnsafeRawBufferPointer?) -> Void) -> Void
    ) throws(PKCS11Error) -> CK_SESSION_HANDLE {
        let functions = self.slot.module.functions
        var session: CK_SESSION_HANDLE = 0
        let flags = CK_FLAGS(CKF_SERIAL_SESSION | (readOnly ? 0 : CKF_RW_SESSION))
        try self.slot.module.check("C_OpenSession", functions.list.C_OpenSession, token: self.identification) {
            $0(self.slot.id, flags, nil, nil, &session)
        }
        var result = ReturnValue.pinInvalid
        lendPIN { pin in
            let bytes = UnsafeMutableRawPointer(mutating: pin?.baseAddress)?.assumingMemoryBound(to: CK_UTF8CHAR.self)
            result = functions.call(functions.list.C_Login) {
                $0(session, user.rawValue, bytes, CK_ULONG(pin?.count ?? 0))
            }
        }
        guard result == .ok || result == .userAlreadyLoggedIn else {
            // What counts is why the login failed, not whether the session closes after it.
            _ = functions.call(functions.list.C_CloseSession) { $0(session) }
            throw PKCS11Error(returnValue: result, function: "C_Login", token: self.identification)
        }
        return session
    }

    private func closeLoginSession() {
        let session = self.loginSession.withLock { (holder: inout CK_SESSION_HANDLE?) -> CK_SESSION_HANDLE? in
            defer { holder = nil }
            return holder
        }
        guard let session else { return }
        let functions = self.slot.module.functions
        // A session that will not close is gone on the device already.
        _ = functions.call(functions.list.C_CloseSession) { $0(session) }
    }
}
