public import Diagnostics

/// What is known about one kind of PKCS #11 device, each value with its evidence: one file of `hsm-profiles/`.
///
/// The product reads it to know what a device can take; the token simulator reads the same file to imitate the
/// device. Pure data: neither counts here. `hsm-profiles/README.md` describes the fields.
public struct DeviceProfile: Hashable, Sendable {
    /// Unique among the profiles of an installation, such as `softhsm2`.
    public var name: String
    /// One sentence for a reader.
    public var summary: String
    /// Which devices the profile is for.
    public var match: MatchRule
    public var sessions: Sessions
    public var login: Login
    public var capacity: Capacity
    public var mechanisms: Mechanisms
    public var template: TemplateRules
    public var lifecycle: Lifecycle
    public var latency: Latency
    /// What the vendor's own return values are called, such as `CKR_HSM_STORAGE_FULL`.
    public var vendorReturnValues: [ReturnValue: ProfileValue<String>]

    /// A profile in which everything is unknown.
    public init(name: String, summary: String) {
        self.name = name
        self.summary = summary
        self.match = MatchRule()
        self.sessions = Sessions()
        self.login = Login()
        self.capacity = Capacity()
        self.mechanisms = Mechanisms()
        self.template = TemplateRules()
        self.lifecycle = Lifecycle()
        self.latency = Latency()
        self.vendorReturnValues = [:]
    }
}
