internal import Yams

/// A YAML document that is read field by field, collecting everything that is wrong instead of stopping at the
/// first thing. Used for device profiles and for the token simulator's configuration.
package final class Document {
    /// A profile is a few kilobytes; a text beyond this is something else.
    static let maximumBytes = 256 * 1024

    package let file: String
    package private(set) var findings: [ProfileFinding] = []
    private(set) var node: Node

    /// - Parameters:
    ///   - text: one YAML document, a mapping.
    ///   - file: its name in findings.
    package convenience init(text: String, file: String) throws(ProfileError) {
        guard text.utf8.count <= Document.maximumBytes else {
            throw .notYAML(file, line: nil, reason: "it is longer than \(Document.maximumBytes) bytes")
        }
        let node = try Document.compose(text, file: file)
        guard node.mapping != nil else {
            throw .notYAML(file, line: 1, reason: "it is not a mapping of names to values")
        }
        self.init(node: node, file: file)
    }

    init(node: Node, file: String) {
        self.node = node
        self.file = file
    }

    static func compose(_ text: String, file: String) throws(ProfileError) -> Node {
        do {
            guard let node = try Yams.compose(yaml: text) else {
                throw ProfileError.notYAML(file, line: nil, reason: "it is empty")
            }
            return node
        } catch let error as ProfileError {
            throw error
        } catch let error as YamlError {
            throw .notYAML(file, line: error.line, reason: error.problem)
        } catch {
            throw .notYAML(file, line: nil, reason: "\(error)")
        }
    }

    /// Puts values in place of those of the text: YAML by dotted path.
    func override(with values: [String: String]) throws(ProfileError) {
        for (path, value) in values.sorted(by: { $0.key < $1.key }) {
            let replacement = try Document.compose(value, file: "override \(path)")
            let names = path.split(separator: ".").map(String.init)
            self.node = Document.replacing(names[...], in: self.node, by: replacement)
        }
    }

    /// The document as a section; the place to start.
    package var root: DocumentSection {
        DocumentSection(field: DocumentField(document: self, node: self.node, path: ""))
    }

    func report(_ path: String, line: Int?, _ reason: String) {
        self.findings.append(ProfileFinding(file: self.file, line: line, field: path, reason: reason))
    }

    /// - Throws: ``ProfileError`` with all findings, if there are any.
    package func finish() throws(ProfileError) {
        guard self.findings.isEmpty else { throw .invalid(self.findings) }
    }
}

extension YamlError {
    fileprivate var line: Int? {
        switch self {
        case .reader, .writer, .emitter, .representer, .dataCouldNotBeDecoded, .no, .memory: nil
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        }
    }

    fileprivate var problem: String {
        switch self {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _): problem
        case .duplicatedKeysInMapping(let names, _):
            "the same name is given twice: " + names.joined(separator: ", ")
        default: "\(self)"
        }
    }
}
