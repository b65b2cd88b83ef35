extension DeviceProfile {
    /// The profile as a file of `hsm-profiles/`: reading it gives the same profile. The evidence that most values have
    /// stands at the top, that of the others beside them.
    public var yamlText: String {
        let fields = self.fields
        let common = self.commonProvenance(of: fields)
        var lines = [
            "name: \(YAMLScalar.quoted(self.name))", "summary: \(YAMLScalar.quoted(self.summary))",
        ]
        if let common {
            lines += ["evidence: \(common.evidence.rawValue)", "source: \(YAMLScalar.quoted(common.source))"]
        }
        lines += self.match.yamlLines
        var open: [Substring] = []
        for field in fields {
            var names = field.path.split(separator: ".")
            let leaf = names.removeLast()
            let shared = zip(open, names).prefix { $0 == $1 }.count
            for depth in shared..<names.count {
                if depth == 0 { lines.append("") }
                lines.append(String(repeating: "  ", count: depth) + "\(names[depth]):")
            }
            open = names
            lines.append(
                String(repeating: "  ", count: names.count) + "\(leaf): \(field.yamlValue(common: common))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func commonProvenance(of fields: [ProfileField]) -> Provenance? {
        let counts = Dictionary(grouping: fields.compactMap(\.provenance)) { $0 }.mapValues(\.count)
        return counts.max { ($0.value, $1.key.source) < ($1.value, $0.key.source) }?.key
    }
}

extension ProfileField {
    fileprivate func yamlValue(common: Provenance?) -> String {
        guard let provenance = self.provenance, provenance != common else { return self.text }
        return "{value: \(self.text), evidence: \(provenance.evidence.rawValue), "
            + "source: \(YAMLScalar.quoted(provenance.source))}"
    }
}

extension MatchRule {
    fileprivate var yamlLines: [String] {
        let named = [
            ("manufacturer", self.manufacturer), ("model", self.model), ("firmware", self.firmware),
            ("module", self.module),
        ].compactMap { name, pattern in pattern.map { "  \(name): \(YAMLScalar.quoted($0.source))" } }
        return named.isEmpty ? [] : ["", "match:"] + named
    }
}
