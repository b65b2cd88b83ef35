import CertificateAuthority
import Foundation
import PKIMessages

/// What the service knew of a template when it loaded it last.
private struct LoadedTemplate: Codable, Equatable {
    static let setting = "templates.loaded"

    let version: String
    /// SHA-256 of the template's text, hexadecimal.
    let content: String
    /// The same of the text without permissions and version.
    let settings: String

    init(_ template: CertificateTemplate) throws {
        self.version = "\(template.majorVersion).\(template.minorVersion)"
        self.content = try LoadedTemplate.hash(template)
        var bare = template
        bare.permissions = []
        (bare.majorVersion, bare.minorVersion) = (0, 0)
        self.settings = try LoadedTemplate.hash(bare)
    }

    private static func hash(_ template: CertificateTemplate) throws -> String {
        Hexadecimal.lower(Digest.sha256.hash(Array(try TemplateFiles.text(of: template).utf8)))
    }
}

extension Instance {
    /// Records what the service issues from, when it has read its templates: event 4898 for a template that it loads for the
    /// first time, 4899 for one whose settings are others than at the last time, 4900 when only its permissions are.
    ///
    /// What was changed by hand in a file is seen here, too.
    package func recordLoadedTemplates() async throws {
        let templates = try self.enabledTemplates()
        let loaded = try Dictionary(
            uniqueKeysWithValues: templates.map { ($0.name, try LoadedTemplate($0)) })
        let oids = Dictionary(uniqueKeysWithValues: templates.map { ($0.name, $0.oid) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode(loaded), as: UTF8.self)
        let now = self.surroundings.now()
        try await self.storage.write { db in
            let former = try db.setting(LoadedTemplate.setting)
            guard former != text else { return }
            let known = try former.map { try JSONDecoder().decode([String: LoadedTemplate].self, from: Data($0.utf8)) }
            for (name, template) in loaded.sorted(by: { $0.key < $1.key }) {
                guard let event = template.event(after: known?[name]) else { continue }
                try db.append(
                    AuditEvent(
                        event, when: now, who: Principal.service.name,
                        details: [
                            "Template": name, "OID": oids[name] ?? "", "Version": template.version,
                            "SHA-256": template.content,
                        ]))
            }
            try db.setSetting(LoadedTemplate.setting, to: text)
        }
    }
}

extension LoadedTemplate {
    fileprivate func event(after known: LoadedTemplate?) -> AuditEventID? {
        guard let known else { return .templateLoaded }
        guard self != known else { return nil }
        return self.settings == known.settings ? .templateSecurityUpdated : .templateUpdated
    }
}
