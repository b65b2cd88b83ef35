internal import Yams

/// A mapping of a ``Document``.
package struct DocumentSection {
    let field: DocumentField

    package var path: String { self.field.path }

    func path(of name: String) -> String {
        self.path.isEmpty ? name : "\(self.path).\(name)"
    }

    /// The names in the mapping, in the order of the file.
    package var names: [String] {
        self.pairs.map(\.name)
    }

    var pairs: [(name: String, node: Node)] {
        (self.field.node.mapping ?? [:]).map { ($0.key.scalar?.string ?? "?", $0.value) }
    }

    /// Reports each name that is not among those, with the one that was probably meant.
    package func allow(_ known: [String]) {
        for pair in self.pairs where !known.contains(pair.name) {
            let nearest = NearestName.of(pair.name, among: known).map { "did you mean \"\($0)\"?" }
            let hint = nearest ?? "known are " + known.joined(separator: ", ")
            self.field.document.report(
                self.path(of: pair.name), line: pair.node.mark?.line, "there is no such field; \(hint)")
        }
    }

    /// The field of that name, or `nil` when it is not there.
    package func field(_ name: String) -> DocumentField? {
        self.pairs.first { $0.name == name }.map {
            DocumentField(document: self.field.document, node: $0.node, path: self.path(of: name))
        }
    }

    /// The field of that name; reported when it is not there.
    package func required(_ name: String) -> DocumentField? {
        if let field = self.field(name) { return field }
        self.field.document.report(self.path(of: name), line: self.field.line, "is missing")
        return nil
    }

    /// Reports a field of this section.
    package func report(_ name: String, _ reason: String) {
        let line = self.field(name)?.line ?? self.field.line
        self.field.document.report(self.path(of: name), line: line, reason)
    }
}

extension DocumentSection {
    /// Each value as YAML again, by name: what ``DeviceProfile/init(yaml:file:overrides:)`` takes.
    package func yamlTexts() -> [String: String] {
        var texts: [String: String] = [:]
        for (name, node) in self.pairs {
            do {
                texts[name] = try Yams.serialize(node: node)
            } catch {
                self.report(name, "cannot be used as a value: \(error)")
            }
        }
        return texts
    }
}
