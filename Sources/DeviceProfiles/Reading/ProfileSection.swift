internal import Yams

/// A section of a device profile: its leaves carry evidence or inherit it from the sections around them.
struct ProfileSection {
    /// Names that say where values come from, allowed in every section.
    static let provenanceNames = ["evidence", "source"]

    /// `nil` for a section that is absent or "unknown": all of its leaves are unknown.
    private let section: DocumentSection?
    private let evidence: Evidence?
    private let source: String?

    /// - Parameter parent: the section whose evidence is inherited.
    init(_ field: DocumentField?, in parent: ProfileSection?) {
        let section = field.flatMap { $0.isUnknown ? nil : $0.section() }
        self.section = section
        let ownEvidence: Evidence? = section?.field("evidence")?.choice()
        self.evidence = ownEvidence ?? parent?.evidence
        self.source = section?.field("source")?.text() ?? parent?.source
    }

    /// The whole document, whose own evidence is the default of all.
    init(root section: DocumentSection) {
        self.section = section
        self.evidence = section.field("evidence")?.choice()
        self.source = section.field("source")?.text()
    }

    func section(_ name: String) -> ProfileSection {
        ProfileSection(self.section?.field(name), in: self)
    }

    /// The names in the section; none when it is absent or unknown.
    var names: [String] { self.section?.names ?? [] }

    func allow(_ known: [String]) {
        self.section?.allow(known + ProfileSection.provenanceNames)
    }

    func report(_ name: String, _ reason: String) {
        self.section?.report(name, reason)
    }

    /// Reads a leaf: `VALUE`, `unknown`, or `{value: VALUE, evidence: …, source: …}`.
    func value<Value>(_ name: String, _ read: (DocumentField) -> Value?) -> ProfileValue<Value> {
        guard let field = self.section?.field(name), !field.isUnknown else { return .unknown }
        guard field.node.mapping != nil else {
            return self.leaf(field, read(field), evidence: self.evidence, source: self.source)
        }
        let wrapper = DocumentSection(field: field)
        wrapper.allow(["value"] + ProfileSection.provenanceNames)
        guard let inner = wrapper.required("value"), !inner.isUnknown else { return .unknown }
        let evidence: Evidence? = wrapper.field("evidence")?.choice()
        return self.leaf(
            field, read(inner), evidence: evidence ?? self.evidence,
            source: wrapper.field("source")?.text() ?? self.source)
    }

    private func leaf<Value>(
        _ field: DocumentField, _ value: Value?, evidence: Evidence?, source: String?
    ) -> ProfileValue<Value> {
        if evidence == nil { field.document.report(field.path, line: field.line, "has no evidence") }
        if source == nil { field.document.report(field.path, line: field.line, "has no source for its evidence") }
        guard let value, let evidence, let source else { return .unknown }
        return .known(value, Provenance(evidence: evidence, source: source))
    }

    /// Reads leaves that are named by key pair algorithms.
    func algorithms<Value>(_ read: (DocumentField) -> Value?) -> [KeyPairAlgorithm: ProfileValue<Value>] {
        var values: [KeyPairAlgorithm: ProfileValue<Value>] = [:]
        for name in self.names where !ProfileSection.provenanceNames.contains(name) {
            if let algorithm = KeyPairAlgorithm(name) {
                values[algorithm] = self.value(name, read)
            } else {
                self.report(name, "is not a key pair algorithm such as rsa2048, p256, p384 or p521")
            }
        }
        return values
    }

    /// Reads leaves that are named by the cases of an enumeration.
    func choices<Choice: RawRepresentable<String> & CaseIterable & Hashable, Value>(
        _ read: (DocumentField) -> Value?
    ) -> [Choice: ProfileValue<Value>] {
        self.allow(Choice.allCases.map(\.rawValue))
        var values: [Choice: ProfileValue<Value>] = [:]
        for choice in Choice.allCases {
            let value = self.value(choice.rawValue, read)
            if value.value != nil { values[choice] = value }
        }
        return values
    }
}
