import ArgumentParser
import CAService
import CertificateAuthority
import Foundation

/// `signet template list|show|new|edit|enable|disable|diff|check`
struct TemplateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template", abstract: "Certificate templates.",
        subcommands: [
            ListTemplates.self, ShowTemplate.self, NewTemplate.self, EditTemplate.self, EnableTemplate.self,
            DisableTemplate.self, DiffTemplate.self, CheckTemplates.self,
        ])
}

/// `signet template list`
struct ListTemplates: TableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the templates, and which of them this CA issues from.",
        examples: "signet template list")

    @OptionGroup var options: InstanceOptions

    static let headings = ["Name", "Display name", "Version", "Enabled", "OID"]

    func rows(of instance: Instance, for who: Principal) async throws -> [[String]] {
        let list = try instance.templateList(for: who)
        let enabled = Set(list.enabled.map { $0.lowercased() })
        return list.templates.map { template in
            [
                template.name, template.displayName, "\(template.majorVersion).\(template.minorVersion)",
                enabled.contains(template.name.lowercased()) ? "yes" : "no", template.oid,
            ]
        }
    }
}

/// `signet template show`
struct ShowTemplate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print a template as YAML, or as the attributes of Windows.",
        examples: """
            signet template show User
            signet template show User --bits
            """)

    @OptionGroup var options: InstanceOptions

    @Flag(name: .long, help: "Print flags and msPKI attributes as LDIF.")
    var bits = false

    @Argument(help: "The template's name.")
    var name: String

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let template = try await instance.template(named: self.name, for: instance.localOperator())
        let text = self.bits ? TemplateBits(template).ldif : try TemplateSettings.text(of: template, changing: [])
        Console.say(text.trimmingCharacters(in: .newlines))
    }
}

/// `signet template new`
struct NewTemplate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Add a template: a copy of another one, or one exported from Windows.",
        discussion: "It is not enabled yet.",
        examples: """
            signet template new Engineer --from User --set "validity=2 years" --set pendAll=true
            signet template new --from-bits template.ldif
            """)

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "The template to copy.")
    var from: String?

    @Option(name: .long, help: "A file with the attributes of a template: LDIF, or what certutil -dstemplate prints.")
    var fromBits: String?

    @Option(name: .long, help: "KEY=VALUE for a setting that is different, the value in YAML. May be repeated.")
    var set: [String] = []

    @Argument(help: "The new template's short name. Left out with --from-bits, it keeps its own.")
    var name: String?

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        var template: CertificateTemplate
        switch (self.from, self.fromBits) {
        case (let source?, nil):
            guard let name = self.name else { throw ValidationError("Name the new template.") }
            template = try await instance.template(named: source, for: instance.localOperator())
            template = try instance.copy(of: template, named: name)
        case (nil, let file?):
            let found = try TemplateImport(String(decoding: FilePaths.read(file), as: UTF8.self))
            for text in found.ignored { Console.complain("ignored: \(text)") }
            template = found.template
            if let name = self.name { template.name = name }
        default: throw ValidationError("Name either --from TEMPLATE or --from-bits FILE.")
        }
        if !self.set.isEmpty {
            template = try instance.template(
                reading: TemplateSettings.text(of: template, changing: self.set))
        }
        try await instance.addTemplate(template, by: await instance.localOperator())
        Console.say("Template \(template.name) added with OID \(template.oid); enable it when it is as you want it.")
    }
}

/// `signet template edit`
struct EditTemplate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Change a template; it gets a new version.",
        discussion: "Without --set the template is opened in the program that EDITOR names.",
        examples: """
            signet template edit Engineer
            signet template edit Engineer --set archival=required --major
            """)

    @OptionGroup var options: InstanceOptions

    @Option(name: .long, help: "KEY=VALUE, the value in YAML; nothing after = gives the default. May be repeated.")
    var set: [String] = []

    @Flag(name: .long, help: "Let the major version rise: holders of the former one are to enrol again.")
    var major = false

    @Argument(help: "The template's name.")
    var name: String

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let template = try await instance.template(named: self.name, for: instance.localOperator())
        let text =
            self.set.isEmpty
            ? try TextEditor.edit(TemplateSettings.text(of: template, changing: []), suffix: ".yaml")
            : try TemplateSettings.text(of: template, changing: self.set)
        let changed = try await instance.changeTemplate(
            self.name, to: text, isMajor: self.major, by: await instance.localOperator())
        guard changed != template else {
            Console.say("Template \(template.name) is unchanged.")
            return
        }
        Console.say("Template \(changed.name) is now version \(changed.majorVersion).\(changed.minorVersion).")
        for line in try TemplateDifference(template, changed).lines { Console.say("  \(line)") }
    }
}

/// `signet template enable`
struct EnableTemplate: ChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Let this CA issue from templates.",
        examples: "signet template enable Engineer SmartcardUser")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "Names of templates.")
    var names: [String]

    func change(_ instance: Instance, by who: Principal) async throws -> String {
        "Enabled: \(try await instance.enableTemplates(self.names, by: who).joined(separator: ", "))"
    }
}

/// `signet template disable`
struct DisableTemplate: ChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Let this CA no longer issue from templates.",
        examples: "signet template disable WebServer")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "Names of templates.")
    var names: [String]

    func change(_ instance: Instance, by who: Principal) async throws -> String {
        "Enabled: \(try await instance.disableTemplates(self.names, by: who).joined(separator: ", "))"
    }
}

/// `signet template diff`
struct DiffTemplate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Compare a template with another one, or with the built-in one of its name.",
        examples: "signet template diff Engineer User")

    @OptionGroup var options: InstanceOptions

    @Argument(help: "The template's name.")
    var name: String

    @Argument(help: "The name of the other template.")
    var other: String?

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let who = try await instance.localOperator()
        let template = try instance.template(named: self.name, for: who)
        let reference: CertificateTemplate
        if let other = self.other {
            reference = try instance.template(named: other, for: who)
        } else {
            guard let builtIn = BuiltInTemplates.all.first(where: { $0.name == template.name }) else {
                throw ValidationError("There is no built-in template \(template.name); name another template.")
            }
            reference = builtIn
        }
        let lines = try TemplateDifference(reference, template).lines
        for line in lines { Console.say(line) }
        // As diff(1): 1 when there are differences.
        if !lines.isEmpty { throw ExitCode(1) }
    }
}

/// `signet template check`
struct CheckTemplates: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Look for templates by which enrolment fails, and say what to do.",
        discussion: "Ends with 0 when nothing was found, 1 for warnings only, and 2 for errors.",
        examples: """
            signet template check
            signet template check Engineer
            """)

    @OptionGroup var options: InstanceOptions

    @Argument(help: "Names of templates; the enabled ones when left out.")
    var names: [String] = []

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let problems = try await instance.checkTemplates(self.names, for: instance.localOperator())
        for problem in problems {
            Console.say("\(problem.template): \(problem.severity.rawValue): \(problem.text) [\(problem.id)]")
            Console.say("  \(problem.remedy)")
        }
        guard !problems.isEmpty else {
            Console.say("No problem was found.")
            return
        }
        throw ExitCode(problems.contains { $0.severity == .error } ? 2 : 1)
    }
}
