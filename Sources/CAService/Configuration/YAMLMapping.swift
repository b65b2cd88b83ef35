import Yams

/// A YAML mapping that is read key by key. Keys that nobody asked for are an error, and every error names the file
/// and the path of the field.
final class YAMLMapping {
    private let file: String
    private let path: String
    private var entries: [String: Node] = [:]
    private var unread: Set<String> = []

    convenience init(text: String, file: String) throws {
        let node: Node?
        do { node = try Yams.compose(yaml: text) } catch {
            throw ServiceError.invalid(file, "(whole file)", YAMLMapping.reason(error))
        }
        try self.init(node, file: file, path: "")
    }

    private init(_ node: Node?, file: String, path: String) throws {
        self.file = file
        self.path = path
        guard case .mapping(let mapping)? = node else {
            throw ServiceError.invalid(file, path.isEmpty ? "(whole file)" : path, "a mapping is expected")
        }
        for (key, value) in mapping {
            guard let name = key.string else { throw ServiceError.invalid(file, path, "a key is not a text") }
            // A key that stands there twice was refused by the parser.
            self.entries[name] = value
        }
        self.unread = Set(self.entries.keys)
    }

    /// What is wrong and where, without the text around it: an operator may have put a PIN there.
    private static func reason(_ error: any Error) -> String {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "it is not YAML: \(problem) in line \(mark.line)"
        case .duplicatedKeysInMapping(let duplicates, let context):
            "it has a key twice: \(duplicates.sorted().joined(separator: ", ")), near line \(context.mark.line)"
        default: "it is not YAML"
        }
    }

    var keys: [String] { self.entries.keys.sorted() }

    /// - Parameter key: empty for the mapping itself.
    func name(of key: String) -> String {
        self.path.isEmpty || key.isEmpty ? self.path + key : "\(self.path).\(key)"
    }

    func invalid(_ key: String, _ reason: String) -> ServiceError {
        .invalid(self.file, self.name(of: key), reason)
    }

    private func take(_ key: String) -> Node? {
        self.unread.remove(key)
        return self.entries[key]
    }

    func optionalText(_ key: String) throws -> String? {
        guard let node = self.take(key) else { return nil }
        guard let text = node.scalar?.string, !text.isEmpty else { throw self.invalid(key, "a text is expected") }
        return text
    }

    /// A sequence of texts; one text alone counts as a sequence of one.
    func optionalList(_ key: String) throws -> [String]? {
        guard let node = self.take(key) else { return nil }
        if let text = node.scalar?.string, !text.isEmpty { return [text] }
        guard let sequence = node.sequence else { throw self.invalid(key, "a list of texts is expected") }
        return try sequence.map { item in
            guard let text = item.scalar?.string, !text.isEmpty else {
                throw self.invalid(key, "a list of texts is expected")
            }
            return text
        }
    }

    func text(_ key: String) throws -> String {
        guard let text = try self.optionalText(key) else { throw self.invalid(key, "it is missing") }
        return text
    }

    func integer(_ key: String, in range: ClosedRange<Int>, default value: Int? = nil) throws -> Int {
        guard let node = self.take(key) else {
            guard let value else { throw self.invalid(key, "it is missing") }
            return value
        }
        guard let number = node.int, range.contains(number) else {
            throw self.invalid(key, "a whole number from \(range.lowerBound) to \(range.upperBound) is expected")
        }
        return number
    }

    func optionalInteger(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
        guard self.entries[key] != nil else { return nil }
        return try self.integer(key, in: range)
    }

    func boolean(_ key: String, default value: Bool) throws -> Bool {
        guard let node = self.take(key) else { return value }
        guard let flag = node.bool else { throw self.invalid(key, "true or false is expected") }
        return flag
    }

    /// A text that `type` can be made of.
    func value<T>(_ key: String, default value: T?, expected: String, _ make: (String) throws -> T?) throws -> T {
        guard let text = try self.optionalText(key) else {
            guard let value else { throw self.invalid(key, "it is missing") }
            return value
        }
        guard let made = try make(text) else { throw self.invalid(key, "\(expected) is expected, not \"\(text)\"") }
        return made
    }

    func optionalMapping(_ key: String) throws -> YAMLMapping? {
        guard let node = self.take(key) else { return nil }
        return try YAMLMapping(node, file: self.file, path: self.name(of: key))
    }

    func mapping(_ key: String) throws -> YAMLMapping {
        guard let mapping = try self.optionalMapping(key) else { throw self.invalid(key, "it is missing") }
        return mapping
    }

    /// A list of texts that `type` can be made of; none when the key is not there.
    func texts<T>(_ key: String, expected: String, _ make: (String) throws -> T?) throws -> [T] {
        guard let node = self.take(key) else { return [] }
        guard let sequence = node.sequence else { throw self.invalid(key, "a list is expected") }
        return try sequence.map { item in
            guard let text = item.scalar?.string, let made = try make(text) else {
                throw self.invalid(key, "each item must be \(expected)")
            }
            return made
        }
    }

    /// A list of mappings; an error names the item, from 1.
    func mappings(_ key: String) throws -> [YAMLMapping] {
        guard let sequence = self.take(key)?.sequence else { throw self.invalid(key, "a list is expected") }
        return try sequence.enumerated().map { index, item in
            try YAMLMapping(item, file: self.file, path: "\(self.name(of: key))[\(index + 1)]")
        }
    }

    /// Every key with its mapping.
    func mappings() throws -> [String: YAMLMapping] {
        try Dictionary(uniqueKeysWithValues: self.keys.map { ($0, try self.mapping($0)) })
    }

    /// Every key with its text.
    func texts() throws -> [String: String] {
        try Dictionary(uniqueKeysWithValues: self.keys.map { ($0, try self.text($0)) })
    }

    /// To be called when all known keys have been read.
    func finish() throws {
        guard let stranger = self.unread.sorted().first else { return }
        throw self.invalid(stranger, "there is no such setting")
    }
}
