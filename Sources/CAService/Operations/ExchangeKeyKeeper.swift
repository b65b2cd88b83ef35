package import CertificateAuthority
import Foundation
import KeyProvider

/// Keeps a CA exchange certificate that requesters can use for a while, making key and certificate when needed.
actor ExchangeKeyKeeper {
    private let instance: Instance
    private let authority: CertificationAuthority
    private let token: LazyToken
    private let settings: ExchangeCertificateSettings

    init(instance: Instance, authority: CertificationAuthority, token: LazyToken) {
        self.instance = instance
        self.authority = authority
        self.token = token
        let policy = instance.configuration.exchange
        self.settings = ExchangeCertificateSettings(
            validity: policy.validity, overlap: policy.overlap, requiresTemplate: policy.requiresTemplate)
    }

    /// The newest one, made now when there is none that can be used. Two callers at once get the same: the second waits
    /// for the first.
    func current() async throws -> ExchangeCertificateRecord {
        if let making = self.making { return try await making.value }
        if let newest = try await self.usable() { return newest }
        if let making = self.making { return try await making.value }
        let task = Task { try await self.make() }
        self.making = task
        defer { self.making = nil }
        return try await task.value
    }

    /// Makes the next one, whatever can be said of the one in place.
    func renew() async throws -> ExchangeCertificateRecord { try await self.make() }

    private var making: Task<ExchangeCertificateRecord, any Error>?

    private func usable() async throws -> ExchangeCertificateRecord? {
        let overlap = try self.authority.exchangeTemplate(self.settings).overlap.timeInterval
        let (authority, now) = (self.authority, self.instance.surroundings.now())
        return try await self.instance.storage.read { db in
            guard let newest = try db.exchangeCertificates().first,
                try authority.isCurrent(newest, overlap: overlap, in: db, at: now)
            else { return nil }
            return newest
        }
    }

    private func make() async throws -> ExchangeCertificateRecord {
        // Before a key is made that could have no certificate.
        _ = try self.authority.exchangeTemplate(self.settings)
        let token = try await self.token.token()
        let pair = try await token.generateKeyPair(
            KeyPairSpecification(
                algorithm: self.instance.configuration.exchangeKeyAlgorithm, role: .exchange,
                label: self.instance.configuration.name + "-Xchg", certificateBytes: 0))
        do {
            try await self.instance.record(.keyGenerated, by: .service, details: pair.auditDetails(on: token))
            return try await self.authority.issueExchangeCertificate(keyPair: pair, settings: self.settings)
        } catch {
            throw await token.discarding(pair, after: error)
        }
    }
}

/// What the service did about exchange keys.
package struct ExchangeKeyUpkeep: Sendable {
    /// Set when a new certificate was made.
    package var renewed: ExchangeCertificateRecord?
    /// Labels of keys that were removed from the token.
    package var retired: [String] = []
}

extension Authority {
    /// Makes the next exchange key when its time has come, and removes those that nothing needs any more. Does neither
    /// while no key recovery agent is configured: nobody archives then, and each key would cost room on the token.
    package func keepExchangeKeys() async throws -> ExchangeKeyUpkeep {
        var done = ExchangeKeyUpkeep()
        let (agents, before) = try await self.instance.storage.read { db in
            (try db.keyRecoveryAgents(), try db.exchangeCertificates())
        }
        if !agents.isEmpty {
            let current = try await self.currentExchangeCertificate()
            if current.requestID != before.first?.requestID { done.renewed = current }
        }
        guard self.instance.configuration.exchange.retiresAutomatically else { return done }
        let due = try await self.instance.outdatedExchangeCertificates()
        for name in try self.instance.exchangeTokenNames(of: due).sorted() {
            let token = try await self.instance.token(named: name)
            for use in try await self.instance.keyUses(on: token) where use.retirable != nil {
                try await self.instance.retireUnneeded(use.pair.locator, on: token, by: .service)
                done.retired.append(use.pair.label)
            }
        }
        return done
    }
}
