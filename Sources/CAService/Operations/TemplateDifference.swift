package import CertificateAuthority
import Foundation
import Yams

/// What is different between two templates, setting by setting.
package struct TemplateDifference: Sendable {
    package struct Setting: Sendable, Equatable {
        /// The path of the setting, such as `minimumKeyBits.rsa`.
        package var name: String
        package var old: String
        package var new: String

        var isVersion: Bool { self.name == "majorVersion" || self.name == "minorVersion" }
    }

    package let settings: [Setting]

    package init(_ old: CertificateTemplate, _ new: CertificateTemplate) throws {
        let before = try TemplateSettings.flat(old)
        let after = try TemplateSettings.flat(new)
        self.settings = Set(before.keys).union(after.keys).sorted().compactMap { name in
            let (old, new) = (before[name] ?? "(none)", after[name] ?? "(none)")
            return old == new ? nil : Setting(name: name, old: old, new: new)
        }
    }

    /// `name: old -> new`, one a line.
    package var lines: [String] { self.settings.map { "\($0.name): \($0.old) -> \($0.new)" } }
}

/// Templates as trees of YAML.
package enum TemplateSettings {
    /// Scalars and sequences by their path.
    static func flat(_ template: CertificateTemplate) throws -> [String: String] {
        var found: [String: String] = [:]
        guard let node = try Yams.compose(yaml: TemplateFiles.text(of: template)) else { return [:] }
        try self.collect(node, path: "", into: &found)
        return found
    }

    private static func collect(_ node: Node, path: String, into found: inout [String: String]) throws {
        guard case .mapping(let mapping) = node else {
            found[path] = try Yams.serialize(node: node, width: -1).trimmingCharacters(in: .whitespacesAndNewlines)
                .replacingOccurrences(of: "\n", with: " ")
            return
        }
        for (key, value) in mapping {
            let name = key.string ?? ""
            try self.collect(value, path: path.isEmpty ? name : "\(path).\(name)", into: &found)
        }
    }

    /// The template's YAML with settings changed.
    ///
    /// - Parameter changes: `key=value` or `key.key=value`, the value in YAML; an empty value takes the setting away, so
    ///   that it has its default.
    /// - Throws: `TemplateError` for a change that is none.
    package static func text(of template: CertificateTemplate, changing changes: [String]) throws -> String {
        guard var root = try Yams.compose(yaml: TemplateFiles.text(of: template)) else { return "" }
        for change in changes {
            guard let equals = change.firstIndex(of: "=") else {
                throw TemplateError.unknownSetting(change, "it has no \"=\"")
            }
            let path = change[..<equals].split(separator: ".").map(String.init)
            let text = String(change[change.index(after: equals)...])
            let value: Node?
            do { value = text.isEmpty ? nil : try Yams.compose(yaml: text) } catch {
                throw TemplateError.unknownSetting(change, "the value is not YAML")
            }
            root = try self.setting(path[...], of: root, to: value, change)
        }
        return try Yams.serialize(node: root)
    }

    private static func setting(
        _ path: ArraySlice<String>, of node: Node, to value: Node?, _ change: String
    ) throws -> Node {
        guard let key = path.first, case .mapping(var mapping) = node else {
            throw TemplateError.unknownSetting(change, "there is no such setting")
        }
        if path.count == 1 {
            mapping[Node(key)] = value
        } else {
            let inner = mapping[Node(key)] ?? Node([(Node, Node)]())
            mapping[Node(key)] = try self.setting(path.dropFirst(), of: inner, to: value, change)
        }
        return .mapping(mapping)
    }
}
