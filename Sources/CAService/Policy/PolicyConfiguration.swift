package import CertificateAuthority

/// `policy:` of `signet.yaml`: which module decides, what it takes from attributes, and which program is asked.
package struct PolicyConfiguration: Sendable, Equatable {
    package enum Module: String, Sendable, Codable {
        case enterprise
        case standalone = "stand-alone"
    }

    package struct Program: Sendable, Equatable {
        /// Absolute.
        package var path: String
        package var arguments: [String]
        package var deadlineSeconds: Int
        package var mayIssuePending: Bool
    }

    package var module: Module = .enterprise
    package var settings = PolicySettings()
    package var program: Program?

    package init() {}

    /// With the module's own settings.
    package init(module: Module) {
        self.module = module
        self.settings = PolicySettings(
            requestDisposition: module == .enterprise ? .issue : .pend, takesAttributeValidity: false,
            takesAttributeUsage: module == .standalone, takesAttributeNames: false)
    }

    init(yaml: YAMLMapping?) throws {
        guard let yaml else { return }
        self.module = try yaml.value(
            "module", default: .enterprise, expected: "enterprise or stand-alone", Module.init(rawValue:))
        let own = PolicyConfiguration(module: self.module).settings
        self.settings = PolicySettings(
            requestDisposition: try yaml.value(
                "request-disposition", default: own.requestDisposition,
                expected: "issue, pend or deny", PolicySettings.RequestDisposition.init(rawValue:)),
            takesAttributeValidity: try yaml.boolean("take-attribute-validity", default: false),
            takesAttributeUsage: try yaml.boolean("take-attribute-usage", default: own.takesAttributeUsage),
            takesAttributeNames: try yaml.boolean("take-attribute-names", default: false))
        self.program = try yaml.optionalMapping("program").map(Program.init(yaml:))
        try yaml.finish()
    }

    /// As it stands in `signet.yaml`.
    var yamlText: String {
        var lines = [
            "policy:",
            "  # enterprise: templates decide; stand-alone: requested extensions, and every request waits. docs/policy.md",
            "  module: \(self.module.rawValue)",
            "  # issue, pend or deny what no rule refuses",
            "  request-disposition: \(self.settings.requestDisposition.rawValue)",
            "  take-attribute-validity: \(self.settings.takesAttributeValidity)",
            "  take-attribute-usage: \(self.settings.takesAttributeUsage)",
            "  take-attribute-names: \(self.settings.takesAttributeNames)",
        ]
        if let program = self.program {
            lines += [
                "  program:", "    path: \(YAMLText.quoted(program.path))",
                "    arguments: [\(program.arguments.map(YAMLText.quoted).joined(separator: ", "))]",
                "    deadline-seconds: \(program.deadlineSeconds)", "    may-issue-pending: \(program.mayIssuePending)",
            ]
        }
        return lines.joined(separator: "\n")
    }

    func policyModule() -> any PolicyModule {
        let disposition = self.settings.requestDisposition
        let base: any PolicyModule =
            self.module == .enterprise
            ? EnterprisePolicy(disposition: disposition) : StandalonePolicy(disposition: disposition)
        guard let program = self.program else { return base }
        return ProgramPolicy(
            base: base,
            program: PolicyProgramProcess(
                path: program.path, arguments: program.arguments, deadlineSeconds: program.deadlineSeconds),
            mayIssuePending: program.mayIssuePending)
    }
}

extension PolicyConfiguration.Program {
    init(yaml: YAMLMapping) throws {
        self.path = try yaml.text("path")
        guard self.path.hasPrefix("/") else { throw yaml.invalid("path", "an absolute path is expected") }
        self.arguments = try yaml.optionalList("arguments") ?? []
        self.deadlineSeconds = try yaml.integer("deadline-seconds", in: 1...300, default: 10)
        self.mayIssuePending = try yaml.boolean("may-issue-pending", default: false)
        try yaml.finish()
    }
}

/// `lint:` of `signet.yaml`.
package struct LintConfiguration: Sendable, Equatable {
    package var settings = LintSettings()
    /// Files in the form of Debian's `openssl-blacklist`, relative to the instance.
    package var weakKeyLists: [String] = []

    package init() {}

    init(yaml: YAMLMapping?) throws {
        guard let yaml else { return }
        self.settings = LintSettings(
            minimumRSAExponent: UInt64(try yaml.integer("minimum-rsa-exponent", in: 3...(1 << 32), default: 65537)),
            closePrimeRounds: try yaml.integer("close-prime-rounds", in: 0...100_000, default: 100),
            tolerated: Set(try yaml.optionalList("tolerate") ?? []))
        self.weakKeyLists = try yaml.optionalList("weak-key-lists") ?? []
        try yaml.finish()
    }

    /// As it stands in `signet.yaml`.
    var yamlText: String {
        """
        lint:
          minimum-rsa-exponent: \(self.settings.minimumRSAExponent)
          close-prime-rounds: \(self.settings.closePrimeRounds)
          # Files in the form of Debian's openssl-blacklist, and findings that do not stop issuance: docs/policy.md
          weak-key-lists: [\(self.weakKeyLists.map(YAMLText.quoted).joined(separator: ", "))]
          tolerate: [\(self.settings.tolerated.sorted().map(YAMLText.quoted).joined(separator: ", "))]
        """
    }

    /// - Throws: ``ServiceError`` for a list that cannot be read, with the line.
    func weakKeys(in directory: String) throws -> WeakKeyList {
        var list = WeakKeyList()
        for file in self.weakKeyLists {
            let path = FilePaths.resolve(file, in: directory)
            let text = String(decoding: try FilePaths.read(path, limit: 256 << 20), as: UTF8.self)
            if let line = list.add(text) {
                throw ServiceError.invalid(path, "line \(line)", "20 or 40 hexadecimal digits are expected")
            }
        }
        return list
    }
}
