package import CertificateAuthority
package import PKIMessages

/// Hands archived keys, still encrypted, to a certificate manager (MS-CSRA, section 3.1.4.2.9).
package struct RecoveryBlobBuilder: Sendable {
    private let storage: any CAStorage
    private let authority: CertificateFields
    private let signatureAlgorithm: SignatureAlgorithmIdentifier
    private let sign: @Sendable (SignedDataDraft) async throws -> [UInt8]
    private let surroundings: Surroundings
    private let release: KeyReleasePolicy

    /// - Parameters:
    ///   - authority: the CA's current certificate.
    ///   - signatureAlgorithm: that of its key.
    ///   - release: how many other managers must have approved.
    ///   - sign: makes the CMS message with the CA's key; `CertificationAuthority.signedMessage`.
    package init(
        storage: any CAStorage, authority: CertificateFields, signatureAlgorithm: SignatureAlgorithmIdentifier,
        surroundings: Surroundings, release: KeyReleasePolicy = KeyReleasePolicy(),
        sign: @escaping @Sendable (SignedDataDraft) async throws -> [UInt8]
    ) {
        self.storage = storage
        self.authority = authority
        self.signatureAlgorithm = signatureAlgorithm
        self.sign = sign
        self.surroundings = surroundings
        self.release = release
    }

    private struct Stored: Sendable {
        let key: ArchivedKeyRecord
        let certificate: CertificateRecord
        let agents: [KRARecord]
        let authorities: [CACertificateRecord]
    }

    /// The recovery blob of one request's key. Recorded as audit event 787 before it is returned.
    ///
    /// - Parameter requestID: as ``KeyFinder`` finds it.
    /// - Throws: ``RequestError`` with `accessDenied` (0x80070005) unless the caller is a certificate manager,
    ///   `restrictedManager` or `releaseNotApproved` (0x80094009); ``ArchivalError``: `noArchivedKey` (0x80094004),
    ///   `agentCertificateMissing` (0x80092004); what `sign` throws; ``StorageError``.
    package func recoveryBlob(forRequest requestID: Int64, by caller: Principal) async throws -> [UInt8] {
        try caller.mustBeAllowed(.retrieveArchivedKey, to: "retrieve an archived key")
        let release = self.release
        let now = self.surroundings.now()
        let stored = try await self.storage.read { db in
            let (key, certificate) = try Self.stored(requestID, db)
            // Whether the caller may have it, before anything is said of whom it is archived to.
            try db.mustManage(
                caller, requester: certificate.requesterName, template: certificate.templateName,
                to: "retrieve an archived key")
            try db.mustBeReleased(requestID, requester: certificate.requesterName, to: caller, release, at: now)
            return Stored(
                key: key, certificate: certificate, agents: try Self.agents(of: key, db),
                authorities: try db.caCertificates().filter { !$0.use.isLink })
        }
        let draft = try RecoveryBlob.draft(
            archivedKeyDER: stored.key.envelopedDataDER, userCertificateDER: stored.certificate.certificateDER,
            certificates: try self.certificates(stored), signer: IssuerAndSerialNumber(self.authority),
            signatureAlgorithm: self.signatureAlgorithm)
        let blob = try await self.sign(draft)
        try await self.storage.write { db in
            try db.recordRetrieval(
                ofKey: requestID, requester: stored.certificate.requesterName, by: caller, release, at: now,
                details: ["Serial Number": stored.certificate.serialNumber])
        }
        return blob
    }

    private static func stored(
        _ requestID: Int64, _ reader: any StorageReading
    ) throws -> (ArchivedKeyRecord, CertificateRecord) {
        guard let key = try reader.archivedKey(forRequest: requestID) else {
            throw ArchivalError.noArchivedKey(requestID: requestID, "it has no archived key")
        }
        guard let certificate = try reader.certificate(forRequest: requestID) else {
            throw ArchivalError.noArchivedKey(requestID: requestID, "no certificate was issued for it")
        }
        return (key, certificate)
    }

    private static func agents(of key: ArchivedKeyRecord, _ reader: any StorageReading) throws -> [KRARecord] {
        try key.kraHashes.map { hash in
            guard let thumbprint = Self.thumbprint(hash),
                let agent = try reader.keyRecoveryAgent(sha1Thumbprint: thumbprint),
                !agent.certificateDER.isEmpty
            else {
                throw ArchivalError.agentCertificateMissing(requestID: key.requestID, hash: hash)
            }
            return agent
        }
    }

    private static func thumbprint(_ hash: String) -> [UInt8]? {
        Hexadecimal.bytes(hash.filter { $0 != " " })
    }

    /// The chain of the user's certificate, that of the CA's, and the agents' certificates, each once.
    private func certificates(_ stored: Stored) throws -> [[UInt8]] {
        let authorities = try stored.authorities.map { try CertificateFields(derEncoded: $0.certificateDER) }
        let user = try CertificateFields(derEncoded: stored.certificate.certificateDER)
        let chains =
            CertificatePath.path(from: user, through: authorities)
            + CertificatePath.path(from: self.authority, through: authorities)
        var seen: Set<[UInt8]> = []
        return (chains.map(\.derBytes) + stored.agents.map(\.certificateDER)).filter { seen.insert($0).inserted }
    }
}
