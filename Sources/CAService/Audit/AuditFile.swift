package import CertificateAuthority
import Foundation
import PKIMessages

/// An exported audit trail: one JSON object a line. The first tells the format and how many signed heads follow; then
/// come the heads, then every entry. Heads stand first, so that a file that was cut lacks entries and not heads.
package enum AuditFile {
    static let format = "signet-audit-1"

    struct Line: Codable {
        var format: String?
        var authority: String?
        var heads: Int?
        var entries: Int64?
        var head: Head?
        var entry: Entry?
    }

    struct Head: Codable {
        var sequence: Int64
        var hash: String
        /// Milliseconds since 1970.
        var when: Int64
        var number: String
        /// Base64 of the CMS message.
        var statement: String
    }

    struct Entry: Codable {
        var sequence: Int64
        var event: Int
        var when: Int64
        var who: String
        var details: [String: String]
        var previous: String
        var hash: String
    }
}

extension Instance {
    /// Writes the whole audit trail into a new file of mode 0600.
    ///
    /// - Returns: how many entries.
    package func exportAudit(to path: String, by who: Principal) async throws -> Int64 {
        try who.mustBeAllowed(.readAudit, to: "export the audit trail")
        let heads = try await self.storage.signedAuditHeads()
        let last = try await self.storage.read { try $0.auditHead()?.sequence ?? 0 }
        let file = try AppendedFile(creating: path)
        try file.append(
            AuditFile.line(
                .init(
                    format: AuditFile.format, authority: self.configuration.name, heads: heads.count, entries: last)))
        for head in heads { try file.append(AuditFile.line(.init(head: AuditFile.Head(head)))) }
        var count: Int64 = 0
        try await self.forEachAuditEntry { entry in
            guard entry.sequence <= last else { return }
            try file.append(AuditFile.line(.init(entry: AuditFile.Entry(entry))))
            count += 1
        }
        try file.synchronize()
        return count
    }
}

extension AuditFile {
    static func line(_ line: Line) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(line)) + [UInt8(ascii: "\n")]
    }

    /// Checks an exported file without its instance.
    ///
    /// - Parameter certificates: DER of the CA's certificates, from a source that the file's bearer does not control.
    package static func verify(
        _ path: String, certificates: [[UInt8]], _ options: AuditVerificationOptions
    ) throws -> AuditVerdict {
        let keys = try certificates.map { try CertificateFields(derEncoded: $0).subjectPublicKeyInfo }
        var reader = try LineReader(path)
        guard let first = try reader.next(), let header = AuditFile.decoded(first), header.format == AuditFile.format,
            let headCount = header.heads, let entryCount = header.entries
        else { throw ServiceError.notAnAuditFile(path, line: 1) }
        var heads: [SignedAuditHead] = []
        var number = 1
        while heads.count < headCount, let text = try reader.next() {
            number += 1
            guard let head = AuditFile.decoded(text)?.head.flatMap(SignedAuditHead.init) else {
                throw ServiceError.notAnAuditFile(path, line: number)
            }
            heads.append(head)
        }
        var verifier = AuditVerifier(
            authorityKeys: keys, heads: heads, expected: options.expectedHead, collectsUses: false)
        while let text = try reader.next() {
            number += 1
            guard let entry = AuditFile.decoded(text)?.entry.flatMap(AuditEntry.init) else {
                throw ServiceError.notAnAuditFile(path, line: number)
            }
            verifier.check(entry)
        }
        if verifier.entries != entryCount || heads.count != headCount {
            verifier.note(
                AuditFinding(
                    .chainCut,
                    "the file has \(verifier.entries) of \(entryCount) entries and "
                        + "\(heads.count) of \(headCount) signed heads"))
        }
        verifier.finish(requiresSignature: options.requiresSignature)
        return AuditVerdict(verifier)
    }

    private static func decoded(_ text: [UInt8]) -> Line? {
        // `try?`: the caller names the line that is none of ours.
        try? JSONDecoder().decode(Line.self, from: Data(text))
    }
}

extension AuditFile.Head {
    init(_ head: SignedAuditHead) {
        self.init(
            sequence: head.sequence, hash: Hexadecimal.lower(head.hash),
            when: AuditChain.milliseconds(head.signedWhen), number: head.number,
            statement: Data(head.statementDER).base64EncodedString())
    }
}

extension AuditFile.Entry {
    init(_ entry: AuditEntry) {
        self.init(
            sequence: entry.sequence, event: entry.event.id.rawValue, when: AuditChain.milliseconds(entry.event.when),
            who: entry.event.who, details: entry.event.details, previous: Hexadecimal.lower(entry.previousHash),
            hash: Hexadecimal.lower(entry.hash))
    }
}

extension SignedAuditHead {
    init?(_ head: AuditFile.Head) {
        guard let hash = Hexadecimal.bytes(head.hash), let statement = Data(base64Encoded: head.statement) else {
            return nil
        }
        self.init(
            sequence: head.sequence, hash: hash, signedWhen: Date(timeIntervalSince1970: Double(head.when) / 1000),
            number: head.number, statementDER: Array(statement))
    }
}

extension AuditEntry {
    init?(_ entry: AuditFile.Entry) {
        guard let previous = Hexadecimal.bytes(entry.previous), let hash = Hexadecimal.bytes(entry.hash) else {
            return nil
        }
        self.init(
            sequence: entry.sequence,
            event: AuditEvent(
                AuditEventID(rawValue: entry.event), when: Date(timeIntervalSince1970: Double(entry.when) / 1000),
                who: entry.who, details: entry.details),
            previousHash: previous, hash: hash)
    }
}
