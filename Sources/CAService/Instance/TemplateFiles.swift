import CertificateAuthority
import CoreFoundation
import Foundation
import Glibc
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

    /// What the file system says of every file that counts: it is another one as soon as one of them was changed, added
    /// or taken away, whoever did it.
    static func fingerprint(_ layout: InstanceLayout) throws -> [String] {
        let directory = layout.templatesDirectory
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: directory) } catch {
            throw ServiceError.unreadable(directory, error.localizedDescription)
        }
        let paths = names.filter { $0.hasSuffix(".yaml") }.sorted().map { "\(directory)/\($0)" }
        return (paths + [layout.enabledTemplatesPath]).map { path in
            var status = stat()
            // One that is gone, or cannot be looked at, is told by the reading.
            guard stat(path, &status) == 0 else { return "\(path) \(errno)" }
            let (changed, modified) = (status.st_ctim, status.st_mtim)
            return "\(path) \(status.st_ino) \(status.st_size) \(modified.tv_sec).\(modified.tv_nsec) "
                + "\(changed.tv_sec).\(changed.tv_nsec)"
        }
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
