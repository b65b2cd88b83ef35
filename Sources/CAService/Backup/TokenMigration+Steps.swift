import CertificateAuthority
import Diagnostics
import Foundation
import KeyProvider
import PKIMessages

extension TokenMigration {
    /// Carries out the next step, and checks that it is done. The service must not run.
    ///
    /// - Returns: the step; `nil` when none is left that can be carried out now.
    /// - Throws: ``ServiceError`` with code `inUse` while signetd runs; `RequestError` without the role that the step needs;
    ///   what the step throws. It can be begun again.
    package mutating func carryOutNext() async throws -> Status? {
        let service = try InstanceLock(self.instance.layout)
        defer { withExtendedLifetime(service) {} }
        guard let next = try await self.status().first(where: { !$0.state.isSettled }), case .due = next.state else {
            return nil
        }
        try await self.carryOut(next.step)
        try self.reread()
        guard let after = try await self.status().first(where: { $0.step == next.step }), after.state.isSettled else {
            throw ServiceError.stepNotDone(next.step)
        }
        return after
    }

    private mutating func carryOut(_ step: Step) async throws {
        switch step {
        case .describe: try await self.instance.addToken(self.order.token, named: self.order.name, by: self.who)
        case .copyKeys:
            _ = try await self.instance.copyKeys(to: self.instance.tokens.open(self.order.token), by: self.who)
        case .use: try await self.use()
        case .newKey: try await self.makeKey()
        case .links: try await self.instance.issueMissingLinks(by: self.who) { _ in }
        case .exchangeKey: try await self.renewExchangeKey()
        case .lists:
            let lists = try await self.instance.authority()
                .publishCRLs(CRLOrder(.base, keyIndex: nil), by: self.who)
            for list in lists { if let (_, error) = list.failures.first { throw error } }
        // What the operator does, or what follows by itself.
        case .certificate, .tlsKey, .archives, .backUp, .oldToken: break
        }
    }

    /// Has each copy work, notes where they are, and makes the token the one that new keys are made on. A copy that does not
    /// work is not used.
    private func use() async throws {
        let place = try await MigrationPlace(self)
        let name = self.order.name
        for pair in place.keys.compactMap(place.pair) { try await place.token.removeReceivers(of: pair.label) }
        try await self.proveKeys(on: place)
        let moved = place.misplaced
        try await self.instance.storage.write { db in
            for pair in moved { try db.setReference(pair.locator.reference, ofKey: pair.locator.publicKeySHA256) }
            let beginning = Beginning(token: name, crlNumber: try db.highestCRLNumber())
            let text = String(decoding: try JSONEncoder().encode(beginning), as: UTF8.self)
            try db.setSetting(Beginning.setting, to: text)
            try Instance.askForBackup(db)
        }
        try await self.instance.changeSettings(
            [(SettingPath("keys", "signing-token"), YAMLText.quoted(name))], by: self.who)
    }

    /// Those that are on the token, under the references that they have there. Nothing is noted before all have worked.
    private func proveKeys(on place: MigrationPlace) async throws {
        var records = try await self.instance.storage.read { try $0.caCertificates() }
        for index in records.indices where records[index].use == .own {
            guard let pair = place.pair(of: records[index]) else { continue }
            records[index].locator = pair.locator
        }
        let authority = try await self.instance.authority(with: records, for: .records, settling: true).authority
        for signer in authority.signers where place.pairs[signer.signingKey.locator.publicKeySHA256] != nil {
            try await authority.prove(signer, purpose: "move to the token \(self.order.name)")
        }
    }

    private func makeKey() async throws {
        let policy = try self.instance.authorityPolicy()
        let present = try await self.instance.authorityKeyAlgorithm()
        let renewal = AuthorityRenewal(
            self.instance, newKeyAlgorithm: try policy?.renewalAlgorithm(after: present) ?? present,
            settings: policy?.settings, by: self.who)
        guard self.instance.configuration.type == .subordinate else {
            let now = self.instance.surroundings.now()
            _ = try await renewal.renewRoot(validity: policy?.renewalValidity?.seconds(after: now))
            return
        }
        _ = try await renewal.requestRenewal { try self.order.saveRequest?($0) }
    }

    /// The former exchange key stays where it is, and goes when its time is over.
    private mutating func renewExchangeKey() async throws {
        try await self.instance.changeSettings(
            [(SettingPath("keys", "exchange-token"), YAMLText.quoted(self.order.name))], by: self.who)
        try self.reread()
        guard try await !self.instance.storage.read({ try $0.keyRecoveryAgents() }).isEmpty else { return }
        _ = try await self.instance.authority().renewExchangeCertificate(by: self.who)
    }
}

extension ServiceError {
    fileprivate static func stepNotDone(_ step: TokenMigration.Step) -> ServiceError {
        ServiceError(
            code: .notWritten, headline: "The step \(step.rawValue) was carried out, and is not done.",
            hresult: .unexpected, advice: ["Look at `signet move token --status`, and carry it out again."])
    }
}
