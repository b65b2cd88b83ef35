package import CertificateAuthority
package import KeyArchival
package import PKIMessages

/// Archives with the exchange token, opened when the first key comes.
struct LazyArchiver: KeyArchiver {
    let token: LazyToken
    let storage: any CAStorage
    let agents: KRASelection
    let settings: ArchivalSettings
    let surroundings: Surroundings

    func archive(_ request: KeyArchivalRequest) async throws -> ArchivedKeyDraft {
        try await TokenKeyArchiver(
            exchangeToken: self.token.token(), storage: self.storage, agents: self.agents, settings: self.settings,
            surroundings: self.surroundings
        ).archive(request)
    }
}

extension ArchivalSettings {
    init(_ policy: InstanceConfiguration.ArchivalPolicy) {
        let format: ArchiveFormat? =
            switch policy.format {
            case .automatic: nil
            case .tokenWrapped: .tokenWrapped
            case .cmsAES: .cmsAES
            case .microsoft2003: .microsoft2003
            }
        self.init(format: format, isHostPlaintextAllowed: policy.hostPlaintextAllowed)
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
        let check = KRACertificateCheck(issuers: [self.authority.caCertificate])
        let event = AuditEvent(
            .configurationChanged, when: now, who: who.name,
            details: [
                "Entry": "key recovery agent", "Serial": certificate.serialHex,
                "CertHash": Hexadecimal.lower(certificate.sha1Thumbprint),
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

    /// The configured agents with the state of their certificates.
    package func recoveryAgents() async throws -> [KRAStatus] {
        try await self.agents.statuses()
    }

    /// Takes the recovery blob of the one archived key that fits `term`.
    package func recoveryBlob(matching term: String, by who: Principal) async throws -> TakenRecoveryBlob {
        let found = try await KeyFinder(storage: self.instance.storage).certificate(matching: term)
        let authority = self.authority
        let builder = RecoveryBlobBuilder(
            storage: self.instance.storage, authority: authority.caCertificate,
            signatureAlgorithm: authority.signatureAlgorithm, surroundings: self.instance.surroundings
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
    package func archivedKeys(matching term: String) async throws -> [CertificateRecord] {
        try await KeyFinder(storage: self.storage).candidates(matching: term)
    }
}
