internal import Yams

extension Document {
    /// A mapping with one leaf replaced; sections on the way that are absent or unknown are made.
    static func replacing(_ path: ArraySlice<String>, in node: Node, by value: Node) -> Node {
        guard let name = path.first else {
            // A value that stands alone has other evidence than what it replaces; a whole section brings its own.
            guard value.mapping == nil, value.scalar?.string != "unknown" else { return value }
            return Node([
                (Node("value"), value), (Node("evidence"), Node(Evidence.derived.rawValue)),
                (Node("source"), Node("set by an override")),
            ])
        }
        var mapping = node.mapping ?? [:]
        mapping[name] = Document.replacing(path.dropFirst(), in: mapping[name] ?? [:], by: value)
        return .mapping(mapping)
    }
}
