package import CertificateAuthority
import Diagnostics
import Foundation
package import KeyProvider
import PKIMessages

/// The people and the program at a ceremony.
package protocol CeremonyParticipation {
    /// Nobody is there to confirm: a rehearsal by a program.
    var isUnattended: Bool { get }
    /// Shows people what the step is.
    func show(_ line: String)
    /// - Returns: whether the person, who is named, says that it is done.
    func confirm(by person: CeremonyScript.Person) throws -> Bool
    func answer(by person: CeremonyScript.Person) throws -> String
    /// Runs a command of this program.
    ///
    /// - Returns: what it printed.
    /// - Throws: what it throws, after it has told what it printed.
    func run(_ words: [String], printed: inout [String]) async throws
    /// - Returns: the token that a file describes, and what closes it again.
    func token(_ file: String) async throws -> (token: any KeyToken, close: () async -> Void)
}

/// Goes through a script step by step.
package struct CeremonyRun<Participation: CeremonyParticipation> {
    private let script: CeremonyScript
    private let tokenFiles: [String: String]
    private let participation: Participation
    private let surroundings: Surroundings
    private var journal: CeremonyJournal

    /// - Parameters:
    ///   - directory: where `inputs` are.
    ///   - tokenFiles: what describes each token: the script's own files, or those of a rehearsal.
    ///   - journalPath: made; taken up when `resumes`.
    package init(
        _ script: CeremonyScript, directory: String, tokenFiles: [String: String], isRehearsal: Bool,
        journalPath: String, resumes: Bool, participation: Participation, surroundings: Surroundings
    ) throws {
        self.script = script
        self.tokenFiles = tokenFiles
        self.participation = participation
        self.surroundings = surroundings
        let hash = Hexadecimal.lower(script.sha256)
        guard !resumes else {
            self.journal = try CeremonyJournal(resuming: journalPath, scriptSHA256: hash)
            guard self.journal.head.isRehearsal == isRehearsal else {
                throw ServiceError.unreadable(
                    journalPath, "a rehearsal cannot go on as the ceremony itself, nor the other way")
            }
            return
        }
        let inputs = try script.inputs.map { try CeremonyTranscript.File($0, in: directory) }
        self.journal = try CeremonyJournal(
            creating: journalPath,
            head: CeremonyTranscript.Head(
                version: CeremonyTranscript.currentVersion, ceremony: script.name, isRehearsal: isRehearsal,
                program: "signet \(CAServiceVersion.text)", scriptSHA256: hash, participants: script.participants,
                inputs: inputs, started: surroundings.now().ISO8601Format()))
    }

    /// Does every step that is not done yet.
    ///
    /// - Throws: what the first step throws that fails; it is in the journal then.
    package mutating func run() async throws {
        for (index, step) in self.script.steps.enumerated().dropFirst(self.journal.done) {
            var record = CeremonyTranscript.Step(
                number: index + 1, kind: step.action.kind, text: step.action.text,
                started: self.surroundings.now().ISO8601Format(), ended: "")
            self.participation.show(
                "\nStep \(record.number) of \(self.script.steps.count). \(record.kind): \(record.text)")
            do {
                try await self.perform(step, &record)
                record.ended = self.surroundings.now().ISO8601Format()
                try self.journal.append(record)
            } catch {
                record.failure = ErrorReport(error).lines.joined(separator: "; ")
                record.ended = self.surroundings.now().ISO8601Format()
                try self.journal.append(record)
                throw error
            }
        }
    }

    private func perform(_ step: CeremonyScript.Step, _ record: inout CeremonyTranscript.Step) async throws {
        switch step.action {
        case .say: break
        case .ask: record.answer = try self.participation.answer(by: self.script.person(step.by[0]))
        case .run(let words):
            var printed: [String] = []
            defer { record.output = printed }
            try await self.participation.run(words.map(self.replaced), printed: &printed)
        case .token(let name):
            record.device = try await self.withToken(name) { CeremonyTranscript.Device($0.identification) }
            record.device.map {
                self.participation.show("   \($0.manufacturer) \($0.model), serial number \($0.serialNumber)")
            }
        case .keys(let name):
            record.keys = try await self.withToken(name) { try await $0.keyPairs().map(CeremonyTranscript.Key.init) }
            for line in (record.keys ?? []).flatMap(\.lines) { self.participation.show("   " + line) }
        case .file(let path):
            record.file = try CeremonyTranscript.File(path, in: ".")
            record.file.map { self.participation.show("   \($0.bytes) bytes, sha256 \($0.sha256)") }
        }
        guard record.answer == nil, !self.participation.isUnattended else { return }
        for person in step.by.map(self.script.person) {
            guard try self.participation.confirm(by: person) else {
                throw ServiceError.cancelled("the confirmation of \(person.name)")
            }
            record.confirmations.append(.init(by: person.name, when: self.surroundings.now().ISO8601Format()))
        }
    }

    /// Closed again afterwards: the commands of other steps open it themselves.
    private func withToken<R>(_ name: String, _ body: (any KeyToken) async throws -> R) async throws -> R {
        let (token, close) = try await self.participation.token(self.tokenFiles[name] ?? name)
        do {
            let result = try await body(token)
            await close()
            return result
        } catch {
            await close()
            throw error
        }
    }

    private func replaced(_ word: String) -> String {
        guard word.hasPrefix("{"), word.hasSuffix("}") else { return word }
        return self.tokenFiles[String(word.dropFirst().dropLast())] ?? word
    }

    /// The whole of it, to be signed.
    package func transcript() -> CeremonyTranscript {
        CeremonyTranscript(
            head: self.journal.head, steps: self.journal.steps, ended: self.surroundings.now().ISO8601Format())
    }
}

extension CeremonyScript.Action {
    var kind: String {
        switch self {
        case .say: "say"
        case .ask: "ask"
        case .run: "run"
        case .token: "token"
        case .keys: "keys"
        case .file: "file"
        }
    }

    var text: String {
        switch self {
        case .say(let text), .ask(let text), .token(let text), .keys(let text), .file(let text): text
        case .run(let words):
            "signet "
                + words.map { $0.contains(where: \.isWhitespace) || $0.isEmpty ? "'\($0)'" : $0 }.joined(separator: " ")
        }
    }
}

extension CeremonyTranscript.Device {
    init(_ token: TokenIdentification) {
        self.init(
            label: token.label, manufacturer: token.manufacturer, model: token.model, serialNumber: token.serialNumber,
            firmware: token.firmware)
    }
}

extension CeremonyTranscript.Key {
    init(_ pair: TokenKeyPair) {
        self.init(
            label: pair.label, algorithm: "\(pair.algorithm)",
            publicKeySHA256: Hexadecimal.lower(Digest.sha256.hash(pair.subjectPublicKeyInfo)),
            attributes: pair.attributes)
    }
}
