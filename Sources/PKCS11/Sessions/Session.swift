internal import CPKCS11
public import Diagnostics

/// What a session may do.
public enum SessionAccess: Hashable, Sendable {
    /// Reads token objects; makes session objects.
    case readOnly
    /// Changes token objects as well.
    case readWrite
}

/// An open session (PKCS #11 v2.40, section 5.6), reached only inside ``Token/withSession(_:isNew:_:)``.
///
/// Not `Sendable` on purpose: a session belongs to one thread of its token. After a call that failed it is closed
/// and not used again, because devices leave operations behind in it.
public final class Session {
    let module: Module
    private let slot: Slot
    let handle: CK_SESSION_HANDLE
    /// Whose session this is.
    public let token: TokenIdentification
    let access: SessionAccess
    private(set) var isBroken = false

    init(slot: Slot, token: TokenIdentification, access: SessionAccess) throws(PKCS11Error) {
        self.module = slot.module
        self.slot = slot
        self.token = token
        self.access = access
        var handle: CK_SESSION_HANDLE = 0
        let flags = CKF_SERIAL_SESSION | (access == .readWrite ? CKF_RW_SESSION : 0)
        try slot.module.check("C_OpenSession", slot.module.functions.list.C_OpenSession, token: token) {
            $0(slot.id, CK_FLAGS(flags), nil, nil, &handle)
        }
        self.handle = handle
    }

    /// Another session with the same token and access.
    convenience init(sibling: Session) throws(PKCS11Error) {
        try self.init(slot: sibling.slot, token: sibling.token, access: sibling.access)
    }

    deinit {
        // A session that will not close is gone on the device already, and is not used again either way.
        _ = self.module.call("C_CloseSession", self.functions.C_CloseSession, session: self.handle) { $0(self.handle) }
    }

    @inline(__always)
    var functions: CK_FUNCTION_LIST { self.module.functions.list }

    /// Calls a function of this session, and marks the session broken on any failure that is not tolerated.
    func call<Function>(
        _ name: String, _ function: Function?, mechanism: MechanismType? = nil, object: ObjectHandle? = nil,
        tolerating tolerated: [ReturnValue] = [], _ body: (Function) -> CK_RV
    ) throws(PKCS11Error) -> ReturnValue {
        let result = self.module.call(
            name, function, session: self.handle, object: object?.rawValue, mechanism: mechanism, body)
        guard result != .ok, !tolerated.contains(result) else { return result }
        self.isBroken = true
        throw PKCS11Error(returnValue: result, function: name, mechanism: mechanism, token: self.token)
    }

    /// Calls a function that has to answer `CKR_OK`.
    func check<Function>(
        _ name: String, _ function: Function?, mechanism: MechanismType? = nil, object: ObjectHandle? = nil,
        _ body: (Function) -> CK_RV
    ) throws(PKCS11Error) {
        _ = try self.call(name, function, mechanism: mechanism, object: object, body)
    }

    /// Calls a function that fills a buffer of a length the caller guesses, and once more with the length the module
    /// then asks for. A module that leaves the operation open after `CKR_BUFFER_TOO_SMALL`, as it has to (section
    /// 5.2), sees one operation.
    func output<Function>(
        _ name: String, _ function: Function?, mechanism: MechanismType, capacity: Int,
        _ body: (Function, UnsafeMutablePointer<CK_BYTE>?, UnsafeMutablePointer<CK_ULONG>) -> CK_RV
    ) throws(PKCS11Error) -> [UInt8] {
        try self.output(name, function, mechanism: mechanism, capacity: capacity, body) { Array($0) }
    }

    /// - Parameter read: takes the result out of the buffer, which is gone after it.
    func output<Function>(
        _ name: String, _ function: Function?, mechanism: MechanismType, capacity: Int,
        _ body: (Function, UnsafeMutablePointer<CK_BYTE>?, UnsafeMutablePointer<CK_ULONG>) -> CK_RV,
        _ read: (UnsafeBufferPointer<UInt8>) -> [UInt8]
    ) throws(PKCS11Error) -> [UInt8] {
        var length = CK_ULONG(capacity)
        var first = ReturnValue.ok
        let result = withUnsafeTemporaryAllocation(of: CK_BYTE.self, capacity: capacity) { buffer -> [UInt8] in
            first = self.module.call(name, function, session: self.handle, mechanism: mechanism) {
                body($0, buffer.baseAddress, &length)
            }
            guard first == .ok else { return [] }
            return read(UnsafeBufferPointer(start: buffer.baseAddress, count: min(capacity, Int(clamping: length))))
        }
        if first == .ok { return result }
        let wanted = Int(clamping: length)
        guard first == .bufferTooSmall, wanted > capacity, wanted <= Session.largestOutputBytes else {
            self.isBroken = true
            throw PKCS11Error(returnValue: first, function: name, mechanism: mechanism, token: self.token)
        }
        var larger = [UInt8](repeating: 0, count: wanted)
        try self.check(name, function, mechanism: mechanism) { function in
            larger.withUnsafeMutableBufferPointer { body(function, $0.baseAddress, &length) }
        }
        return larger.withUnsafeBufferPointer { read(UnsafeBufferPointer(rebasing: $0.prefix(Int(clamping: length)))) }
    }

    /// True when somebody is logged in, by the session's own state (`C_GetSessionInfo`). A module answers this from its
    /// own memory: it tells why an object is not seen, not whether the device is there.
    public func isLoggedIn() throws(PKCS11Error) -> Bool {
        var info = CK_SESSION_INFO()
        try self.check("C_GetSessionInfo", self.functions.C_GetSessionInfo) { $0(self.handle, &info) }
        return info.state != CK_STATE(CKS_RO_PUBLIC_SESSION) && info.state != CK_STATE(CKS_RW_PUBLIC_SESSION)
    }

    /// No result of a token is longer than this: a wrapped RSA-16384 key is under 10 KB.
    private static let largestOutputBytes = 1 << 20
}
