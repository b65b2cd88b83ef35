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
    /// Read when the first list or certificate comes; nothing here changes them.
    private var known: [OwnCertificate]?

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
                CertificateFields(derEncoded: record.certificateDER),
                from: .init(record: record, request: request, key: key))
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

    private mutating func ownCertificates() async throws -> [OwnCertificate] {
        if let known = self.known { return known }
        let own = try await self.storage.ownCertificates()
        self.known = own
        return own
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
    private mutating func take(_ certificate: CertificateFields, from origin: ImportedRow.Origin?) async throws {
        let own = try await self.ownCertificates()
        guard !own.contains(where: { $0.fields.derBytes == certificate.derBytes }),
            let key = own.first(where: { certificate.isSigned(by: $0.fields.subjectPublicKeyInfo) })
        else { return }
        let row = ImportedRow(
            certificate: certificate, keyIndex: key.keyIndex, message: "Imported after a restore", origin: origin)
        let (now, who) = (self.instance.surroundings.now(), self.who)
        let requestID = try await self.storage.write { try row.store(in: $0, at: now, by: who) }
        if requestID != nil { self.merged.certificates += 1 }
    }
}
