public import Diagnostics

/// That a token refused a PIN. Says nothing of the PIN.
public struct PINRefusal: Hashable, Sendable {
    public var serialNumber: String
    public var label: String
    /// Seconds since 1970, of the last refusal.
    public var time: Int64
    /// How many PINs were refused since the operator cleared it.
    public var count: Int

    public init(serialNumber: String, label: String, time: Int64, count: Int) {
        self.serialNumber = serialNumber
        self.label = label
        self.time = time
        self.count = count
    }
}

/// Remembers refused PINs, so that no program tries a wrong one again until an operator says so: by then the cause may
/// have used up all tries of the token.
public protocol PINRefusalStore: Sendable {
    func refusal(for token: TokenIdentification) throws -> PINRefusal?
    /// Adds a refusal to those that are remembered.
    func record(_ token: TokenIdentification, at time: Int64) throws
    /// Forgets the refusals of a token: the operator's word, or a login that went well.
    func clear(_ token: TokenIdentification) throws
    /// Runs `body` while nobody else who shares the memory does: a look, a login and a record are one step.
    func exclusively<R: Sendable>(_ body: @Sendable () async throws -> R) async throws -> R
}
