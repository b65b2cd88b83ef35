import ArgumentParser
import CAService
import Diagnostics
import Foundation
import Glibc
import KeyProvider
import PKIMessages
import Synchronization

/// `signet ceremony run|verify`
struct CeremonyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ceremony", abstract: "Key ceremonies by a script, with a transcript that the new key signs.",
        subcommands: [RunCeremony.self, VerifyCeremony.self])
}

/// `signet ceremony run`
struct RunCeremony: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Go through a ceremony step by step, or rehearse it on software tokens.",
        discussion: """
            The script (docs/ceremony.md) names participants, tokens and steps. Each step is written to TRANSCRIPT.journal before \
            the next begins. A step that fails stops the ceremony: --resume goes on with that step. Paths are relative to the \
            script's directory, or to that of the rehearsal.
            """,
        examples: """
            signet ceremony run root.yaml --rehearse rehearsal --transcript rehearsal.p7s
            signet ceremony run root.yaml --transcript ceremony.p7s
            signet ceremony run root.yaml --transcript ceremony.p7s --resume
            """)

    @Option(name: .long, help: "Where to write the signed transcript (DER, CMS SignedData).")
    var transcript: String

    @Flag(name: .long, help: "Go on with a ceremony that was interrupted.")
    var resume = false

    @Option(name: .long, help: "Rehearse in this directory, which is made, on new SoftHSM tokens.")
    var rehearse: String?

    @Flag(name: .long, help: "Ask nobody; for rehearsals only.")
    var unattended = false

    @Option(name: .long, help: "SoftHSM's module for a rehearsal; looked for in the usual places when left out.")
    var softhsm: String?

    @Argument(help: "The script (YAML).")
    var script: String

    func validate() throws {
        guard !self.unattended || self.rehearse != nil else {
            throw ValidationError("--unattended is for rehearsals: people confirm the steps of a ceremony.")
        }
    }

    func run(in context: CommandContext) async throws {
        let script = try CeremonyScript(
            text: String(decoding: FilePaths.read(self.script), as: UTF8.self), file: self.script)
        let (transcript, home) = (
            RunCeremony.absolute(self.transcript), RunCeremony.absolute(self.script, directory: true)
        )
        guard !FilePaths.exists(transcript) else { throw ServiceError.exists(transcript, "The file") }
        let place = try await self.place(of: script, home: home)
        let participation = CeremonyTerminal(context: context, isUnattended: self.unattended)
        try script.checkCommands { try participation.check($0) }
        var run = try CeremonyRun(
            script, directory: place.directory, tokenFiles: place.tokenFiles, isRehearsal: self.rehearse != nil,
            journalPath: transcript + ".journal", resumes: self.resume, participation: participation,
            surroundings: .system)
        guard chdir(place.directory) == 0 else {
            throw ServiceError.unreadable(place.directory, String(cString: strerror(errno)))
        }
        do { try await run.run() } catch {
            Console.complain("The ceremony has stopped. When the cause is mended, go on with --resume.")
            throw error
        }
        let instance = try context.open(InstanceOptions.parse(["--instance", script.instance]))
        let signed = try await instance.authority().signedTranscript(
            run.transcript(), by: instance.localOperator())
        try FilePaths.createWhole(transcript, with: signed, mode: 0o644)
        try FilePaths.remove(transcript + ".journal")
        Console.say("\nTranscript, signed by \(instance.configuration.name): \(self.transcript)")
    }

    /// Where the steps are done, and the files that describe the tokens there.
    private func place(
        of script: CeremonyScript, home: String
    ) async throws -> (directory: String, tokenFiles: [String: String]) {
        guard let rehearse = self.rehearse.map({ RunCeremony.absolute($0) }) else { return (home, script.tokens) }
        let names = Array(script.tokens.keys)
        guard !self.resume else { return (rehearse, CeremonyRehearsal.tokenFiles(names, in: rehearse)) }
        guard let module = self.softhsm ?? CeremonyRehearsal.usualModules.first(where: FilePaths.exists) else {
            throw ValidationError("SoftHSM is not where it usually is: name its module with --softhsm.")
        }
        let rehearsal = try CeremonyRehearsal(directory: rehearse, module: module)
        try rehearsal.copy(script.inputs, from: home)
        // Closed again at once: the steps open tokens themselves.
        let context = CommandContext()
        do {
            let files = try await rehearsal.makeTokens(names, opener: context.opener())
            await context.close()
            return (rehearse, files)
        } catch {
            await context.close()
            throw error
        }
    }

    private static func absolute(_ path: String, directory: Bool = false) -> String {
        let whole = FilePaths.resolve(path, in: FileManager.default.currentDirectoryPath)
        return directory ? (whole as NSString).deletingLastPathComponent : whole
    }
}

/// People at this terminal, and this program's own commands.
struct CeremonyTerminal: CeremonyParticipation {
    let context: CommandContext
    let isUnattended: Bool

