package import CertificateAuthority
import Foundation

/// One scalar of `signet.yaml`, by the names of its section and key.
package struct SettingPath: Hashable, Sendable, CustomStringConvertible {
    package let section: String
    package let key: String

    package init(_ section: String, _ key: String) {
        self.section = section
        self.key = key
    }

    package var description: String { "\(self.section).\(self.key)" }
}

extension Instance {
    /// Changes settings of `signet.yaml`, all or none. Comments and everything else in the file stay as they are.
    ///
    /// The file that comes out is read as it is at every start before it takes the old one's place. Services that run read
    /// it when they start again.
    ///
    /// - Parameter changes: the values as they stand in YAML; `nil` takes a setting away, so that its default counts.
    /// - Throws: ``ServiceError`` with code `invalidField` for a value that does not fit, `RequestError` with code
    ///   `accessDenied`.
    package func changeSettings(_ changes: [(SettingPath, String?)], by who: Principal) async throws {
        try who.mustBeAllowed(.configure, to: "change \(changes.map(\.0.description).joined(separator: ", "))")
        let path = self.layout.configurationPath
        let old = String(decoding: try FilePaths.read(path), as: UTF8.self)
        let new = try changes.reduce(old) { try SettingText.changing($1.0, to: $1.1, in: $0, file: path) }
        _ = try InstanceConfiguration(yaml: new, file: path)
        guard new != old else { return }
        try await self.store(new, entries: changes.map { ($0.description, $1 ?? "(default)") }, by: who)
    }

    /// Describes another token in `signet.yaml`; everything else in the file stays as it is.
    ///
    /// - Throws: as ``changeSettings(_:by:)``, also for a file whose tokens do not stand in lines of their own.
    func addToken(_ token: TokenConfiguration, named name: String, by who: Principal) async throws {
        try who.mustBeAllowed(.configure, to: "describe the token \(name)")
        let path = self.layout.configurationPath
        var lines = String(decoding: try FilePaths.read(path), as: UTF8.self).components(separatedBy: "\n")
        guard let head = lines.firstIndex(where: { $0 == "tokens:" || $0.hasPrefix("tokens: #") }) else {
            throw ServiceError.invalid(path, "tokens", "they do not stand in lines of their own")
        }
        lines.insert(contentsOf: token.yamlText(name: name).components(separatedBy: "\n"), at: head + 1)
        let text = lines.joined(separator: "\n")
        var wanted = try self.layout.configuration()
        wanted.tokens[name] = token
        guard try InstanceConfiguration(yaml: text, file: path) == wanted else {
            throw ServiceError.invalid(path, "tokens", "the token \(name) is not as described")
        }
        try await self.store(text, entries: [("tokens.\(name)", token.token)], by: who)
    }

    private func store(_ text: String, entries: [(name: String, value: String)], by who: Principal) async throws {
        let path = self.layout.configurationPath
        for entry in entries {
            try await self.record(
                .configurationChanged, by: who, details: ["Node": path, "Entry": entry.name, "Value": entry.value])
        }
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        try FilePaths.replace(path, with: Array(text.utf8), mode: UInt32(mode ?? 0o644))
    }
}

extension Instance {
    /// A setting as it stands in `signet.yaml`; `nil` where its default counts.
    package func settingText(_ setting: SettingPath) throws -> String? {
        let path = self.layout.configurationPath
        let text = String(decoding: try FilePaths.read(path), as: UTF8.self)
        return try YAMLMapping(text: text, file: path).optionalMapping(setting.section)?.optionalText(setting.key)
    }
}

/// Changes one line of a YAML text in block style, as `signet init` writes it and people keep it.
enum SettingText {
    /// - Throws: ``ServiceError`` with code `invalidField` for a section in flow style, or a value that is not one line.
    static func changing(
        _ setting: SettingPath, to value: String?, in text: String, file: String
    ) throws -> String {
        guard value?.contains(where: \.isNewline) != true else {
            throw ServiceError.invalid(file, setting.description, "a value of one line is expected")
        }
        var lines = text.components(separatedBy: "\n")
        guard let head = lines.firstIndex(where: { self.key(of: $0, indentation: 0) == setting.section }) else {
            guard let value else { return text }
            if lines.last == "" { lines.removeLast() }
            return (lines + ["", "\(setting.section):", "  \(setting.key): \(value)", ""]).joined(separator: "\n")
        }
        guard self.value(of: lines[head]).isEmpty else {
            throw ServiceError.invalid(
                file, setting.section, "its settings stand on one line; write each on a line of its own to change one")
        }
        let end = lines[(head + 1)...].firstIndex { self.key(of: $0, indentation: 0) != nil } ?? lines.endIndex
        let indentation = lines[(head + 1)..<end].lazy.compactMap(self.indentation).first { $0 > 0 } ?? 2
        let line = lines[(head + 1)..<end].firstIndex {
            self.key(of: $0, indentation: indentation) == setting.key
        }
        let written = value.map { String(repeating: " ", count: indentation) + "\(setting.key): \($0)" }
        switch (line, written) {
        case (let line?, let written?):
            try self.mustBeScalar(lines, line, indentation, setting, file)
            lines[line] = written
        case (let line?, nil):
            try self.mustBeScalar(lines, line, indentation, setting, file)
            lines.remove(at: line)
        case (nil, let written?): lines.insert(written, at: head + 1)
        case (nil, nil): break
        }
        return lines.joined(separator: "\n")
    }

    /// The key of a line of that indentation; `nil` for comments, empty lines and deeper ones.
    private static func key(of line: String, indentation: Int) -> String? {
        guard self.indentation(of: line) == indentation, let colon = line.firstIndex(of: ":") else { return nil }
        return line[..<colon].trimmingCharacters(in: .whitespaces)
    }

    private static func value(of line: String) -> String {
        guard let colon = line.firstIndex(of: ":") else { return "" }
        let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        return value.hasPrefix("#") ? "" : value
    }

    /// `nil` for comments and empty lines.
    private static func indentation(of line: String) -> Int? {
        let content = line.drop { $0 == " " }
        guard let first = content.first, first != "#", first != "\r" else { return nil }
        return line.count - content.count
    }

    /// What stands on several lines is no scalar, and would be left half.
    private static func mustBeScalar(
        _ lines: [String], _ line: Int, _ indentation: Int, _ setting: SettingPath, _ file: String
    ) throws {
        let next = lines[(line + 1)...].lazy.compactMap(self.indentation).first
        guard next.map({ $0 <= indentation }) ?? true, !self.value(of: lines[line]).isEmpty else {
            throw ServiceError.invalid(file, setting.description, "it stands on several lines")
        }
    }
}
