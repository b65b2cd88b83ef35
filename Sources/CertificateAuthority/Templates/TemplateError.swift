package import Diagnostics

/// A template that cannot be read, found or changed.
package struct TemplateError: DiagnosableError, Equatable {
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let badImport = Code(rawValue: "badImport")
        package static let unknownSetting = Code(rawValue: "unknownSetting")
        /// The caller has not the right on the template.
        package static let notWritable = Code(rawValue: "notWritable")
    }

    package var code: Code
    package var headline: String
    package var hresult: HRESULT
    package var facts: [Fact]
    package var advice: [Advice]

    package static func == (lhs: TemplateError, rhs: TemplateError) -> Bool { lhs.code == rhs.code }
}

extension TemplateError {
    package static func badImport(_ attribute: String, _ reason: String) -> TemplateError {
        TemplateError(
            code: .badImport, headline: "The template cannot be read: \(attribute): \(reason).", hresult: .invalidData,
            facts: [Fact("attribute", attribute)],
            advice: ["Export the template again, as LDIF or with certutil -dstemplate."])
    }

    package static func unknownSetting(_ text: String, _ reason: String) -> TemplateError {
        TemplateError(
            code: .unknownSetting, headline: "The setting \"\(text)\" cannot be used: \(reason).",
            hresult: .invalidParameter, facts: [Fact("setting", text)],
            advice: ["Write it as KEY=VALUE with a key of docs/templates.md and a value in YAML."])
    }

    package static func notWritable(_ name: String, _ who: Principal) -> TemplateError {
        TemplateError(
            code: .notWritable, headline: "\(who.name) may not change template \(name).", hresult: .accessDenied,
            facts: [Fact("template", name), Fact("user", who.name)],
            advice: ["Have an administrator give the right to write on the template to the user."])
    }
}
