package import CertificateAuthority
import Foundation
package import KeyArchival
package import PKIMessages

extension ArchivalSettings {
    init(_ policy: InstanceConfiguration.ArchivalPolicy) {
        let format: ArchiveFormat? =
            switch policy.format {
            case .automatic: nil
            case .tokenWrapped: .tokenWrapped
            case .cmsAES: .cmsAES
            case .microsoft2003: .microsoft2003
            }
        self.init(
            format: format, isHostPlaintextAllowed: policy.hostPlaintextAllowed, threshold: policy.threshold)
    }
}

/// A recovery blob and what its taker may know of it.
package struct TakenRecoveryBlob: Sendable {
    package let der: [UInt8]
    package let subject: String
    package let serialNumber: String
    /// Who can open it.
    package let recipients: [String]
}

extension Authority {
    /// Archives keys to this agent from now on. The certificate is checked first.
    ///
    /// - Throws: ``ServiceError`` with code `agentNotValid` (0x8009400B) naming the failed check.
    package func addRecoveryAgent(_ certificateDER: [UInt8], by who: Principal) async throws -> CertificateFields {
        try who.mustBeAllowed(.manageRecoveryAgents, to: "add a key recovery agent")
        let certificate = try CertificateFields(derEncoded: certificateDER)
        let now = self.instance.surroundings.now()
        let record = KRARecord(
            sha1Thumbprint: certificate.sha1Thumbprint, certificateDER: certificateDER, addedWhen: now)
        let check = self.agents.check
        let event = AuditEvent(
            .propertyChanged, when: now, who: who.name,
            details: [
                "Property": "KRA certificate", "Type": "binary", "Serial": certificate.serialHex,
                "Value": Hexadecimal.lower(certificate.sha1Thumbprint),
            ])
        let status = try await self.instance.storage.write { transaction in
            let status = try check.status(of: record, in: transaction, at: now)
            guard status.state == .valid else { return status }
            if try !transaction.keyRecoveryAgents().contains(where: { $0.sha1Thumbprint == record.sha1Thumbprint }) {
                try transaction.insert(record)
                try transaction.append(event)
            }
            return status
        }
        guard status.state == .valid else {
            throw ServiceError.agentNotValid(status.failedCheck ?? "its state is \(status.state)")
        }
        return certificate
    }

    /// Archives no more keys to an agent. The certificate is kept: recovery blobs of earlier keys need it.
    ///
    /// - Parameter name: serial number or SHA-1 thumbprint of the agent's certificate.
    /// - Throws: ``ServiceError``: `agentNotConfigured` (0x80092004); `tooFewAgents` (0x80070057) when fewer would be left
    ///   than each key needs, unless `force`.
    package func removeRecoveryAgent(_ name: String, force: Bool, by who: Principal) async throws -> KRAStatus {
        try who.mustBeAllowed(.manageRecoveryAgents, to: "remove a key recovery agent")
        let statuses = try await self.recoveryAgents()
        let wanted = name.filter { $0 != " " && $0 != ":" }.lowercased()
        guard
            let agent = statuses.first(where: {
                Hexadecimal.lower($0.sha1Thumbprint) == wanted || $0.certificate?.serialHex.lowercased() == wanted
            })
        else { throw ServiceError.agentNotConfigured(name) }
        guard force || statuses.count > self.agents.count else {
            throw ServiceError.tooFewAgents(left: statuses.count - 1, needed: self.agents.count)
        }
        let now = self.instance.surroundings.now()
        let event = AuditEvent(
            .propertyChanged, when: now, who: who.name,
            details: [
                "Property": "KRA certificate", "Type": "binary", "Serial": agent.certificate?.serialHex ?? "",
                "Removed": Hexadecimal.lower(agent.sha1Thumbprint),
            ])
        try await self.instance.storage.write { db in
            try db.removeKeyRecoveryAgent(sha1Thumbprint: agent.sha1Thumbprint, at: now)
            try db.append(event)
        }
        return agent
    }

    /// The configured agents with the state of their certificates.
    func recoveryAgents() async throws -> [KRAStatus] {
        try await self.agents.statuses()
    }

    package func recoveryAgents(for who: Principal) async throws -> [KRAStatus] {
        try who.mustBeAllowed(.readConfiguration, to: "list key recovery agents")
        return try await self.recoveryAgents()
    }

    /// The agents, to how many each key is archived, and why none can be now.
    package func archivalState(
        for who: Principal
    ) async throws -> (agents: [KRAStatus], count: Int, obstacle: ArchivalError?) {
        let statuses = try await self.recoveryAgents(for: who)
        return (statuses, self.agents.count, KRASelection.obstacle(statuses, count: self.agents.count))
    }

    /// Takes the recovery blob of the one archived key that fits `term`.
    package func recoveryBlob(matching term: String, by who: Principal) async throws -> TakenRecoveryBlob {
        // Before anything is said of what fits.
        try who.mustBeAllowed(.retrieveArchivedKey, to: "retrieve an archived key")
        let found = try await KeyFinder(storage: self.instance.storage).certificate(matching: term)
        let authority = self.authority
        let builder = RecoveryBlobBuilder(
            storage: self.instance.storage, authority: authority.caCertificate,
            signatureAlgorithm: authority.signatureAlgorithm, surroundings: self.instance.surroundings,
            release: KeyReleasePolicy(self.instance)
        ) {
            try await authority.signedMessage($0, purpose: "recovery blob", requestID: found.requestID)
        }
        let der = try await builder.recoveryBlob(forRequest: found.requestID, by: who)
        let opened = try KeyRecovery(blobDER: der, trusting: [authority.caCertificate])
        return TakenRecoveryBlob(
            der: der, subject: found.subject, serialNumber: found.serialNumber,
            recipients: opened.recipients.map(\.description))
    }
}

extension Instance {
    /// Certificates with an archived key that fit a search term.
    package func archivedKeys(matching term: String, for who: Principal) async throws -> [CertificateRecord] {
        try who.mustBeAllowed(.readRequests, to: "look for archived keys")
        return try await KeyFinder(storage: self.storage).candidates(matching: term)
    }

    /// Archived keys that fit, as a list and as a script.
    package func listing(of keys: [CertificateRecord]) -> ArchivedKeyListing {
        let host = ProcessInfo.processInfo.hostName
        return ArchivedKeyListing(authority: "\(host)\\\(self.configuration.name)", keys: keys)
    }

    /// The agents who can open the one archived key that fits.
    package func agents(
        ofKeyMatching term: String, for who: Principal
    ) async throws -> (key: CertificateRecord, agents: [ArchivedKeyAgent]) {
        // Before anything is said of what fits.
        try who.mustBeAllowed(.retrieveArchivedKey, to: "list the agents of an archived key")
        let finder = KeyFinder(storage: self.storage)
        let found = try await finder.certificate(matching: term)
        return (found, try await finder.agents(ofRequest: found.requestID, for: who))
    }
}
