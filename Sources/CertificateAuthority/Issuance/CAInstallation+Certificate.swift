import Foundation
package import KeyProvider
import PKIMessages

extension CAInstallation {
    /// Installs a CA certificate that another CA issued, the first one or a renewed one, and its chain.
    ///
    /// - Parameters:
    ///   - certificate: DER.
    ///   - chain: DER of the certificates above, in any order; the certificate itself among them does no harm.
    ///   - key: the pair on the token that the certificate was requested for.
    ///   - position: what was requested: the first certificate or a renewed one.
    ///   - settling: what else is stored in the same transaction.
    /// - Returns: the own certificate's record; those of the chain are stored, too.
    /// - Throws: ``IssuanceError`` with code `invalidCACertificate` (0x80094005) unless the certificate is a CA's,
    ///   valid now, for this key and the CA's name, and its chain verifies up to a root.
    package static func install(
        certificate: [UInt8], chain: [[UInt8]], key: TokenKeyPair, position: CACertificatePosition = .first,
        storage: any CAStorage, surroundings: Surroundings,
        settling: @escaping @Sendable (any StorageWriting) throws -> Void = { _ in }
    ) async throws -> CACertificateRecord {
        let own = try CertificateFields(derEncoded: certificate)
        guard own.subjectPublicKeyInfo.derBytes == key.subjectPublicKeyInfo else {
            throw IssuanceError.invalidCACertificate("its public key is not that of the key on the token")
        }
        let above = try CACertificateChain(chain).path(from: own, at: surroundings.now())
        let record = CACertificateRecord(
            use: .own, index: position.index, keyIndex: position.keyIndex, certificateDER: certificate,
            locator: key.locator)
        let event = AuditEvent(
            .configurationChanged, when: surroundings.now(), who: Principal.service.name,
            details: [
                "Entry": "CA certificate", "Value": Hexadecimal.lower(own.sha256Thumbprint),
                "Subject": DistinguishedNameText.text(of: own.subject),
                "CA Certificate Index": "\(position.index)", "CA Key Index": "\(position.keyIndex)",
            ])
        try await storage.write { db in
            let present = try db.caCertificates()
            try self.mustFit(own, position, after: present)
            try db.insert(record)
            try self.insert(above.map(\.derBytes), beside: present, db)
            try settling(db)
            try db.append(event)
        }
        return record
    }

    /// The certificate must continue the line that the database has: no gap, and the same name.
    private static func mustFit(
        _ own: CertificateFields, _ position: CACertificatePosition, after present: [CACertificateRecord]
    ) throws {
        guard let newest = present.filter({ $0.use == .own }).max(by: { $0.index < $1.index }) else { return }
        guard position.index > 0 else {
            throw IssuanceError.invalidCACertificate("this instance has a certificate of its own already")
        }
        guard position.index == newest.index + 1, position.previousSHA1 == Digest.sha1.hash(newest.certificateDER)
        else { throw IssuanceError.invalidCACertificate("the CA was renewed meanwhile") }
        guard own.subjectDER == (try CertificateFields(derEncoded: newest.certificateDER)).subjectDER else {
            throw IssuanceError.invalidCACertificate("its subject is not the name of this CA")
        }
        guard own.derBytes != newest.certificateDER else {
            throw IssuanceError.invalidCACertificate("it is the certificate that is to be renewed")
        }
    }

    /// Adds the certificates of a chain that are not there yet, after those that are.
    private static func insert(
        _ chain: [[UInt8]], beside present: [CACertificateRecord], _ db: any StorageWriting
    ) throws {
        let known = present.filter { $0.use == .chain }
        var next = (known.map(\.index).max() ?? 0) + 1
        for der in chain where !known.contains(where: { $0.certificateDER == der }) {
            try db.insert(
                CACertificateRecord(use: .chain, index: next, keyIndex: 0, certificateDER: der, locator: nil))
            next += 1
        }
    }
}
