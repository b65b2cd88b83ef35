package import CertificateAuthority

extension Instance {
    /// Takes over what this CA has published and its database does not have: issued certificates, revocations, and the
    /// number that the next list must be above. For a database that was lost; other CAs' files are passed over.
    ///
    /// - Parameter paths: files and directories.
    /// - Throws: `RequestError` without the role; ``ServiceError`` with code `unreadable` for a file that is neither
    ///   certificate nor list.
    package func takeOver(published paths: [String], by who: Principal) async throws -> MergedPublications {
        try who.mustBeAllowed(.importCertificate, to: "take over what the CA has published")
        var merge = PublicationMerge(instance: self, who: who)
        for path in paths { try await merge.take(path: path, isNamed: true) }
        return merge.merged
    }
}
