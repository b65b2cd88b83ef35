import PKIMessages

/// The steps of a key ceremony, as a YAML file that is reviewed before (docs/ceremony.md).
package struct CeremonyScript: Sendable {
    /// What one step does.
    package enum Action: Sendable, Hashable {
        /// Something that people do, read aloud.
        case say(String)
        /// A question whose answer is recorded.
        case ask(String)
        /// A command of `signet`: its words, in which `{NAME}` is the file that describes a token.
        case run([String])
        /// The device that a token is, recorded.
        case token(String)
        /// Every key pair on a token, recorded with its attributes.
        case keys(String)
        /// A file, recorded with its hash.
        case file(String)
    }

    package struct Step: Sendable {
        package let action: Action
        /// Who confirms or answers; names of ``participants``.
        package let by: [String]
    }

    /// Somebody who takes part.
    package struct Person: Sendable, Hashable {
        /// As steps name them, and as they type it.
        package let shortName: String
        /// With their office.
        package let name: String
    }

    package let name: String
    /// Name and office of each, by the short name that steps use.
    package let participants: [String: String]
    /// The file that describes each token, by the name that steps use.
    package let tokens: [String: String]
    /// Files that the steps read, relative to the script.
    package let inputs: [String]
    /// The instance whose newest key signs the transcript.
    package let instance: String
    package let steps: [Step]
    /// Of the file.
    package let sha256: [UInt8]

    /// - Throws: ``ServiceError`` with code `invalidField`: what is wrong, and where.
    package init(text: String, file: String) throws {
        let yaml = try YAMLMapping(text: text, file: file)
        self.sha256 = Digest.sha256.hash(Array(text.utf8))
        self.name = try yaml.text("ceremony")
        self.participants = try yaml.mapping("participants").texts()
        self.tokens = try yaml.mapping("tokens").texts()
        self.inputs = try yaml.optionalList("inputs") ?? []
        self.instance = try yaml.text("instance")
        let (participants, tokens) = (self.participants, self.tokens)
        self.steps = try yaml.mappings("steps").map {
            try CeremonyScript.step($0, participants: Set(participants.keys), tokens: Set(tokens.keys))
        }
        guard !self.steps.isEmpty else { throw yaml.invalid("steps", "there is none") }
        guard !self.participants.isEmpty else { throw yaml.invalid("participants", "there is nobody") }
        for input in self.inputs where input.hasPrefix("/") || input.split(separator: "/").contains("..") {
            throw yaml.invalid("inputs", "\"\(input)\" is not below the script's directory")
        }
        try yaml.finish()
    }

    func person(_ shortName: String) -> Person {
        Person(shortName: shortName, name: self.participants[shortName] ?? shortName)
    }

    /// Looks at every command line before the first step is done.
    package func checkCommands(_ check: ([String]) throws -> Void) throws {
        for step in self.steps {
            if case .run(let words) = step.action { try check(words) }
        }
    }

    private static func step(_ yaml: YAMLMapping, participants: Set<String>, tokens: Set<String>) throws -> Step {
        func token(_ key: String, _ make: (String) -> Action) throws -> Action {
            let name = try yaml.text(key)
            guard tokens.contains(name) else { throw yaml.invalid(key, "\"\(name)\" does not stand under tokens") }
            return make(name)
        }
        let kinds = ["say", "ask", "run", "token", "keys", "file"].filter(yaml.keys.contains)
        guard kinds.count == 1, let kind = kinds.first else {
            throw yaml.invalid("", "one of say, ask, run, token, keys and file is expected")
        }
        let action: Action
        switch kind {
        case "say": action = .say(try yaml.text(kind))
        case "ask": action = .ask(try yaml.text(kind))
        case "run": action = .run(try CeremonyScript.words(yaml, tokens: tokens))
        case "token": action = try token(kind) { .token($0) }
        case "keys": action = try token(kind) { .keys($0) }
        default: action = .file(try yaml.text(kind))
        }
        let by = try yaml.optionalList("by") ?? []
        for name in by where !participants.contains(name) {
            throw yaml.invalid("by", "\"\(name)\" does not stand under participants")
        }
        if case .ask = action, by.count != 1 { throw yaml.invalid("by", "exactly one is to answer") }
        try yaml.finish()
        return Step(action: action, by: by)
    }

    private static func words(_ yaml: YAMLMapping, tokens: Set<String>) throws -> [String] {
        guard let words = CommandWords.split(try yaml.text("run")), !words.isEmpty else {
            throw yaml.invalid("run", "a quotation mark is not closed")
        }
        guard words[0] != "ceremony", words[0] != "signet" else {
            throw yaml.invalid("run", "a command of signet is expected, without the program's name, and no ceremony")
        }
        for word in words where word.hasPrefix("{") && word.hasSuffix("}") {
            guard tokens.contains(String(word.dropFirst().dropLast())) else {
                throw yaml.invalid("run", "\(word) does not stand under tokens")
            }
        }
        return words
    }
}
