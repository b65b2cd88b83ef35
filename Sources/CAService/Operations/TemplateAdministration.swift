package import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import Yams

/// Changing the templates of an instance: files, the list of those that are enabled, and the audit trail of both.
///
/// A running service sees the change at its next look (``TemplateWatch``).
extension Instance {
    /// The templates that the CA issues from.
    ///
    /// - Throws: ``PolicyError`` with 0x80094813 when one that is enabled has no file.
    package func enabledTemplates() throws -> [CertificateTemplate] {
        guard let names = try TemplateFiles.enabled(self.layout) else { return self.templates }
        return try names.map { try self.template(named: $0) }
    }

    /// Names of the enabled templates.
    func enabledTemplateNames() throws -> [String] {
        try TemplateFiles.enabled(self.layout) ?? self.templates.map(\.name)
    }

    /// - Throws: ``PolicyError`` with 0x80094813 when there is none of that name.
    func template(named name: String) throws -> CertificateTemplate {
        guard let found = self.templates.first(where: { $0.name.lowercased() == name.lowercased() }) else {
            throw PolicyError.unknownTemplate(name)
        }
        return found
    }

    /// A template from YAML, with all checks.
    package func template(reading text: String) throws -> CertificateTemplate {
        try TemplateFiles.template(from: Array(text.utf8), path: "(new template)")
    }

    /// A copy with a name, identifier and version of its own.
    package func copy(of template: CertificateTemplate, named name: String) throws -> CertificateTemplate {
        var copy = template
        copy.name = name
        copy.displayName = name
        copy.schemaVersion = max(2, template.schemaVersion)
        (copy.majorVersion, copy.minorVersion) = (100, 0)
        // As Windows makes them: random arcs below Microsoft's.
        let arcs = try self.surroundings.randomBytes(12)
        copy.oid =
            "1.3.6.1.4.1.311.21.8"
            + stride(from: 0, to: 12, by: 3).map { index in
                ".\(Int(arcs[index]) << 16 | Int(arcs[index + 1]) << 8 | Int(arcs[index + 2]))"
            }.joined() + ".1"
        return copy
    }

    /// Adds a template. It is not enabled yet.
    package func addTemplate(_ template: CertificateTemplate, by who: Principal) async throws {
        try who.mustBeAllowed(.manageTemplates, to: "add template \(template.name)")
        _ = try TemplateCatalog(self.templates + [template])
        try await self.record(.templateUpdated, by: who, details: self.details(of: template, from: nil))
        try FilePaths.createWhole(
            TemplateFiles.path(of: template.name, in: self.layout), with: Array(TemplateFiles.text(of: template).utf8),
            mode: 0o644)
    }

    /// Replaces a template by a changed one, with a new version.
    ///
    /// - Parameter isMajor: the major version rises, so that holders of the former one enrol again; otherwise the minor.
    /// - Returns: the template as it was stored; the old one when nothing has changed.
    package func changeTemplate(
        _ name: String, to text: String, isMajor: Bool, by who: Principal
    ) async throws -> CertificateTemplate {
        try who.mustBeAllowed(.manageTemplates, to: "change template \(name)")
        let old = try self.template(named: name)
        guard old.allows(.write, to: who) || who.roles.contains(.administrator) else {
            throw TemplateError.notWritable(old.name, who)
        }
        var new = try TemplateFiles.template(from: Array(text.utf8), path: "(changed template)")
        guard new.name == old.name, new.oid == old.oid else {
            throw TemplateError.unknownSetting("name, oid", "a template keeps its name and identifier; make a new one")
        }
        (new.majorVersion, new.minorVersion) = (old.majorVersion, old.minorVersion)
        guard new != old else { return old }
        if isMajor { (new.majorVersion, new.minorVersion) = (old.majorVersion + 1, 0) } else { new.minorVersion += 1 }
        let isSecurityOnly = try TemplateDifference(old, new).settings.allSatisfy {
            $0.name == "permissions" || $0.isVersion
        }
        try await self.record(
            isSecurityOnly ? .templateSecurityUpdated : .templateUpdated, by: who,
            details: self.details(of: new, from: old))
        try FilePaths.replace(
            TemplateFiles.path(of: new.name, in: self.layout), with: Array(TemplateFiles.text(of: new).utf8),
            mode: 0o644)
        return new
    }

    /// Issues from these templates as well.
    ///
    /// - Returns: the names of all that are enabled now.
    /// - Throws: ``PolicyError`` with 0x80094813 for a name without a template; then none is enabled.
    @discardableResult
    package func enableTemplates(_ names: [String], by who: Principal) async throws -> [String] {
        try who.mustBeAllowed(.manageTemplates, to: Self.changingEnabled)
        let found = try names.map { try self.template(named: $0).name }
        return try await self.setEnabled(Array(Set(try self.enabledTemplateNames() + found)), by: who)
    }

    /// No longer issues from these templates.
    ///
    /// - Returns: the names of those that are still enabled.
    @discardableResult
    package func disableTemplates(_ names: [String], by who: Principal) async throws -> [String] {
        try who.mustBeAllowed(.manageTemplates, to: Self.changingEnabled)
        let enabled = try self.enabledTemplateNames()
        for name in names where !enabled.contains(where: { $0.lowercased() == name.lowercased() }) {
            throw PolicyError.unknownTemplate(name)
        }
        let gone = Set(names.map { $0.lowercased() })
        return try await self.setEnabled(enabled.filter { !gone.contains($0.lowercased()) }, by: who)
    }

    private static let changingEnabled = "change the enabled templates"

    private func setEnabled(_ names: [String], by who: Principal) async throws -> [String] {
        // First the record of what is about to change: a change without one must not be.
        try await self.record(
            .propertyChanged, by: who,
            details: [
                "Property": "Templates", "Index": "0", "Type": "string", "Value": names.sorted().joined(separator: " "),
            ])
        try TemplateFiles.writeEnabled(names, self.layout)
        return try self.enabledTemplateNames()
    }

    private func details(of new: CertificateTemplate, from old: CertificateTemplate?) throws -> [String: String] {
        var details = [
            "Template": new.name, "OID": new.oid, "Version": "\(new.majorVersion).\(new.minorVersion)",
            "SHA-256": Hexadecimal.lower(Digest.sha256.hash(Array(try TemplateFiles.text(of: new).utf8))),
        ]
        if let old { details["Changes"] = try TemplateDifference(old, new).lines.joined(separator: "\n") }
        return details
    }

    /// What is wrong with the templates, as far as it can be seen from here.
    package func checkTemplates(
        _ names: [String] = [], for who: Principal
    ) async throws -> [TemplateCheck.Problem] {
        try who.mustBeAllowed(.readConfiguration, to: "check templates")
        let (records, agents) = try await self.storage.read { db in
            (try db.caCertificates(), try db.keyRecoveryAgents())
        }
        let own = try CACertificateRecord.newestPath(in: records).first.map {
            try CertificateFields(derEncoded: $0.certificateDER)
        }
        let check = TemplateCheck(
            .init(
                now: self.surroundings.now(), caNotAfter: own?.notAfter,
                maximumValidity: TimeInterval(self.configuration.certificates.maximumValidityDays) * 86_400,
                userPrincipalNameSuffix: self.configuration.certificates.userPrincipalNameSuffix,
                hasDirectory: FilePaths.exists(self.layout.requesterDirectoryPath), recoveryAgents: agents.count,
                enabled: try self.enabledTemplateNames(), templates: self.templates))
        guard !names.isEmpty else { return check.problems() }
        return try names.flatMap { check.problems(of: try self.template(named: $0)) }
    }
}
