import CertificateAuthority

/// Brings changed templates to a CA that runs: whatever `signet template` or an editor has done to the files counts from
/// the next look on. What cannot be read changes nothing.
package actor TemplateWatch {
    private let authority: RunningAuthority
    /// Of the files that the authority issues from.
    private var fingerprint: [String]

    package init(_ authority: RunningAuthority) {
        self.authority = authority
        self.fingerprint = authority.current.instance.templateFingerprint
    }

    /// Issues from the templates on disk, when they are others than before. Events 4898 to 4900 are recorded first.
    ///
    /// - Returns: name and version of every template that is issued from now; `nil` when nothing has changed, or a change
    ///   is under way.
    /// - Throws: ``ServiceError``, `PolicyError`, `IssuanceError` for templates that cannot be used, `StorageError`; those in
    ///   use stay.
    package func look() async throws -> [String]? {
        let authority = self.authority.current
        let instance = authority.instance
        guard try TemplateFiles.fingerprint(instance.layout) != self.fingerprint else { return nil }
        let changed = try instance.rereadingTemplates()
        let templates = try changed.enabledTemplates()
        // Files that changed while they were read may not belong together.
        guard try TemplateFiles.fingerprint(instance.layout) == changed.templateFingerprint else { return nil }
        _ = try TemplateCatalog(templates)
        try await changed.recordLoadedTemplates()
        try authority.authority.replaceTemplates(templates)
        self.fingerprint = changed.templateFingerprint
        return templates.map { "\($0.name) \($0.majorVersion).\($0.minorVersion)" }
    }
}
