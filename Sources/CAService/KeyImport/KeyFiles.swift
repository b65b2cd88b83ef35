import Diagnostics
import KeyArchival
package import KeyProvider
package import PKIMessages
package import SecretMemory

/// Puts keys of PKCS #12 files into a container for one CA, one file in memory at a time.
package struct KeyPacking: Sendable {
    private let recipient: CertificateFields
    private let thumbprint: String
    private let passwords: [SecretBytes]

    /// - Parameter thumbprint: as it was typed; see ``KeyContainer/Writer``.
    package init(recipient: CertificateFields, thumbprint: String, passwords: [SecretBytes]) {
        self.recipient = recipient
        self.thumbprint = thumbprint
        self.passwords = passwords
    }

    /// - Throws: nothing is left behind then.
    package func pack(_ files: [String], into path: String) throws -> (keys: Int, files: Int) {
        var keys = 0
        try FilePaths.createWhole(path, mode: 0o600) { append in
            var writer = try KeyContainer.Writer(
                recipient: self.recipient, thumbprintPrefix: self.thumbprint, write: append)
            for file in files {
                for entry in try KeyFile.read(file, passwords: self.passwords).entries {
                    try writer.add(entry)
                    keys += 1
                }
            }
            try writer.finish()
        }
        return (keys, files.count)
    }
}

/// Several PKCS #12 files as one.
package struct KeyMerge: Sendable {
    /// Each key once, in the order of the files.
    package let entries: [PKCS12.Entry]
    private let chain: [[UInt8]]

    package init(files: [String], passwords: [SecretBytes]) throws {
        var entries: [PKCS12.Entry] = []
        var chain: [[UInt8]] = []
        for file in files {
            let read = try KeyFile.read(file, passwords: passwords)
            entries += read.entries.filter { new in !entries.contains { $0.certificate == new.certificate } }
            chain += read.certificates
        }
        self.entries = entries
        self.chain = chain
    }

    package func pkcs12(password: SecretBytes, protection: PKCS12.Protection) throws -> SecretBytes {
        try PKCS12.make(self.entries, chain: self.chain, password: password, protection: protection)
    }
}

/// Proves that private keys belong to their certificates, by an operation with each.
package enum KeyPairVerification {
    /// - Returns: the certificates.
    /// - Throws: `ArchivalError` with code `keyMismatch` (0x80090003).
    package static func verify(file: String, passwords: [SecretBytes]) throws -> [CertificateFields] {
        try KeyFile.read(file, passwords: passwords).entries.map(self.verify)
    }

    /// - Returns: the certificate.
    /// - Throws: `ArchivalError` with code `keyMismatch` (0x80090003).
    static func verify(_ entry: PKCS12.Entry) throws -> CertificateFields {
        let certificate = try CertificateFields(derEncoded: entry.certificate)
        guard try PrivateKeyInfo(derEncoded: entry.privateKey).matches(certificate.subjectPublicKeyInfo) else {
            throw ArchivalError.pairMismatch(certificate)
        }
        return certificate
    }

    /// - Throws: `ArchivalError` with code `keyMismatch` when the token has no such key, or has one that does not work.
    package static func verify(_ certificate: CertificateFields, on token: any KeyToken) async throws {
        let publicKey = certificate.subjectPublicKeyInfo
        guard let pair = try await token.keyPairs().first(where: { $0.subjectPublicKeyInfo == publicKey.derBytes })
        else { throw ArchivalError.pairMismatch(certificate) }
        let challenge = try LibCrypto.randomBytes(32)
        guard publicKey.isRSA else {
            guard let algorithm = publicKey.defaultSignatureAlgorithm else {
                throw ArchivalError.pairMismatch(certificate)
            }
            let signature = try await token.sign(challenge, with: pair.locator, algorithm: .ecdsa(.sha256))
            guard try publicKey.isValidSignature(signature, over: challenge, algorithm: algorithm) else {
                throw ArchivalError.pairMismatch(certificate)
            }
            return
        }
        let ciphertext = try KeyTransport.encrypt(challenge, to: publicKey, transport: .pkcs1v15)
        let opened = try await token.decrypt(ciphertext, with: pair.locator, transport: .rsaPKCS1v15)
        guard try opened.matches(SecretBytes(copying: challenge)) else { throw ArchivalError.pairMismatch(certificate) }
    }
}
