import ArgumentParser
import CAService
import CertificateAuthority
import KeyArchival
import KeyProvider
import PKIMessages

/// `signet key evidence`
struct KeyEvidence: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Tell which way each archived key took: token, mechanisms, attributes, and who vouches for it.",
        discussion: """
            Each key's evidence has its hash in the audit chain, whose heads the CA key signs; check the chain itself with
            `signet audit verify`. With --statement the CA key signs one line that counts the keys and has the SHA-256 of
            what this command printed. Exits with 1 when a record was changed.
            """,
        examples: """
            signet key evidence --host-memory
            signet key evidence --statement evidence.p7s
            """)

    @OptionGroup var options: InstanceOptions

    @Flag(name: .long, help: "Only keys that were ever in the memory of the CA's host, or may have been.")
    var hostMemory = false

    @Option(name: .long, help: "Where to write a statement signed by the CA (DER, CMS SignedData).")
    var statement: String?

    func run(in context: CommandContext) async throws {
        let instance = try context.open(self.options)
        let who = try await instance.localOperator()
        var digest = DigestState(.sha256)
        func say(_ line: String) {
            Console.say(line)
            Array((line + "\n").utf8).withUnsafeBytes { digest.update($0) }
        }
        let summary = try await instance.archivalEvidence(by: who) { entry in
            guard !self.hostMemory || entry.wasInHostMemory else { return }
            for line in KeyEvidence.lines(entry) { say(line) }
        }
        say("\(summary.keys) archived keys; in host memory: \(summary.inHostMemory)")
        if summary.unvouched > 0 { say("Nobody vouches for \(summary.unvouched), archived by an older version.") }
        if let path = self.statement {
            let statement = try await instance.authority().evidenceStatement(
                summary, listSHA256: digest.finalize(), by: who)
            try FilePaths.create(path, with: statement, mode: 0o644)
        }
        guard summary.changed == 0 else {
            Console.complain("\(summary.changed) records are not what the audit chain recorded.")
            throw ExitCode.failure
        }
    }

    private static func lines(_ entry: EvidenceEntry) -> [String] {
        var lines = ["Request: \(entry.key.requestID)"]
        if let certificate = entry.certificate {
            lines.append("  Serial Number: \(certificate.serialNumber)")
            lines.append("  Subject: \(certificate.subject)")
        }
        lines.append("  Format: \(entry.key.format.rawValue)")
        if let evidence = entry.evidence {
            lines += self.lines(evidence)
        } else {
            lines.append("  Path: unknown, the evidence cannot be read")
        }
        switch entry.voucher {
        case .signed(let number): lines.append("  Vouched for: audit entry \(number), under a signed head")
        case .recorded(let number): lines.append("  Vouched for: audit entry \(number), not under a signed head yet")
        case .nobody: lines.append("  Vouched for: by nobody")
        case .changed: lines.append("  Vouched for: NO, THE RECORD WAS CHANGED")
        }
        return lines
    }

    private static func lines(_ evidence: ArchivalEvidence) -> [String] {
        var lines = ["  Path: \(evidence.path.rawValue)"]
        if let isLocked = evidence.memoryLocked { lines.append("  Memory locked: \(isLocked ? "yes" : "NO")") }
        lines.append("  Token: \(evidence.token.label), serial number \(evidence.token.serialNumber)")
        lines.append("  Device: \(evidence.token.manufacturer) \(evidence.token.model), \(evidence.profile)")
        lines.append("  Mechanisms: \(evidence.mechanisms.joined(separator: " "))")
        if let attributes = evidence.privateKeyAttributes {
            let said: (Bool?) -> String = { value in value.map { $0 ? "yes" : "no" } ?? "unknown" }
            lines.append(
                "  Key attributes: private \(said(attributes.isPrivate)), sensitive \(said(attributes.sensitive)), "
                    + "extractable \(said(attributes.extractable)), local \(said(attributes.local))")
        }
        if let hash = evidence.publicKeySHA256 { lines.append("  Public key(sha256): \(hash)") }
        if let imported = evidence.imported {
            lines.append("  Imported: from a \(imported.source.rawValue), by \(imported.by)")
        }
        for previous in evidence.previous ?? [] {
            lines.append(
                "  Until \(previous.until): \(previous.evidence?.path.rawValue ?? "unknown"), then encrypted anew by "
                    + "\(previous.by) with \(previous.cards.joined(separator: ", ")), "
                    + (previous.wasInHostMemory ? "through host memory" : "from token to token"))
        }
        lines.append("  Archived: \(evidence.archivedWhen)")
        return lines
    }
}
