/// What a failed token call means for what can be done next. Decided from the return value, the operation and the
/// device profile together, never from the value alone.
public enum FailureClass: String, Hashable, Sendable, Codable, CaseIterable {
    /// No room for another object, session or log entry.
    case capacity
    /// The session or a handle of it is gone; the token may well be there.
    case sessionLost
    /// The token, its reader, or the way to it is gone.
    case tokenGone
    /// Nobody is logged in any more.
    case authLost
    /// The PIN was refused, is locked, expired or must be changed: nothing is tried without the operator.
    case authBlocked
    /// The device has too much to do at the moment.
    case throttled
    /// The device does not have this mechanism, key size, curve or function.
    case unsupported
    /// The call itself is wrong: arguments, attributes, data, the kind of key.
    case badRequest
    /// The code does not tell what happened, nor whether anything was done.
    case ambiguous
}
