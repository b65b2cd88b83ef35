import CertificateAuthority
import Foundation
import Yams

/// The directory of certificate templates: one YAML file a template.
enum TemplateFiles {
    /// Writes the built-in templates, for the operator to change.
    static func writeBuiltIn(to directory: String) throws {
        for template in BuiltInTemplates.all {
            let text: String
            do { text = try YAMLEncoder().encode(template) } catch {
                throw ServiceError.notWritten(directory, "template \(template.name) cannot be written as YAML")
            }
            try FilePaths.create("\(directory)/\(template.name).yaml", with: Array(text.utf8), mode: 0o644)
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
            let text = try FilePaths.read(path)
            do { return try YAMLDecoder().decode(CertificateTemplate.self, from: Data(text)) } catch {
                throw ServiceError.invalid(path, "(template)", TemplateFiles.reason(error))
            }
        }
    }

    private static func reason(_ error: any Error) -> String {
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
