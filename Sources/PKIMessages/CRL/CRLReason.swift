/// Why a certificate was revoked (RFC 5280, section 5.3.1). 7 is not used.
package enum CRLReason: Int, Hashable, Sendable, CaseIterable {
    case unspecified = 0
    case keyCompromise = 1
    case cACompromise = 2
    case affiliationChanged = 3
    case superseded = 4
    case cessationOfOperation = 5
    case certificateHold = 6
    case removeFromCRL = 8
    case privilegeWithdrawn = 9
    case aACompromise = 10

    /// By the name of RFC 5280, whatever the case, or by number.
    package init?(name: String) {
        if let number = Int(name) {
            self.init(rawValue: number)
            return
        }
        let lower = name.lowercased()
        guard let found = CRLReason.allCases.first(where: { $0.name.lowercased() == lower }) else { return nil }
        self = found
    }

    /// The name of RFC 5280, such as `keyCompromise`.
    package var name: String { "\(self)" }
}
