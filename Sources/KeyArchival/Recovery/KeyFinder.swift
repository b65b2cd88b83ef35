package import CertificateAuthority
package import PKIMessages
import X509

/// Finds archived keys by what names their certificates.
package struct KeyFinder: Sendable {
    private let storage: any CAStorage

    package init(storage: any CAStorage) {
        self.storage = storage
    }

    /// Certificates with an archived key, newest first.
    ///
    /// - Parameter term: common name, UPN, requester, serial number, SHA-1 or SHA-256 thumbprint, or key identifier;
    ///   hexadecimal digits may have blanks between them. `Users\name` is the user of that name, whatever its domain.
    package func candidates(matching term: String) async throws -> [CertificateRecord] {
        let term = term.trimmingBlanks
        return try await self.storage.read { reader in
            let named = try reader.certificates(matching: term, archivedOnly: true)
            guard named.isEmpty, let name = term.nameInUsers else { return named }
            return try reader.certificates(matching: name, archivedOnly: true)
        }
    }

    /// The only certificate that fits.
    ///
    /// - Throws: ``ArchivalError``: `nothingFound` (0x80092004), `ambiguousName` (0x8002802C) with the candidates as
    ///   facts.
    package func certificate(matching term: String) async throws -> CertificateRecord {
        let candidates = try await self.candidates(matching: term)
        guard let first = candidates.first else { throw ArchivalError.nothingFound(term) }
        guard candidates.count == 1 else { throw ArchivalError.ambiguousName(term, candidates) }
        return first
    }
}

/// An agent to whom a key is archived.
package struct ArchivedKeyAgent: Sendable, CustomStringConvertible {
    /// SHA-1 of the agent's certificate, lower-case hexadecimal with blanks between the bytes.
    package let thumbprint: String
    /// `nil` when the certificate is not in the database any more.
    package let certificate: CertificateFields?

    package var description: String {
        let name = self.certificate.map { "\($0.subject), serial number \($0.serialHex)" }
        return "\(self.thumbprint)  \(name ?? "(its certificate is not in the database)")"
    }
}

extension KeyFinder {
    /// Who can open one request's key. Takes nothing, so that it is no retrieval.
    ///
    /// - Throws: ``RequestError`` with `accessDenied` (0x80070005) or `restrictedOfficer` (0x80094009), ``ArchivalError``
    ///   with `noArchivedKey` (0x80094004), ``StorageError``.
    package func agents(ofRequest requestID: Int64, for caller: Principal) async throws -> [ArchivedKeyAgent] {
        let operation = "list the agents of an archived key"
        try caller.mustBeAllowed(.retrieveArchivedKey, to: operation)
        return try await self.storage.read { db in
            guard let key = try db.archivedKey(forRequest: requestID),
                let certificate = try db.certificate(forRequest: requestID)
            else { throw ArchivalError.noArchivedKey(requestID: requestID, "it has no archived key") }
            try db.mustManage(
                caller, requester: certificate.requesterName, template: certificate.templateName, to: operation)
            return try key.kraHashes.map { hash in
                let record = try Hexadecimal.bytes(hash.filter { $0 != " " })
                    .flatMap { try db.keyRecoveryAgent(sha1Thumbprint: $0) }
                return ArchivedKeyAgent(
                    thumbprint: hash,
                    certificate: try record.map { try CertificateFields(derEncoded: $0.certificateDER) })
            }
        }
    }
}

extension String {
    /// The name in `Users\name`, the default container of a directory.
    fileprivate var nameInUsers: String? {
        let parts = self.split(separator: "\\", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].lowercased() == "users", !parts[1].isEmpty else { return nil }
        return String(parts[1])
    }

    fileprivate var trimmingBlanks: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
