package import SecretMemory

/// What a requester sends for archival: its private key, encrypted to the CA's exchange certificate. The value of
/// attribute 1.3.6.1.4.1.311.21.13 (MS-WCCE, section 2.2.2.7.9).
package enum KeyArchivalMessage {
    /// Encrypts a private key to the exchange certificate. The caller has checked the certificate.
    ///
    /// - Parameters:
    ///   - privateKey: DER PrivateKeyInfo.
    ///   - random: gives as many random bytes as it is asked for.
    /// - Returns: the DER ContentInfo of an EnvelopedData.
    /// - Throws: ``PKIMessageError``, see ``EnvelopedData/sealing(privateKey:to:encryption:transport:random:)``.
    package static func sealForExchange(
        privateKey: SecretBytes, exchangeCertificate: CertificateFields, format: PrivateKeyEncryption,
        transport: TransportPadding, random: @Sendable (Int) throws -> [UInt8]
    ) throws -> [UInt8] {
        try EnvelopedData.sealing(
            privateKey: privateKey, to: [exchangeCertificate], encryption: format, transport: transport,
            random: random
        ).contentInfoDER()
    }
}
