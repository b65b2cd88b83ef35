public import Diagnostics

/// Which devices a profile is for. A field that is `nil` fits every device; a rule with no field at all fits none,
/// so that such a profile is used only when it is named.
public struct MatchRule: Hashable, Sendable {
    public var manufacturer: ProfilePattern?
    public var model: ProfilePattern?
    public var firmware: ProfilePattern?
    /// Searched in the path of the module.
    public var module: ProfilePattern?

    /// A rule that fits no device.
    public init() {}

    /// How exactly the rule fits: the number of fields that it names, or `nil` when it does not fit.
    public func specificity(for token: TokenIdentification, modulePath: String) -> Int? {
        let fields = [
            (self.manufacturer, token.manufacturer), (self.model, token.model), (self.firmware, token.firmware),
            (self.module, modulePath),
        ]
        let named = fields.compactMap { pattern, text in pattern.map { ($0, text) } }
        guard !named.isEmpty, named.allSatisfy({ $0.isFound(in: $1) }) else { return nil }
        return named.count
    }
}

extension MatchRule {
    init(reading section: DocumentSection) {
        section.allow(["manufacturer", "model", "firmware", "module"])
        self.manufacturer = section.field("manufacturer")?.pattern()
        self.model = section.field("model")?.pattern()
        self.firmware = section.field("firmware")?.pattern()
        self.module = section.field("module")?.pattern()
    }
}