    func show(_ line: String) { Console.say(line) }

    func confirm(by person: CeremonyScript.Person) throws -> Bool {
        Terminal.confirm(
            "   \(person.name): type \(person.shortName) when it is done and right: ", answer: person.shortName)
    }

    func answer(by person: CeremonyScript.Person) throws -> String {
        if self.isUnattended { return "(nobody was asked)" }
        guard let answer = Terminal.ask("   \(person.name): "), !answer.isEmpty else {
            throw ServiceError.cancelled("the answer of \(person.name)")
        }
        return answer
    }

    func token(_ file: String) async throws -> (token: any KeyToken, close: () async -> Void) {
        let own = CommandContext()
        do {
            return (try await own.open(TokenOptions.parse(["--token-file", file])), own.close)
        } catch {
            await own.close()
            throw error
        }
    }

    func check(_ words: [String]) throws {
        do { _ = try Signet.parseAsRoot(words) } catch {
            throw CommandFailure(words, Signet.message(for: error))
        }
    }

    func run(_ words: [String], printed: inout [String]) async throws {
        let lines = Mutex<[String]>([])
        defer { printed = lines.withLock { $0 } }
        do {
            try await Console.$listener.withValue({ text in lines.withLock { $0.append(text) } }) {
                try await Signet.perform(words)
            }
        } catch let error as UsageError {
            throw CommandFailure(words, error.error.message)
        } catch let error where Signet.belongsToParser(error) {
            let status = Signet.exitCode(for: error).rawValue
            let message = Signet.message(for: error)
            throw CommandFailure(words, message.isEmpty ? "it ended with status \(status)" : message)
        }
    }
}

/// A step's command line cannot be read, or the command ended with another status than 0.
private struct CommandFailure: DiagnosableError {
    let headline: String
    var hresult: HRESULT { .fail }
    var advice: [Advice] { ["Look at what the command printed, and run `signet help` with its name."] }

    init(_ words: [String], _ reason: String) {
        self.headline = "signet \(words.prefix(2).joined(separator: " ")): \(reason)"
    }
}

/// `signet ceremony verify`
struct VerifyCeremony: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check a signed transcript, and print it; needs no instance and no token.",
        discussion: """
            Exits with 1 unless the signature is right, the transcript records the signing key as made on its token and never \
            outside of it, and every file that is compared is the same. A rehearsal is refused without --rehearsal.
            """,
        examples: """
            signet ceremony verify ceremony.p7s --ca-certificate root.crt --script root.yaml
            signet ceremony verify ceremony.p7s --directory /media/ceremony
            """)

    @Option(name: .long, help: "The CA certificate that must have signed; otherwise compare the printed SHA-256.")
    var caCertificate: String?

    @Option(name: .long, help: "The script that must have been followed.")
    var script: String?

    @Option(name: .long, help: "Compare the files that were recorded with those in this directory.")
    var directory: String?

    @Flag(name: .long, help: "Take the transcript of a rehearsal as well.")
    var rehearsal = false

    @Flag(name: .long, help: "Print the transcript as JSON.")
    var json = false

    @Argument(help: "The transcript.")
    var transcript: String

    func run() throws {
        let trusted = try self.caCertificate.map {
            try CertificateFields(derEncoded: Output.readDER($0, what: $0))
        }
        let signed = try SignedTranscript(
            der: TextEncoding.decode(FilePaths.read(self.transcript, limit: 1 << 26), what: self.transcript),
            trusted: trusted)
        if self.json {
            Console.say(String(decoding: try signed.transcript.json().dropLast(), as: UTF8.self))
        } else {
            for line in signed.transcript.lines { Console.say(line) }
            Console.say("")
            Console.say("Signed by: \(signed.signer.subject)")
            Console.say("  Cert Hash(sha256): \(Hexadecimal.lower(signed.signer.sha256Thumbprint))")
        }
        let faults = try self.faults(signed)
        for fault in faults { Console.complain("NOT RIGHT: \(fault)") }
        guard faults.isEmpty else { throw ExitCode.failure }
        if !self.json { Console.say("The signing key was made on its token, and was never outside of it.") }
    }

    private func faults(_ signed: SignedTranscript) throws -> [String] {
        var faults = self.directory.map { signed.differences(in: $0) } ?? []
        if signed.transcript.head.isRehearsal, !self.rehearsal { faults.append("This was a rehearsal.") }
        if let script = self.script {
            let hash = Hexadecimal.lower(Digest.sha256.hash(try FilePaths.read(script)))
            if hash != signed.transcript.head.scriptSHA256 {
                faults.append("Another script was followed than \(script).")
            }
        }
        switch signed.signerKey?.wasAlwaysOnToken {
        case .some(true): break
        case .some(false):
            faults.append("The signing key is not recorded as made on its token and never outside of it.")
        case nil: faults.append("No step recorded the signing key.")
        }
        return faults
    }
}
