import BackupSets
import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages

/// What of published lists and certificates was newer than a backup, and is in the restored database now.
package struct MergedPublications: Sendable, Equatable {
    /// Every later list has a higher number.
    package var crlNumber: UInt64 = 0
    package var revocations = 0
    package var certificates = 0
}

/// Brings a restored database up to what the CA has published since the backup was made: a revoked certificate never
/// becomes valid by a restore, and no number is given twice.
///
/// Only what one of the CA's own keys has signed counts.
struct PublicationMerge {
    private static let portion = 500

    private let instance: Instance
    private let who: Principal
    private(set) var merged = MergedPublications()

    init(instance: Instance, who: Principal) {
        self.instance = instance
        self.who = who
    }

    private var storage: any CAStorage { self.instance.storage }

    /// Every list and certificate in a file or directory.
    ///
    /// - Parameter isNamed: somebody has named it, so that a file which is neither is an error.
    mutating func take(path: String, isNamed: Bool) async throws {
        guard FileTree.isDirectory(path) else { return try await self.take(file: path, isNamed: isNamed) }
        let names: [String]
        do { names = try FileManager.default.subpathsOfDirectory(atPath: path) } catch {
            throw ServiceError.unreadable(path, error.localizedDescription)
        }
        for name in names.sorted() where !FileTree.isDirectory(path + "/" + name) {
            try await self.take(file: path + "/" + name, isNamed: false)
        }
    }

    private mutating func take(file: String, isNamed: Bool) async throws {
        let bytes = try FilePaths.read(file, limit: DERLimits.maximumCertificateListBytes)
        // `try?`: what is neither list nor certificate is of no concern, unless somebody has named it.
        let der = (try? TextEncoding.decode(bytes, what: "list")) ?? bytes
        if let list = try? CertificateListFields(derEncoded: der) {
            try await self.take(list)
        } else if let certificates = try? CertificateBundle.parse(bytes) {
            for certificate in certificates { try await self.take(certificate, from: nil) }
        } else if isNamed {
            throw ServiceError.unreadable(file, "it is neither a certificate nor a revocation list")
        }
    }

    /// Every certificate and revocation of the instance that is replaced.
    mutating func take(_ old: any CAStorage) async throws {
        var last: Int64 = 0
        while true {
            let after = last
            let records = try await old.read { try $0.certificates(afterRequest: after, limit: Self.portion) }
            guard let newest = records.last else { break }
            last = newest.requestID
            for record in records { try await self.take(record, of: old) }
        }
        let number = try await old.read { try $0.highestCRLNumber() }
        try await self.raise(to: number)
    }

    private mutating func take(_ record: CertificateRecord, of old: any CAStorage) async throws {
        let known = try await self.storage.read { try $0.certificate(serialNumber: record.serialNumber) }
        if known == nil {
            let request = try await old.read { try $0.request(record.requestID) }
            let key = try await old.read { try $0.archivedKey(forRequest: record.requestID) }
            try await self.take(
                CertificateFields(derEncoded: record.certificateDER), from: Origin(record, request, key))
        }
        guard let revocation = record.revocation, Self.isNews(revocation.reason, after: known?.revocation) else {
            return
        }
        try await self.revoke(
            RevokedEntry(
                serialNumber: CertificateRecord.serialNumberContent(record.serialNumber) ?? [],
                revocationDate: revocation.effectiveWhen, reason: CRLReason(rawValue: revocation.reason),
                invalidityDate: revocation.invalidityWhen), keyIndex: record.caKeyIndex, isFromList: false)
    }

    private struct Origin: Sendable {
        let record: CertificateRecord
        let request: RequestRecord?
        let key: ArchivedKeyRecord?

        init(_ record: CertificateRecord, _ request: RequestRecord?, _ key: ArchivedKeyRecord?) {
            self.record = record
            self.request = request
            self.key = key
        }
    }

