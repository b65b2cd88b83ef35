/// What a request says about its template, from all the places where it may say it.
///
/// Sources (protocols.md 1.3): extension 1.3.6.1.4.1.311.20.2; attribute 311.13.2.1, the regInfo control and the
/// request attributes, each `CertificateTemplate`; extension 311.21.7.
package struct TemplateIdentification: Sendable, Equatable {
    /// Names, in the order found.
    package var names: [String]
    /// Identifiers in dots, from extension 311.21.7.
    package var identifiers: [String]
    /// The newest major version asked for by extension 311.21.7.
    package var majorVersion: Int?

    package init(names: [String] = [], identifiers: [String] = [], majorVersion: Int? = nil) {
        self.names = names
        self.identifiers = identifiers
        self.majorVersion = majorVersion
    }

    package var isEmpty: Bool { self.names.isEmpty && self.identifiers.isEmpty }

    /// What to store as the row's template before it is looked up: the first thing that was named.
    package var text: String? { self.names.first ?? self.identifiers.first }
}

/// The templates that this CA issues from.
package struct TemplateCatalog: Sendable {
    package let templates: [CertificateTemplate]
    private let byName: [String: Int]
    private let byIdentifier: [String: Int]

    /// - Throws: ``IssuanceError`` with code `invalidConfiguration` when two templates share a name or identifier, or
    ///   an identifier is none.
    package init(_ templates: [CertificateTemplate]) throws {
        var byName: [String: Int] = [:]
        var byIdentifier: [String: Int] = [:]
        for (index, template) in templates.enumerated() {
            guard ObjectIdentifierText.parse(template.oid) != nil else {
                throw IssuanceError.invalidConfiguration(
                    "template \(template.name)", "its oid \"\(template.oid)\" is no object identifier")
            }
            guard byName.updateValue(index, forKey: template.name.lowercased()) == nil,
                byIdentifier.updateValue(index, forKey: template.oid) == nil
            else {
                throw IssuanceError.invalidConfiguration(
                    "template \(template.name)", "another template has its name or its oid")
            }
        }
        // Requesters also write the display name of the template; a short name goes first.
        for (index, template) in templates.enumerated() {
            for alias in TemplateCatalog.aliases(of: template) where byName[alias] == nil { byName[alias] = index }
        }
        self.templates = templates
        self.byName = byName
        self.byIdentifier = byIdentifier
    }

    /// - Parameter name: its short or display name, or its identifier in dots, which is what Windows writes for some.
    package func template(named name: String) -> CertificateTemplate? {
        (self.byName[name.lowercased()] ?? self.byIdentifier[name]).map { self.templates[$0] }
    }

    package func template(withIdentifier oid: String) -> CertificateTemplate? {
        self.byIdentifier[oid].map { self.templates[$0] }
    }

    /// The one template that all of a request's sources name.
    ///
    /// - Throws: ``PolicyError``: 0x80094801 when none is named, 0x80094802 when the sources do not agree,
    ///   0x80094800 when this CA does not have it, 0x80094807 for a newer version than it has.
    package func template(for identification: TemplateIdentification) throws -> CertificateTemplate {
        guard !identification.isEmpty else { throw PolicyError.noTemplate() }
        let named = identification.names.map { ($0, self.template(named: $0)) }
        let identified = identification.identifiers.map { ($0, self.template(withIdentifier: $0)) }
        // An unknown name agrees only with itself.
        let keys = Set((named + identified).map { text, found in found?.oid ?? "unknown " + text.lowercased() })
        guard keys.count == 1 else {
            throw PolicyError.templateConflict(identification.names + identification.identifiers)
        }
        guard let template = (named + identified).compactMap({ $0.1 }).first else {
            throw PolicyError.unsupportedTemplate(identification.text ?? "")
        }
        if let requested = identification.majorVersion, requested > template.majorVersion {
            throw PolicyError.newerTemplateVersion(template, requested: requested)
        }
        return template
    }

    private static func aliases(of template: CertificateTemplate) -> [String] {
        let display = template.displayName.lowercased()
        // "SubordinateCA" is how the white papers call the template whose name is "SubCA".
        return [display, display.filter { $0 != " " }] + (template.name == "SubCA" ? ["subordinateca"] : [])
    }
}
