package import DeviceProfiles
internal import Glibc

/// What to simulate: a YAML file named by `SIGNET_SIMULATOR`, or by `simulator='FILE'` in `pReserved`.
package struct SimulatorConfiguration: Sendable {
    /// Tokens by label, and what they are to be like.
    package struct TokenRule: Sendable {
        package var label: ProfilePattern
        /// One in which everything is unknown imposes nothing.
        package var profile: DeviceProfile
        let mechanisms: MechanismRules
        let template: AttributeRules
        /// Whether calls take as long as the profile says.
        var hasLatency: Bool
        var numbering: ObjectTable.Numbering
        var staleHandles: StaleHandles
    }

    /// What the handles are worth that a program has from before a card was put back.
    enum StaleHandles: String, Sendable, CaseIterable {
        case invalid
        /// Each names another object of the same class, if there is one.
        case anotherKey = "another-key"
    }

    /// Where events are written.
    package struct Log: Sendable {
        package var path: String
        /// Whether every call is an event.
        package var includesCalls: Bool
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
    /// For faults by probability.
    package var seed: UInt64
    package var log: Log?
    /// The socket for commands while programs run.
    package var controlPath: String?

    package static let variable = "SIGNET_SIMULATOR"

    /// True when something can lock a PIN on a card that does not count tries.
    var canLockPINs: Bool {
        self.controlPath != nil || self.faults.contains { $0.effect == .lockPIN }
    }

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
            "simulate", "module", "module_arguments", "environment", "profiles", "ledger", "tokens", "faults", "seed",
            "log", "log_calls", "control",
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
        let lifecycles = self.tokens.map(\.profile.lifecycle)
        if self.faults.contains(where: \.throttles),
            !lifecycles.contains(where: { $0.throttled.value?.isEmpty == false })
        {
            root.report("faults", "have \"returns: throttled\", and no profile knows lifecycle.throttled_rv")
        }
        let hangs = lifecycles.contains { if case .atMost? = $0.hangSeconds.value { true } else { false } }
        if self.faults.contains(where: \.hangsAsProfile), !hangs {
            root.report("faults", "have \"hang: profile\", and no profile knows lifecycle.hang_s")
        }
        self.seed = root.field("seed")?.integer(atLeast: 0).map { UInt64($0) } ?? 0
        let includesCalls = root.field("log_calls")?.boolean() ?? false
        self.log = root.field("log")?.text().map { Log(path: base.resolve($0), includesCalls: includesCalls) }
        self.controlPath = root.field("control")?.text().map(base.resolve)
        if self.controlPath != nil {
            if self.ledgerPath == nil {
                root.report("control", "needs a ledger, which all programs that use the card share")
            }
            if self.tokens.isEmpty { root.report("control", "needs tokens, which are the cards that it is about") }
        }
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
}
