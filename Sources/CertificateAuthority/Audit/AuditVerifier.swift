package import PKIMessages

/// Checks an audit chain, entry by entry, whether it comes from a database or from an exported file.
///
/// To be fed with all signed heads first, in their order, then with every entry in its order, then finished. What it
/// keeps does not grow with the chain, except for the uses of the CA key when they are to be reconciled.
package struct AuditVerifier {
    /// More findings are not kept: after the first few, the chain is to be looked at by a person.
    package static let maximumFindings = 100

    package private(set) var findings: [AuditFinding] = []
    package private(set) var entries: Int64 = 0
    package private(set) var signedHeads = 0
    /// The newest entry.
    package private(set) var head: AuditEntry?
    /// The newest entry that the CA key vouches for: the chain is whole up to it, and a signed head names it.
    package private(set) var vouchedUpTo: Int64 = 0
    /// False from the first entry on that is not what follows from the one before, or what the CA key has signed.
    private var isWhole = true
    /// What the chain says of completed uses of the CA key, `kind:number`, with the number of the request that each was
    /// for, or 0.
    private(set) var recordedUses: [String: Int64] = [:]
    /// Numbers of the requests that the chain says were removed by rule, an element an event.
    private(set) var deletedRequests: [NumberRanges] = []
    /// True once the chain says so without their numbers, as earlier versions did.
    private(set) var hasUnlistedDeletions = false

    private let authorityKeys: [SubjectPublicKeyInfo]
    private let collectsUses: Bool
    /// Signed and expected heads that the chain has still to reach, by sequence.
    private var awaited: [(sequence: Int64, hash: [UInt8], isSigned: Bool)] = []
    private var nextAwaited = 0
    private var lastSigned: Int64 = 0
    private let headNumbers: Set<String>

    /// - Parameters:
    ///   - authorityKeys: the keys of the CA's own certificates.
    ///   - heads: every signed head, in its order.
    ///   - expected: kept elsewhere; the chain must contain it.
    package init(
        authorityKeys: [SubjectPublicKeyInfo], heads: [SignedAuditHead], expected: ExpectedAuditHead?,
        collectsUses: Bool
    ) {
        self.authorityKeys = authorityKeys
        self.collectsUses = collectsUses
        self.headNumbers = Set(heads.map(\.number))
        for head in heads {
            self.signedHeads += 1
            guard head.verifies(with: authorityKeys) else {
                self.note(
                    AuditFinding(
                        .headSignature, sequence: head.sequence,
                        "the signed head of entry \(head.sequence) does not verify with the CA's key"))
                continue
            }
            self.lastSigned = max(self.lastSigned, head.sequence)
            self.awaited.append((head.sequence, head.hash, isSigned: true))
        }
        if let expected { self.awaited.append((expected.sequence, expected.hash, isSigned: false)) }
        self.awaited.sort { $0.sequence < $1.sequence }
    }

    package mutating func check(_ entry: AuditEntry) {
        let expected = AuditChain.entry(for: entry.event, after: self.head)
        if entry != expected {
            self.isWhole = false
            self.note(
                AuditFinding(
                    .chainBroken, sequence: entry.sequence,
                    entry.sequence == expected.sequence
                        ? "entry \(entry.sequence) does not follow from the one before it"
                        : "entry \(expected.sequence) is missing; entry \(entry.sequence) stands in its place"))
        }
        while self.nextAwaited < self.awaited.count, self.awaited[self.nextAwaited].sequence <= entry.sequence {
            let awaited = self.awaited[self.nextAwaited]
            self.nextAwaited += 1
            if awaited.sequence != entry.sequence || awaited.hash != entry.hash {
                self.isWhole = false
                self.note(
                    AuditFinding(
                        .headMismatch, sequence: awaited.sequence,
                        "the \(Self.name(awaited)) of entry \(awaited.sequence) is not that of the chain"))
            } else if awaited.isSigned, self.isWhole {
                self.vouchedUpTo = entry.sequence
            }
        }
        if entry.event.id == .auditHeadSigned, !self.headNumbers.contains(entry.event.details["Number"] ?? "") {
            self.note(
                AuditFinding(
                    .headMismatch, sequence: entry.sequence,
                    "the signed head that entry \(entry.sequence) records is not there"))
        }
        self.entries += 1
        self.head = entry
        if self.collectsUses { self.collect(entry.event) }
    }

    private static func name(_ awaited: (sequence: Int64, hash: [UInt8], isSigned: Bool)) -> String {
        awaited.isSigned ? "signed head" : "expected head"
    }

    private mutating func collect(_ event: AuditEvent) {
        if event.id == .rowsDeleted {
            if let numbers = event.details["Request IDs"].flatMap(NumberRanges.init) {
                self.deletedRequests.append(numbers)
            } else {
                self.hasUnlistedDeletions = true
            }
        }
        if let use = event.keyUse {
            self.recordedUses[use] = event.details["Request ID"].flatMap { Int64($0) } ?? 0
        }
    }

    /// - Parameter requiresSignature: whether every entry must be under a signed head; the record of the head itself
    ///   comes after it and is not.
    package mutating func finish(requiresSignature: Bool = false) {
        let last = self.head?.sequence ?? 0
        for awaited in self.awaited[self.nextAwaited...] {
            self.note(
                AuditFinding(
                    .chainCut, sequence: awaited.sequence,
                    "the chain ends at entry \(last), but there is a \(Self.name(awaited)) of entry \(awaited.sequence)"
                ))
        }
        guard requiresSignature else { return }
        let covered = self.head?.event.id == .auditHeadSigned ? self.lastSigned + 1 : self.lastSigned
        if covered < last {
            self.note(
                AuditFinding(
                    .notSigned, sequence: covered + 1,
                    "entries \(covered + 1) to \(last) are after the last signed head, and nothing vouches for them"))
        }
    }

    /// How many entries come after the last signed head.
    package var entriesAfterSignedHead: Int64 { (self.head?.sequence ?? 0) - self.lastSigned }

    package mutating func note(_ finding: AuditFinding) {
        guard self.findings.count < AuditVerifier.maximumFindings else { return }
        self.findings.append(finding)
    }
}

extension AuditEvent {
    /// The use of the CA key that the event records, as `kind:number`.
    var keyUse: String? {
        switch self.id {
        // Imported after a restore: the CA had signed it after the backup was made.
        case .certificateIssued, .certificateImported:
            self.details["Serial Number"].map { "\(SigningIntent.Kind.certificate.rawValue):\($0)" }
        case .crlPublished: self.details["CRL Number"].map { "\(self.listKind.rawValue):\($0)" }
        case .messageSigned: self.details["Number"].map { "\(SigningIntent.Kind.message.rawValue):\($0)" }
        case .auditHeadSigned: self.details["Number"].map { "\(SigningIntent.Kind.auditHead.rawValue):\($0)" }
        default: nil
        }
    }

    private var listKind: SigningIntent.Kind { self.details["Base CRL"] == "No" ? .deltaCRL : .crl }
}
