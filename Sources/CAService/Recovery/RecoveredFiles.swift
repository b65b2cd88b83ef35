import KeyArchival
package import PKIMessages
package import SecretMemory

/// The PKCS #12 files that recovered keys are put into.
package struct RecoveredFiles: Sendable {
    package let password: SecretBytes
    package let protection: PKCS12.Protection

    package init(password: SecretBytes, protection: PKCS12.Protection = .modern) {
        self.password = password
        self.protection = protection
    }

    /// Key, certificate and chain of all of them in one PKCS #12.
    ///
    /// - Parameter furtherChain: CA certificates beside those in the blobs.
    package func pkcs12(
        _ opened: [AgentRecovery.Opened], furtherChain: [CertificateFields] = []
    ) throws -> SecretBytes {
        try PKCS12.make(
            opened.map { item in
                PKCS12.Entry(
                    privateKey: item.key.privateKey.derBytes, certificate: item.key.certificate.derBytes,
                    friendlyName: item.blob.subject)
            },
            chain: opened.flatMap { $0.key.chain.map(\.derBytes) } + furtherChain.map(\.derBytes),
            password: self.password, protection: self.protection)
    }
}

/// A password that is shown to somebody once.
package enum GeneratedPassword {
    /// Sixty-four, without those that look alike: six bits a character.
    private static let alphabet = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789+-=_%.@".utf8)
    package static let characters = 16

    /// Sixteen characters, 96 bits.
    ///
    /// - Parameter random: gives as many random bytes as it is asked for.
    package static func make(random: (Int) throws -> [UInt8] = LibCrypto.randomBytes) throws -> SecretBytes {
        var bytes = try random(self.characters)
        for index in bytes.indices { bytes[index] = self.alphabet[Int(bytes[index] & 0x3F)] }
        return try SecretBytes(moving: &bytes)
    }
}
