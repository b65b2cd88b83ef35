internal import CPKCS11
internal import Diagnostics

/// Who logs in (PKCS #11 v2.40, section 5.6).
public enum UserType: Hashable, Sendable {
    case securityOfficer
    case user
    /// The user again, for the operation that the session has begun (`CKA_ALWAYS_AUTHENTICATE`).
    case contextSpecific

    var rawValue: CK_USER_TYPE {
        switch self {
        case .securityOfficer: CKU_SO
        case .user: CKU_USER
        case .contextSpecific: CKU_CONTEXT_SPECIFIC
        }
    }
}

/// Login, and the PIN of the normal user (PKCS #11 v2.40, sections 5.5 and 5.6).
extension Session {
    /// Logs in, for every session of this program with the token (`C_Login`). Never repeated.
    ///
    /// - Parameter pin: lent for the call; `nil` when the PIN is entered at the device.
    public func login(_ user: UserType, pin: UnsafeRawBufferPointer?) throws(PKCS11Error) {
        let bytes = UnsafeMutableRawPointer(mutating: pin?.baseAddress)?.assumingMemoryBound(to: CK_UTF8CHAR.self)
        _ = try self.call("C_Login", self.functions.C_Login, tolerating: [.userAlreadyLoggedIn]) {
            $0(self.handle, user.rawValue, bytes, CK_ULONG(pin?.count ?? 0))
        }
    }

    /// ``login(_:pin:)`` with a PIN that is lent for the call.
    func login(
        _ user: UserType, lendPIN: (_ use: (UnsafeRawBufferPointer?) -> Void) -> Void
    ) throws(PKCS11Error) {
        let notCalled = PKCS11Error(returnValue: .pinInvalid, function: "C_Login", token: self.token)
        var result = Result<Void, PKCS11Error>.failure(notCalled)
        lendPIN { pin in result = Result { () throws(PKCS11Error) in try self.login(user, pin: pin) } }
        try result.get()
    }

    /// Logs out, for every session of this program with the token (`C_Logout`).
    public func logout() throws(PKCS11Error) {
        try self.check("C_Logout", self.functions.C_Logout) { $0(self.handle) }
    }

    /// Sets the PIN of the normal user (`C_InitPIN`); the security officer is logged in. Never repeated.
    public func initializeUserPIN(_ pin: UnsafeRawBufferPointer) throws(PKCS11Error) {
        let bytes = UnsafeMutableRawPointer(mutating: pin.baseAddress)?.assumingMemoryBound(to: CK_UTF8CHAR.self)
        try self.check("C_InitPIN", self.functions.C_InitPIN) { $0(self.handle, bytes, CK_ULONG(pin.count)) }
    }
}
