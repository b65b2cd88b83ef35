package import CertificateAuthority

/// Finds archived keys by what names their certificates.
package struct KeyFinder: Sendable {
    private let storage: any CAStorage

    package init(storage: any CAStorage) {
        self.storage = storage
    }

    /// Certificates with an archived key, newest first.
    ///
    /// - Parameter term: common name, UPN, requester, serial number, SHA-1 or SHA-256 thumbprint, or key identifier;
    ///   hexadecimal digits may have blanks between them.
    package func candidates(matching term: String) async throws -> [CertificateRecord] {
        let term = term.trimmingBlanks
        return try await self.storage.read { try $0.certificates(matching: term, archivedOnly: true) }
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

extension String {
    fileprivate var trimmingBlanks: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
