package import CertificateAuthority
import Diagnostics
import Foundation
package import KeyProvider
package import PKIMessages
import X509

/// Archives keys that did not come with a request: the use case behind `certutil -importkms`.
///
/// A key is encrypted to the CA's exchange certificate and archived as one that came with a request: the same proof, the
/// same formats, the same agents. Running an import again changes nothing.
package struct KeyImporter: Sendable {
    package struct Settings: Sendable {
        /// Whether certificates of other CAs are taken (`KRAF_ENABLEFOREIGN`)...
        package var allowsForeign: Bool
        /// ...and whether the caller means it (`-f`).
        package var isForced: Bool
        /// False refuses every key that is not encrypted to an exchange certificate when it comes.
        package var isHostPlaintextAllowed: Bool

        package init(allowsForeign: Bool = false, isForced: Bool = false, isHostPlaintextAllowed: Bool = true) {
            self.allowsForeign = allowsForeign
            self.isForced = isForced
            self.isHostPlaintextAllowed = isHostPlaintextAllowed
        }
    }

    /// To whom keys are encrypted on their way, and what its token takes.
    package struct Exchange: Sendable {
        package let certificate: CertificateFields
        package let oaepHashes: [HashAlgorithm]

        package init(certificate: CertificateFields, oaepHashes: [HashAlgorithm]) {
            self.certificate = certificate
            self.oaepHashes = oaepHashes
        }
    }

    package struct Outcome: Sendable, Equatable {
        package enum Key: Sendable, Equatable {
            case archived
            /// This very certificate has an archived key already.
            case wasArchived
            /// Its certificate is for signatures: such a key is never archived.
            case ignoredSignature
        }

        package var requestID: Int64
        package var key: Key
        /// A certificate of another CA was stored for it.
        package var importedForeign = false
    }

    private let storage: any CAStorage
    private let archiver: any KeyArchiver
    private let exchange: @Sendable () async throws -> Exchange
    private let surroundings: Surroundings
    private let settings: Settings

    /// - Parameter exchange: gives the current exchange certificate; asked when a key has to be encrypted.
    package init(
        storage: any CAStorage, archiver: any KeyArchiver, settings: Settings, surroundings: Surroundings,
        exchange: @escaping @Sendable () async throws -> Exchange
    ) {
        self.storage = storage
        self.archiver = archiver
        self.settings = settings
        self.surroundings = surroundings
        self.exchange = exchange
    }

    /// Archives one key from a PKCS #12 file.
    ///
    /// - Throws: ``RequestError`` without the role; ``ArchivalError``: `foreignCertificate` (0x800B0107) for a certificate
    ///   of another CA that is not taken, `pathNotAvailable` (0x80070032) where keys must not be in host memory,
    ///   `keyMismatch` (0x80090003); what archiving throws.
    package func importKey(_ entry: PKCS12.Entry, by who: Principal) async throws -> Outcome {
        try who.mustBeAllowed(.importArchivedKey, to: "import a key")
        let certificate = try CertificateFields(derEncoded: entry.certificate)
        guard certificate.mayTransportKeys else { return Outcome(requestID: 0, key: .ignoredSignature) }
        let known = try await self.known(certificate)
        if let known, known.hasKey { return Outcome(requestID: known.requestID, key: .wasArchived) }
        guard self.settings.isHostPlaintextAllowed else {
            throw ArchivalError.pathNotAvailable(
                "a key of a PKCS #12 file is in the host's memory, which is not allowed",
                advice: "Pack the file with `signet key pack` on another machine, and import the container.")
        }
        // Whether it is the certificate's is proven when it is archived.
        let privateKey = try PrivateKeyInfo(derEncoded: entry.privateKey)
        let exchange = try await self.exchange()
        let transport = exchange.oaepHashes.first.map { TransportPadding(.rsaOAEP($0)) } ?? .pkcs1v15
        let encrypted = try EnvelopedData.sealing(
            privateKey: privateKey.derBytes, to: [exchange.certificate], encryption: .aesKeyWrapPadded,
            transport: transport, random: self.surroundings.randomBytes)
        return try await self.archive(
            encrypted.contentInfoDER(), of: certificate, source: .pkcs12, by: who)
    }

    /// Archives one key that is encrypted to an exchange certificate of this CA, as a container holds it.
    ///
    /// - Throws: as ``importKey(_:by:)``.
    package func importKey(
        encryptedKeyDER: [UInt8], certificateDER: [UInt8], by who: Principal
    ) async throws -> Outcome {
        try who.mustBeAllowed(.importArchivedKey, to: "import a key")
        let certificate = try CertificateFields(derEncoded: certificateDER)
        guard certificate.mayTransportKeys else { return Outcome(requestID: 0, key: .ignoredSignature) }
        let known = try await self.known(certificate)
        if let known, known.hasKey { return Outcome(requestID: known.requestID, key: .wasArchived) }
        return try await self.archive(encryptedKeyDER, of: certificate, source: .container, by: who)
    }

    private struct Known: Sendable {
        let requestID: Int64
        let hasKey: Bool
    }

    /// The row of exactly this certificate.
    ///
    /// - Throws: ``ArchivalError`` with `foreignCertificate` when there is none and none may be made; also for a lost row of this
    ///   CA's own (0x80094004).
    private func known(_ certificate: CertificateFields) async throws -> Known? {
        try await self.storage.read { try self.known(certificate, in: $0) }
    }

    private func known(_ certificate: CertificateFields, in db: any StorageReading) throws -> Known? {
        let rows = try db.certificates(
            matching: Hexadecimal.upper(certificate.sha256Thumbprint), archivedOnly: false)
        if let row = rows.first(where: { $0.certificateDER == certificate.derBytes }) {
            return Known(requestID: row.requestID, hasKey: try db.archivedKey(forRequest: row.requestID) != nil)
        }
        // As a row of another CA it could never be revoked.
        guard try !db.hasSigned(certificate) else { throw ArchivalError.certificateLost(certificate) }
        guard self.settings.allowsForeign, self.settings.isForced else {
            throw ArchivalError.foreignCertificate(
                certificate, isAllowed: self.settings.allowsForeign, operation: "import the private key")
        }
        if try db.certificate(serialNumber: certificate.serialHex) != nil {
            throw ArchivalError.serialNumberTaken(certificate)
        }
        return nil
    }

    private func archive(
        _ encryptedKeyDER: [UInt8], of certificate: CertificateFields, source: ArchivalEvidence.Imported.Source,
        by who: Principal
    ) async throws -> Outcome {
        let draft = try await self.archiver.archive(
            KeyArchivalRequest(
                requesterName: who.name, encryptedKeyDER: encryptedKeyDER,
                subjectPublicKeyInfo: certificate.subjectPublicKeyInfo.derBytes))
        let now = self.surroundings.now()
        var evidence = try ArchivalEvidence(json: draft.evidenceJSON)
        evidence.imported = .init(source: source, by: who.name, when: now.ISO8601Format())
        let evidenceJSON = try evidence.json()
        return try await self.storage.write { db in
            // Somebody else may have imported it meanwhile, from another file with the same certificate.
            let known = try self.known(certificate, in: db)
            if let known, known.hasKey { return Outcome(requestID: known.requestID, key: .wasArchived) }
            let requestID = try known?.requestID ?? db.insertForeign(certificate, at: now, by: who)
            var record = draft.record(forRequest: requestID, at: now)
            record.evidenceJSON = evidenceJSON
            try db.insert(record)
            try db.append(
                AuditEvent(
                    .keyImportedAndArchived, when: now, who: who.name,
                    details: [
                        "Request ID": "\(requestID)", "Serial Number": certificate.serialHex,
                        "KRA Hashes": draft.kraHashes.joined(separator: "\n"),
                        "Evidence SHA-256": Hexadecimal.lower(Digest.sha256.hash(Array(evidenceJSON.utf8))),
                    ]))
            return Outcome(requestID: requestID, key: .archived, importedForeign: known == nil)
        }
    }
}

extension CertificateFields {
    /// False for a certificate whose key usage is for signatures alone.
    fileprivate var mayTransportKeys: Bool {
        guard let usage = self.keyUsage else { return true }
        return usage.keyEncipherment || usage.dataEncipherment || usage.keyAgreement
    }
}
