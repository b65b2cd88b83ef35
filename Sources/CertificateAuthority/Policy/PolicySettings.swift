/// What a CA's configuration decides beside its templates.
package struct PolicySettings: Sendable, Equatable {
    /// What becomes of a request that no rule refuses (registry `RequestDisposition`).
    package enum RequestDisposition: String, Sendable, Codable, CaseIterable {
        case issue
        case pend
        case deny
    }

    package var requestDisposition: RequestDisposition
    /// The attributes `ExpirationDate`, `ValidityPeriod` and `ValidityPeriodUnits` may shorten the validity (EditFlags 0x20).
    package var takesAttributeValidity: Bool
    /// The attribute `CertificateUsage` may choose among the template's usages (EditFlags 0x8000).
    package var takesAttributeUsage: Bool
    /// The attribute `SAN` may add DNS names, addresses, mail addresses and URIs (EditFlags 0x40000).
    package var takesAttributeNames: Bool

    package init(
        requestDisposition: RequestDisposition = .issue, takesAttributeValidity: Bool = false,
        takesAttributeUsage: Bool = false, takesAttributeNames: Bool = false
    ) {
        self.requestDisposition = requestDisposition
        self.takesAttributeValidity = takesAttributeValidity
        self.takesAttributeUsage = takesAttributeUsage
        self.takesAttributeNames = takesAttributeNames
    }
}
