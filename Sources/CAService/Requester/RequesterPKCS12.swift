import Diagnostics
package import KeyProvider
package import PKIMessages
package import SecretMemory

/// A requester's PKCS #12: the key alone while its request waits, then with certificate and chain. A requester's own
/// key is software by their choice; no key of a certification authority ever comes here.
package struct RequesterPKCS12: Sendable {
    package let path: String
    private let password: SecretBytes

    package init(path: String, password: SecretBytes) {
        self.path = path
        self.password = password
    }

    /// Makes a key and writes it into the file, which must not be there yet.
    package func create(_ algorithm: KeyAlgorithm, friendlyName: String) throws -> SoftwareRequesterKey {
        guard !FilePaths.exists(self.path) else { throw ServiceError.exists(self.path, "The file") }
        let key = try SoftwareRequesterKey.generate(algorithm)
        try self.store(key, friendlyName: friendlyName)
        return key
    }

    /// Writes a key into the file, which must not be there yet.
    package func store(_ key: SoftwareRequesterKey, friendlyName: String) throws {
        try FilePaths.create(
            self.path,
            secret: PKCS12.makePending(
                privateKey: key.privateKey, friendlyName: friendlyName, password: self.password))
    }

    /// The key that waits for its certificate, or has it.
    package func key() throws -> (key: SoftwareRequesterKey, certificate: [UInt8]?) {
        let contents = try PKCS12.openKey(FilePaths.readSecret(self.path), password: self.password)
        return (try SoftwareRequesterKey(privateKey: contents.privateKey), contents.certificate)
    }

    /// Certificate and key, of a file that has both.
    package func credential() throws -> RequesterCredential {
        try RequesterCredential(pkcs12: PKCS12.open(FilePaths.readSecret(self.path), password: self.password))
    }

    /// Puts the certificate and its chain beside the key. The new file is opened again and compared before it takes the
    /// old one's place. The same certificate once more changes nothing.
    ///
    /// - Parameter path: the certificate, then those above it.
    /// - Throws: ``ServiceError``: `certificateKeyMismatch`, `certificatePresent` when the file has another one.
    package func install(_ path: [CertificateFields]) throws {
        guard let leaf = path.first else { throw ServiceError.certificateKeyMismatch(self.path) }
        let (key, present) = try self.key()
        guard key.subjectPublicKeyInfo == leaf.subjectPublicKeyInfo else {
            throw ServiceError.certificateKeyMismatch(self.path)
        }
        if let present {
            guard present == leaf.derBytes else { throw ServiceError.certificatePresent(self.path) }
            return
        }
        let made = try PKCS12.make(
            privateKey: key.privateKey, certificate: leaf.derBytes, chain: path.dropFirst().map(\.derBytes),
            friendlyName: "\(leaf.subject)", password: self.password)
        let opened = try PKCS12.open(made, password: self.password)
        guard opened.privateKey.matches(key.privateKey), opened.certificate == leaf.derBytes else {
            throw ServiceError.notWritten(self.path, "the new file does not hold what it should")
        }
        try FilePaths.replace(self.path, secret: made)
    }
}

extension ServiceError {
    fileprivate static func certificatePresent(_ path: String) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "certificatePresent"), headline: "\"\(path)\" has another certificate already.",
            hresult: .alreadyExists, advice: ["Give each key a file of its own; a renewal makes a new one."])
    }
}
