public import SecretMemory

/// Where a PIN comes from: a file, a variable, a prompt. The closure is called anew for every login.
public typealias PINSource = @Sendable () async throws -> SecretBytes

/// What may be done with a PIN without a person.
public struct PINPolicy: Sendable {
    /// True for a source that gives the PIN again without a person, such as a file or a variable: after the loss of a
    /// token it is asked again. A prompt is asked once, and again only by ``TokenKeyStore/logIn()``.
    public var isRepeatable: Bool
    /// Remembers refused PINs beyond the life of the program; `nil` for its life only.
    public var refusals: (any PINRefusalStore)?

    public init(isRepeatable: Bool = false, refusals: (any PINRefusalStore)? = nil) {
        self.isRepeatable = isRepeatable
        self.refusals = refusals
    }
}
