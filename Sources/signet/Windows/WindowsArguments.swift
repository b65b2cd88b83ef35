import Diagnostics

/// A command line in the form of Windows' tools: a verb and options in any order, `-` or `/` before them, whatever the case.
///
/// A path that begins with `/` is one: only the whole name of a verb or option is taken for it.
struct WindowsArguments {
    /// Options that take the word behind them.
    static let withValue: Set<String> = [
        "config", "instance", "p", "t", "restrict", "out", "attrib", "username", "pin", "tokenfile", "module", "cert",
        "cacertificates", "url", "tlstrust", "pkcs12", "agent", "keyalgorithm",
    ]
    static let flags: Set<String> = [
        "f", "gmt", "seconds", "v", "privatekey", "user", "silent", "binary", "crl", "rpc", "any", "?", "help", "q",
    ]

    /// In lower case; `nil` when there is none.
    private(set) var verb: String?
    private(set) var values: [String] = []
    private var options: [String: String] = [:]

    /// - Parameter verbs: in lower case.
    /// - Throws: ``WindowsUsageError``.
    init(_ arguments: [String], verbs: Set<String>) throws(WindowsUsageError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard let name = WindowsArguments.name(argument, verbs: verbs, hasVerb: self.verb != nil) else {
                self.values.append(argument)
                continue
            }
            // Some names are both, as -crl: the first is the verb.
            if self.verb == nil, verbs.contains(name) {
                self.verb = name
            } else if WindowsArguments.withValue.contains(name) {
                guard let value = rest.popFirst() else { throw .missingValue(argument) }
                guard self.options.updateValue(value, forKey: name) == nil else { throw .twice(argument) }
            } else if WindowsArguments.flags.contains(name) {
                self.options[name] = ""
            } else if verbs.contains(name) {
                throw .secondVerb(argument)
            } else {
                throw .unknown(argument)
            }
        }
    }

    func has(_ flag: String) -> Bool { self.options[flag] != nil }
    subscript(option: String) -> String? { self.options[option] }

    /// What stands behind the dash; `nil` for a value. Word processors make dashes of hyphens, and the documents have them.
    private static func name(_ argument: String, verbs: Set<String>, hasVerb: Bool) -> String? {
        let name = argument.dropFirst().lowercased()
        guard let first = argument.first, !name.isEmpty else { return nil }
        switch first {
        // A negative number is a value: `-revoke SERIAL -1`.
        case "-", "\u{2013}", "\u{2014}": return Int(name) == nil ? name : nil
        case "/":
            let isOption = self.withValue.contains(name) || self.flags.contains(name)
            return isOption || (!hasVerb && verbs.contains(name)) ? name : nil
        default: return nil
        }
    }
}

/// What is wrong with a command line; 0x80070057.
struct WindowsUsageError: DiagnosableError, Equatable {
    let headline: String
    let advice: [Advice]
    var hresult: HRESULT { .invalidParameter }

    init(_ headline: String, advice: Advice = "Run the command with -? to see what it takes.") {
        self.headline = headline
        self.advice = [advice]
    }

    static func unknown(_ argument: String) -> WindowsUsageError { WindowsUsageError("Unknown arg: \(argument)") }
    static func missingValue(_ argument: String) -> WindowsUsageError {
        WindowsUsageError("Missing value after \(argument)")
    }
    static func twice(_ argument: String) -> WindowsUsageError { WindowsUsageError("\(argument) stands there twice") }
    static func secondVerb(_ argument: String) -> WindowsUsageError {
        WindowsUsageError("\(argument) is a second verb")
    }
    static func count(_ verb: String, _ syntax: String) -> WindowsUsageError {
        WindowsUsageError("Missing argument, or too many: -\(verb) \(syntax)")
    }
}