    private func ownCertificates() async throws -> [(keyIndex: Int, fields: CertificateFields)] {
        try await self.storage.read { try $0.caCertificates() }.filter { $0.use == .own }
            .map { ($0.keyIndex, try CertificateFields(derEncoded: $0.certificateDER)) }
    }

    private mutating func take(_ list: CertificateListFields) async throws {
        guard
            let own = try await self.ownCertificates().first(where: {
                list.isSigned(by: $0.fields.subjectPublicKeyInfo)
            })
        else { return }
        if let number = list.number { try await self.raise(to: number) }
        for entry in list.entries { try await self.revoke(entry, keyIndex: own.keyIndex, isFromList: true) }
    }

    private mutating func raise(to number: UInt64) async throws {
        self.merged.crlNumber = try await self.storage.write { db in
            try db.raiseCRLNumber(to: number)
            return try db.highestCRLNumber()
        }
    }

    /// A hold that became a revocation is one.
    private static func isNews(_ reason: Int, after known: CertificateRecord.Revocation?) -> Bool {
        let hold = CRLReason.certificateHold.rawValue
        return known.map { $0.reason == hold && reason != hold } ?? true
    }

    private mutating func revoke(_ entry: RevokedEntry, keyIndex: Int, isFromList: Bool) async throws {
        // A hold that was taken away, in a delta list.
        guard entry.reason != .removeFromCRL else { return }
        let serial = Hexadecimal.upper(entry.serialNumber)
        let (now, who) = (self.instance.surroundings.now(), self.who.name)
        let reason = (entry.reason ?? .unspecified).rawValue
        let isNew = try await self.storage.write { db in
            let isNew: Bool
            if let certificate = try db.certificate(serialNumber: serial) {
                isNew = Self.isNews(reason, after: certificate.revocation)
                guard isNew else { return false }
                try db.setRevocation(
                    .init(
                        reason: reason, revokedWhen: now, effectiveWhen: entry.revocationDate,
                        invalidityWhen: entry.invalidityDate), serialNumber: serial)
                if var row = try db.request(certificate.requestID) {
                    row.disposition = .revoked
                    try db.update(row)
                }
            } else {
                let revoked = RevokedCertificate(
                    serialNumber: entry.serialNumber, reason: reason, effectiveWhen: entry.revocationDate,
                    invalidityWhen: entry.invalidityDate)
                isNew = try db.crlShards(caKeyIndex: keyIndex).reduce(false) { isNew, shard in
                    try db.insertRevocation(revoked, scope: CRLScope(caKeyIndex: keyIndex, shard: shard)) || isNew
                }
                // Numbers of certificates end in those of their requests.
                try db.raiseRequestID(to: SerialNumber.requestNumber(entry.serialNumber))
            }
            guard isNew else { return false }
            try db.append(
                AuditEvent(
                    .certificateRevoked, when: now, who: who,
                    details: [
                        "Serial Number": serial, "Reason": "\(reason)",
                        "Source": isFromList ? "published list" : "replaced instance",
                    ]))
            return true
        }
        if isNew { self.merged.revocations += 1 }
    }

    /// A certificate that one of the own keys has signed and that the database does not have.
    private mutating func take(_ certificate: CertificateFields, from origin: Origin?) async throws {
        let own = try await self.ownCertificates()
        guard !own.contains(where: { $0.fields.derBytes == certificate.derBytes }),
            let key = own.first(where: { certificate.isSigned(by: $0.fields.subjectPublicKeyInfo) })
        else { return }
        let serial = certificate.serialHex
        let now = self.instance.surroundings.now()
        let who = self.who.name
        let isNew = try await self.storage.write { db in
            guard try db.certificate(serialNumber: serial) == nil else { return false }
            try db.raiseRequestID(to: SerialNumber.requestNumber(certificate.serialNumber))
            let requestID = try db.placeOfImport(certificate, origin?.request, keyIndex: key.keyIndex, at: now)
            var record = try CertificateRecord(
                imported: certificate, requestID: requestID, like: origin?.record, caKeyIndex: key.keyIndex)
            // The revocation follows by itself, with its event and its change number.
            record.revocation = nil
            try db.insert(record)
            if var archived = origin?.key {
                archived.requestID = requestID
                try db.insert(archived)
            }
            try db.append(
                AuditEvent(
                    .certificateImported, when: now, who: who,
                    details: [
                        "Certificate": Hexadecimal.lower(certificate.sha256Thumbprint), "Request ID": "\(requestID)",
                        "Serial Number": serial,
                    ]))
            return true
        }
        if isNew { self.merged.certificates += 1 }
    }
}

