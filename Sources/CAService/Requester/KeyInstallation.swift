import KeyArchival
package import KeyProvider
package import PKIMessages
package import SecretMemory

/// Keys that come to a user in a PKCS #12 file, such as recovered ones, put where the user's keys are: the use case
/// behind `certutil -importpfx`.
package struct KeyInstallation: Sendable {
    private let entries: [PKCS12.Entry]
    private let certificates: [CertificateFields]
    private let chain: [[UInt8]]
    private let password: SecretBytes

    /// Opens the file, and proves that each private key belongs to its certificate.
    ///
    /// - Throws: ``ArchivalError``: `unknownKeyFile` (0x8007000D), `keyMismatch` (0x80090003); `PKIMessageError` with code
    ///   `wrongPassword`.
    package init(file: String, password: SecretBytes) throws {
        (self.entries, self.chain) = try KeyFile.read(file, passwords: [password])
        self.certificates = try self.entries.map(KeyPairVerification.verify)
        self.password = password
    }

    /// Writes a PKCS #12 a key with certificate and chain, under the password of the file: all of them or none.
    ///
    /// - Parameter isForced: replaces what is there.
    /// - Returns: each certificate, and its file.
    package func install(
        in directory: RequesterKeyDirectory, isForced: Bool
    ) throws -> [(certificate: CertificateFields, file: String)] {
        let paths = try self.certificates.map { try directory.path(for: $0.subjectPublicKeyInfo) }
        for path in paths where FilePaths.exists(path) && !isForced { throw ServiceError.exists(path, "The file") }
        let files = try self.entries.map {
            try PKCS12.make([$0], chain: self.chain, password: self.password, protection: .modern)
        }
        var made: [String] = []
        do {
            for (path, file) in zip(paths, files) {
                if FilePaths.exists(path) {
                    try FilePaths.replace(path, secret: file)
                } else {
                    try FilePaths.create(path, secret: file)
                    made.append(path)
                }
            }
        } catch {
            for path in made { try FilePaths.remove(path) }
            throw error
        }
        return Array(zip(self.certificates, paths))
    }

    /// Stores the keys on a token, each with its certificate, room for it checked first. A failure at one leaves those
    /// before it, each whole.
    ///
    /// - Parameter stored: called after each.
    /// - Throws: `ArchivalError` with code `unsupportedKey` before anything is written; `KeyProviderError`.
    package func install(on token: any KeyToken, stored: (CertificateFields, TokenKeyPair) -> Void) async throws {
        let pairs = try zip(self.entries, self.certificates).map { entry, certificate in
            try UserKeyPair(
                certificate, label: String((entry.friendlyName ?? "\(certificate.subject)").prefix(64)))
        }
        for (pair, (entry, certificate)) in zip(pairs, zip(self.entries, self.certificates)) {
            stored(certificate, try await token.storeUserKey(pair, privateKey: entry.privateKey))
        }
    }
}
