package import DeviceProfiles
internal import Glibc

/// What to simulate: a YAML file named by `SIGNET_SIMULATOR`, or by `simulator='FILE'` in `pReserved`.
package struct SimulatorConfiguration: Sendable {
    /// Tokens by label, and the profile that they are to have.
    package struct TokenRule: Sendable {
        package var label: ProfilePattern
        package var profile: DeviceProfile
    }

    /// The module inside.
    package var modulePath: String
    /// The text for its `pReserved`.
    package var moduleArguments: String?
    /// Set before the module inside is loaded.
    package var environment: [String: String]
    /// The file that remembers what is on each card; `nil` for a ledger of this process only.
    package var ledgerPath: String?
    /// The first rule whose label fits a token counts. A token that none fits is left as it is.
    package var tokens: [TokenRule]
    package var faults: [Fault]

    package static let variable = "SIGNET_SIMULATOR"

    /// - Parameter reserved: the text of `pReserved`.
    /// - Throws: ``SimulatorError`` when no simulation is asked for, `ProfileError` for a wrong file.
    static func find(reserved: String?) throws -> SimulatorConfiguration {
        if let path = reserved.flatMap(ReservedText.init)?.simulator { return try SimulatorConfiguration(path: path) }
        guard let value = getenv(SimulatorConfiguration.variable), value.pointee != 0 else {
            throw SimulatorError.notConfigured("\(SimulatorConfiguration.variable) is not set")
        }
        return try SimulatorConfiguration(path: String(cString: value))
    }

    /// Reads and checks a file. Paths in it are relative to its directory.
    package init(path: String) throws {
        let document = try Document(text: TextFile.read(path), file: path)
        let root = document.root
        root.allow([
            "simulate", "module", "module_arguments", "environment", "profiles", "ledger", "tokens", "faults",
        ])
        guard root.field("simulate")?.boolean() == true else {
            throw SimulatorError.notConfigured("\(path) does not say \"simulate: true\"")
        }
        let base = RelativePaths(file: path)
        self.modulePath = root.required("module")?.text() ?? ""
        self.moduleArguments = root.field("module_arguments")?.text()
        self.environment = root.field("environment")?.section()?.texts() ?? [:]
        self.ledgerPath = root.field("ledger")?.text().map(base.resolve)
        let directories = root.field("profiles")?.oneOrMore { $0.text() } ?? []
        let catalog = try ProfileCatalog(directories: directories.map(base.resolve))
        self.tokens = try TokenRules(catalog: catalog, paths: base).read(root.field("tokens"))
        self.faults = root.field("faults")?.list { $0.section()?.fault() } ?? []
        try document.finish()
    }
}

/// Paths relative to the directory of a file.
struct RelativePaths {
    private let directory: String

    init(file: String) {
        self.directory = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    }

    func resolve(_ path: String) -> String {
        path.hasPrefix("/") ? path : self.directory + path
    }
}

/// `name='value'` pairs, as NSS and p11-kit write them.
struct ReservedText {
    /// The file named by `simulator='FILE'`.
    let simulator: String?
    /// Everything else, for the module inside.
    let rest: String

    init(_ text: String) {
        let key = "simulator='"
        guard let match = text.firstRange(of: key),
            let end = text[match.upperBound...].firstIndex(of: "'")
        else {
            self.simulator = nil
            self.rest = text
            return
        }
        self.simulator = String(text[match.upperBound..<end])
        self.rest = String(text[..<match.lowerBound] + text[text.index(after: end)...])
    }
}

extension DocumentSection {
    fileprivate func texts() -> [String: String] {
        var texts: [String: String] = [:]
        for name in self.names { texts[name] = self.field(name)?.text() }
        return texts
    }

    fileprivate func fault() -> Fault? {
        self.allow(["function", "call", "returns", "after"])
        let function: FunctionName? = self.required("function")?.choice()
        let call = self.required("call")?.integer(atLeast: 1)
        let returns = self.required("returns")?.returnValue()
        let after = self.field("after").map { $0.boolean() } ?? false
        guard let function, let call, let returns, let after else { return nil }
        return Fault(function: function, call: call, returns: returns, after: after)
    }
}
