internal import CPKCS11
internal import Diagnostics
internal import Synchronization

/// The session that keeps the login of a token alive. Every method but ``isOpen`` calls the token and is for one of its
/// threads; the lock is never held during a call, because a call can hang.
final class LoginSession: Sendable {
    private let slot: Slot
    private let token: TokenIdentification
    private let handle = Mutex<CK_SESSION_HANDLE?>(nil)

    init(slot: Slot, token: TokenIdentification) {
        self.slot = slot
        self.token = token
    }

    var isOpen: Bool { self.handle.withLock { $0 != nil } }

    private var functions: CK_FUNCTION_LIST { self.slot.module.functions.list }

    /// Opens the session and logs in, unless that was done.
    func open(
        _ user: UserType, readOnly: Bool, _ lendPIN: (_ use: (UnsafeRawBufferPointer?) -> Void) -> Void
    ) throws(PKCS11Error) {
        guard !self.isOpen else { return }
        let module = self.slot.module
        var session: CK_SESSION_HANDLE = 0
        let flags = CK_FLAGS(CKF_SERIAL_SESSION | (readOnly ? 0 : CKF_RW_SESSION))
        try module.check("C_OpenSession", self.functions.C_OpenSession, token: self.token) {
            $0(self.slot.id, flags, nil, nil, &session)
        }
        var result = ReturnValue.pinInvalid
        lendPIN { pin in
            let bytes = UnsafeMutableRawPointer(mutating: pin?.baseAddress)?.assumingMemoryBound(to: CK_UTF8CHAR.self)
            result = module.call("C_Login", self.functions.C_Login, session: session) {
                $0(session, user.rawValue, bytes, CK_ULONG(pin?.count ?? 0))
            }
        }
        guard result == .ok || result == .userAlreadyLoggedIn else {
            // What counts is why the login failed, not whether the session closes after it.
            self.close(session)
            throw PKCS11Error(returnValue: result, function: "C_Login", token: self.token)
        }
        let surplus = self.handle.withLock { (handle: inout CK_SESSION_HANDLE?) -> Bool in
            if handle == nil {
                handle = session
                return false
            }
            return true
        }
        if surplus { self.close(session) }
    }

    /// Reads one random byte: the device sees that the session is in use.
    func touch() throws(PKCS11Error) {
        guard let session = self.handle.withLock({ $0 }) else { return }
        var byte: CK_BYTE = 0
        try self.slot.module.check("C_GenerateRandom", self.functions.C_GenerateRandom, token: self.token) {
            $0(session, &byte, 1)
        }
    }

    /// Asks whether the session is still there (`C_GetSessionInfo`). While it is, the token was here all the time, and handles
    /// that were found mean what they meant; a new session alone does not tell, because another part of the program can
    /// have found the token again and logged in for all.
    ///
    /// - Throws: ``PKCS11Error``, once: a session that is gone is forgotten.
    func requirePresence() throws(PKCS11Error) {
        guard let session = self.handle.withLock({ $0 }) else { return }
        var info = CK_SESSION_INFO()
        let name = "C_GetSessionInfo"
        let result = self.slot.module.call(name, self.functions.C_GetSessionInfo, session: session) {
            $0(session, &info)
        }
        guard result != .ok else { return }
        if result == .sessionHandleInvalid || result == .sessionClosed {
            self.handle.withLock { if $0 == session { $0 = nil } }
        }
        throw PKCS11Error(returnValue: result, function: name, token: self.token)
    }

    func close() {
        let session = self.handle.withLock { (handle: inout CK_SESSION_HANDLE?) -> CK_SESSION_HANDLE? in
            defer { handle = nil }
            return handle
        }
        if let session { self.close(session) }
    }

    private func close(_ session: CK_SESSION_HANDLE) {
        // A session that will not close is gone on the device already.
        _ = self.slot.module.call("C_CloseSession", self.functions.C_CloseSession, session: session) { $0(session) }
    }
}
