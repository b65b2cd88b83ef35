internal import Diagnostics

/// One value of a profile, ready for a reader or a file.
public struct ProfileField: Hashable, Sendable {
    /// Dotted path, such as `capacity.full_rv.keygen`.
    public let path: String
    /// The value as YAML, on one line; `unknown` when nobody knows it.
    public let text: String
    /// `nil` for a value that is unknown.
    public let provenance: Provenance?

    /// The name of the section of the document that it is in.
    public var section: String { String(self.path.prefix { $0 != "." }) }
}

/// Collects the fields of a profile in the order of the documentation.
struct ProfileFieldList {
    private(set) var fields: [ProfileField] = []

    mutating func add<Value>(_ path: String, _ value: ProfileValue<Value>, _ text: (Value) -> String) {
        self.fields.append(
            ProfileField(path: path, text: value.value.map(text) ?? "unknown", provenance: value.provenance))
    }

    mutating func add(_ path: String, _ value: ProfileValue<Int>) { self.add(path, value) { String($0) } }

    mutating func add(_ path: String, _ value: ProfileValue<Bool>) { self.add(path, value) { String($0) } }

    mutating func add(_ path: String, _ value: ProfileValue<Limit>) {
        self.add(path, value) { limit in
            switch limit {
            case .unlimited: "0"
            case .atMost(let maximum): String(maximum)
            }
        }
    }

    mutating func add(_ path: String, _ value: ProfileValue<Double>) {
        self.add(path, value) { $0 == $0.rounded() && $0 < 1e9 ? String(Int($0)) : String($0) }
    }

    mutating func add(_ path: String, _ value: ProfileValue<ReturnValue>) { self.add(path, value, Self.text) }

    mutating func add(_ path: String, _ value: ProfileValue<String>) { self.add(path, value, Self.quoted) }

    mutating func add<Choice: RawRepresentable<String>>(_ path: String, _ value: ProfileValue<Choice>) {
        self.add(path, value) { $0.rawValue }
    }

    mutating func add(_ path: String, _ value: ProfileValue<[String]>) { self.add(path, value, Self.list) }

    static func text(_ value: ReturnValue) -> String {
        value.name.map { String($0.dropFirst(4)) } ?? "0x" + String(value.rawValue, radix: 16)
    }

    static func list(_ texts: [String]) -> String {
        "[" + texts.map(Self.quoted).joined(separator: ", ") + "]"
    }

    /// A plain scalar where that cannot be misread, a double-quoted one otherwise (YAML 1.2, section 7.3).
    static func quoted(_ text: String) -> String {
        let isPlain =
            text.unicodeScalars.first.map { ("A"..."Z").contains($0) || ("a"..."z").contains($0) } == true
            && text.unicodeScalars.allSatisfy {
                ("A"..."Z").contains($0) || ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "_"
                    || $0 == "-"
            } && !["true", "false", "yes", "no", "on", "off", "null", "unknown", "y", "n"].contains(text.lowercased())
        if isPlain { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}": quoted += "?"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
