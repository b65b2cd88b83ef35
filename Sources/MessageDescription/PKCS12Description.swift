package import PKIMessages
package import SecretMemory

extension MessageDescription {
    /// What a PKCS #12 file holds. Private keys are named by algorithm and length, proven to belong to their certificate, and never shown.
    ///
    /// - Throws: ``PKIMessageError`` with `malformed` or `wrongPassword`.
    package static func lines(
        ofPKCS12 file: SecretBytes, password: SecretBytes, style: DescriptionStyle = .standard
    ) throws -> [String] {
        let contents = try PKCS12.allContents(of: file, password: password)
        var text = DescriptionText(style: style)
        text.line("PKCS12 File:")
        let count = contents.entries.count + contents.certificates.count
        text.line("Certificates: \(count), private keys: \(contents.entries.count + contents.keys.count)")
        for (index, entry) in contents.entries.enumerated() {
            text.line("===== Certificate \(index) =====")
            let certificate = try CertificateFields(derEncoded: entry.certificate)
            text.summarize(certificate)
            if let name = entry.friendlyName { text.line("Friendly Name: \(name)") }
            try text.privateKey(PrivateKeyInfo(derEncoded: entry.privateKey), of: certificate.subjectPublicKeyInfo)
        }
        for (index, der) in contents.certificates.enumerated() {
            text.line("===== Certificate \(contents.entries.count + index) =====")
            text.summarize(try CertificateFields(derEncoded: der))
            text.line("No private key")
        }
        for key in contents.keys {
            text.line("===== Private key without certificate =====")
            try text.privateKey(PrivateKeyInfo(derEncoded: key), of: nil)
        }
        return text.lines
    }

    /// What is told of a private key that was found in an encrypted content: never its bytes.
    ///
    /// - Parameter publicKey: that it should belong to, where that is known.
    package static func lines(
        of privateKey: PrivateKeyInfo, for publicKey: SubjectPublicKeyInfo?, style: DescriptionStyle = .standard
    ) throws -> [String] {
        var text = DescriptionText(style: style)
        try text.privateKey(privateKey, of: publicKey)
        return text.lines
    }
}

extension DescriptionText {
    mutating func privateKey(_ key: PrivateKeyInfo, of publicKey: SubjectPublicKeyInfo?) throws {
        let own = try key.subjectPublicKeyInfo()
        self.line(
            "Private key: \(ObjectIdentifierNames.named(key.algorithm)), \(own.keySizeBits) bits; it is not shown")
        if let publicKey {
            let fits = try key.matches(publicKey)
            self.line(fits ? "Private key matches Public Key" : "Private key does NOT match Public Key")
        }
        self.keyHashes(own)
    }
}
