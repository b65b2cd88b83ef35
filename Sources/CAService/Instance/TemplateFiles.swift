import CertificateAuthority
import Foundation
import Yams

/// The directory of certificate templates, one YAML file a template, and the list of those that the CA issues from.
enum TemplateFiles {
    /// Writes the built-in templates, for the operator to change, and the list of those that are enabled at first.
    static func writeBuiltIn(_ layout: InstanceLayout) throws {
        for template in BuiltInTemplates.all {
            try FilePaths.create(
                self.path(of: template.name, in: layout), with: Array(self.text(of: template).utf8), mode: 0o644)
        }
        try self.writeEnabled(BuiltInTemplates.enabled.map(\.name), layout)
    }

    static func path(of name: String, in layout: InstanceLayout) -> String {
        "\(layout.templatesDirectory)/\(name).yaml"
    }

    static func text(of template: CertificateTemplate) throws -> String {
        do { return try YAMLEncoder().encode(template) } catch {
            throw ServiceError.notWritten(template.name, "template \(template.name) cannot be written as YAML")
        }
    }

    /// Reads every `*.yaml`, in the order of the names.
    static func read(from directory: String) throws -> [CertificateTemplate] {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: directory) } catch {
            throw ServiceError.unreadable(directory, error.localizedDescription)
        }
        return try names.filter { $0.hasSuffix(".yaml") }.sorted().map { name in
            let path = "\(directory)/\(name)"
            return try self.template(from: FilePaths.read(path), path: path)
        }
    }

    /// - Throws: ``ServiceError`` with the file, the setting and what is wrong with it.
    static func template(from text: [UInt8], path: String) throws -> CertificateTemplate {
        do { return try YAMLDecoder().decode(CertificateTemplate.self, from: Data(text)) } catch {
            throw ServiceError.invalid(path, "(template)", TemplateFiles.reason(error))
        }
    }

    /// Names of the templates that the CA issues from; `nil` for an instance without the list, which issues from all.
    static func enabled(_ layout: InstanceLayout) throws -> [String]? {
        let path = layout.enabledTemplatesPath
        guard FilePaths.exists(path) else { return nil }
        let yaml = try YAMLMapping(text: String(decoding: FilePaths.read(path), as: UTF8.self), file: path)
        let names = try yaml.optionalList("enabled") ?? []
        try yaml.finish()
        return names
    }

    static func writeEnabled(_ names: [String], _ layout: InstanceLayout) throws {
        let lines = names.sorted().map { "  - \(YAMLText.quoted($0))\n" }.joined()
        let text = """
            # The templates that this CA issues from: `signet template enable` and `disable` change the list.
            enabled:\(names.isEmpty ? " []" : "")
            \(lines)
            """
        try FilePaths.replace(layout.enabledTemplatesPath, with: Array(text.utf8), mode: 0o644)
    }

    static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        switch error {
        case .keyNotFound(let key, _): return "the setting \(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
        @unknown default: return "\(error)"
        }
    }
}
