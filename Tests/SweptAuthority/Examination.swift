import CAService
import CertificateAuthority
import KeyProvider

/// What has to be true of an authority whenever it has been opened anew, and of one at which nothing is at work.
struct Examination {
    let scene: Scene
    /// What was examined once is not examined again: a sweep of every call has thousands of restarts.
    let diary: Diary

    /// Every request and every intent has an outcome, no number was used twice, what was acknowledged is there, and the
    /// audit chain is whole.
    func contradictions() async throws -> [String] {
        let diary = self.diary
        let (found, examined) = try await self.scene.instance.storage.read { db in
            var seen = diary.examined
            var found = try db.openIntents().map { "intent \($0.number) is open" }
            found += try db.requests(with: .active, limit: 100).map { "request \($0.requestID) has no outcome" }
            found += try Examination.missing(diary, in: db)
            let intents = try db.intents(after: diary.examined.intent, limit: 1_000_000)
            for intent in intents where try db.intent(intent.kind, number: intent.number)?.intentID != intent.intentID {
                found.append("number \(intent.number) was used twice")
            }
            let asked = intents.filter { $0.kind == .crl }.compactMap { UInt64($0.number) }.max() ?? 0
            if try db.highestCRLNumber() < asked { found.append("CRL number \(asked) would be used again") }
            // The entry before those that are new: it has to be what it was.
            let known = diary.examined.entry
            let entries = try db.auditEntries(after: max(0, known - 1), limit: 1_000_000)
            let (before, new) = known > 0 ? (entries.first, Array(entries.dropFirst())) : (nil, entries)
            if known > 0, before?.sequence != known { found.append("the audit chain was cut") }
            if AuditChain.firstBreak(in: new, after: before) != nil { found.append("the audit chain is broken") }
            if let last = entries.last { seen = (last.sequence, intents.last?.intentID ?? diary.examined.intent) }
            return (found, seen)
        }
        if found.isEmpty { try self.diary.noteExamined(examined) }
        return found + self.repeatedNumbers()
    }

    private static func missing(_ diary: Diary, in db: any StorageReading) throws -> [String] {
        var found: [String] = []
        for serial in diary.details(of: .issue) {
            guard let certificate = try db.certificate(serialNumber: serial) else {
                found.append("certificate \(serial) was lost")
                continue
            }
            let isRevoked = certificate.revocation != nil
            if try db.disposition(ofRequest: certificate.requestID) != (isRevoked ? .revoked : .issued) {
                found.append("the request of certificate \(serial) does not know it")
            }
        }
        for serial in diary.details(of: .revoke) where try db.certificate(serialNumber: serial)?.revocation == nil {
            found.append("the revocation of \(serial) was lost")
        }
        for number in diary.numbersOfLists where try db.crl(number: number, kind: .base) == nil {
            found.append("CRL \(number) was lost")
        }
        let authorities = try db.caCertificates()
        let own = authorities.filter { $0.use == .own }.count
        for count in diary.details(of: .linkKeys).compactMap(Int.init)
        where count < 2 || count > authorities.count(where: \.use.isLink) {
            found.append("a link between the CA's keys was lost")
        }
        for step in [Step.renewWithNewKey, .renewWithSameKey] {
            for count in diary.details(of: step).compactMap(Int.init) where count > own {
                found.append("a renewal of the CA certificate was lost")
            }
        }
        if !diary.details(of: .changeRoles).isEmpty,
            try db.user(named: Step.roleHolder)?.roles != [.certificateManager]
        {
            found.append("a change of roles was lost")
        }
        return found
    }

    /// What was shown to the world as new was not shown before.
    private func repeatedNumbers() -> [String] {
        let serials = self.diary.details(of: .issue)
        let lists = self.diary.numbersOfLists
        var found: [String] = []
        if Set(serials).count != serials.count { found.append("a serial number was given twice") }
        if zip(lists, lists.dropFirst()).contains(where: { $0 >= $1 }) { found.append("a CRL number went back") }
        return found
    }

    /// After the last step: no key on the token without a certificate, and `signet audit verify` finds nothing.
    func finalContradictions() async throws -> [String] {
        let instance = self.scene.instance
        var found = try await self.contradictions()
        let own = try await instance.storage.read { try $0.caCertificates() }.filter { $0.use == .own }
        let keys = Set(own.compactMap(\.locator))
        let token = try await instance.token(named: instance.configuration.signingToken)
        let onToken = Set(try await token.keyPairs().map(\.locator))
        if onToken != keys {
            found.append("\(onToken.count) keys are on the token, and \(keys.count) have certificates")
        }
        let verdict = try await instance.verifyAudit(by: self.scene.operatorPrincipal)
        found += verdict.findings.map { "audit verify: \($0)" }
        let intents = try await instance.storage.read { try $0.lastIntentID() }
        if verdict.completedUses + verdict.unfinishedUses != intents { found.append("an intent is not accounted for") }
        return found
    }
}

extension Diary {
    /// In the order in which they were acknowledged.
    var numbersOfLists: [UInt64] {
        self.details(of: .publishCRL).flatMap { $0.split(separator: " ").compactMap { UInt64($0) } }
    }
}