extension SerialNumber {
    /// The number of the request in which a serial number of this CA ends; 0 for one of another form.
    fileprivate static func requestNumber(_ content: [UInt8]) -> Int64 {
        content.count == 14 ? content.suffix(4).reduce(0) { $0 << 8 | Int64($1) } : 0
    }
}

extension StorageWriting {
    /// The request that the certificate answers, with its use of the CA key closed: that of the open intent when the backup
    /// was made in between, else a new one.
    fileprivate func placeOfImport(
        _ certificate: CertificateFields, _ origin: RequestRecord?, keyIndex: Int, at now: Date
    ) throws -> Int64 {
        let intent = try self.intent(.certificate, number: certificate.serialHex)
        if let intent, intent.outcome == .open { try self.closeIntent(intent.intentID, outcome: .completed, at: now) }
        if let requestID = intent?.requestID, var row = try self.request(requestID),
            try self.certificate(forRequest: requestID) == nil
        {
            row.disposition = .issued
            row.statusCode = .ok
            row.dispositionMessage = "Issued"
            row.resolvedWhen = origin?.resolvedWhen ?? now
            try self.update(row)
            return requestID
        }
        var row = RequestRecord(
            type: origin?.type ?? .internalRequest, rawRequest: origin?.rawRequest ?? [],
            attributes: origin?.attributes ?? "", requesterName: origin?.requesterName ?? Principal.service.name,
            templateName: origin?.templateName, subject: DistinguishedNameText.text(of: certificate.subject),
            submittedWhen: origin?.submittedWhen ?? certificate.notBefore, resolvedWhen: origin?.resolvedWhen ?? now,
            disposition: .issued, dispositionMessage: "Imported after a restore",
            encryptedKeyHash: origin?.encryptedKeyHash, callerName: origin?.callerName)
        row.flags = origin?.flags ?? []
        let requestID = try self.insert(row)
        if intent == nil {
            _ = try self.insert(
                SigningIntent(
                    kind: .certificate, requestID: requestID, number: certificate.serialHex,
                    toBeSignedSHA256: Digest.sha256.hash(certificate.tbsBytes), caKeyIndex: keyIndex, createdWhen: now,
                    outcome: .completed, closedWhen: now))
        }
        return requestID
    }
}

extension CertificateRecord {
    fileprivate init(
        imported fields: CertificateFields, requestID: Int64, like original: CertificateRecord?, caKeyIndex: Int
    ) throws {
        let names = try ExtensionDecoding(fields.extensions).subjectAlternativeNames()
        self.init(
            requestID: requestID, serialNumber: fields.serialHex, certificateDER: fields.derBytes,
            sha1Thumbprint: fields.sha1Thumbprint, sha256Thumbprint: fields.sha256Thumbprint,
            subject: DistinguishedNameText.text(of: fields.subject),
            commonName: DistinguishedNameText.commonName(of: fields.subject),
            userPrincipalName: original?.userPrincipalName ?? names.lazy.compactMap(\.userPrincipalName).first,
            requesterName: original?.requesterName ?? Principal.service.name, templateName: original?.templateName,
            subjectKeyIdentifier: fields.subjectPublicKeyInfo.keyIdentifier, notBefore: fields.notBefore,
            notAfter: fields.notAfter, caKeyIndex: caKeyIndex, crlShard: original?.crlShard ?? 0)
    }
}
