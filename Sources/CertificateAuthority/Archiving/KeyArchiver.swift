package import Foundation

/// In which form a private key is archived. Recovery reads each for ever.
package enum ArchiveFormat: String, Sendable, Codable, CaseIterable {
    /// PKCS #8 under AES-256 key wrap with padding (RFC 5649); plaintext never left the token.
    case tokenWrapped = "token-wrapped"
    /// PKCS #8 under AES-256-CBC; any CMS tool opens it with the KRA's key.
    case cmsAES = "cms-aes"
    /// RSA PRIVATEKEYBLOB under DES-EDE3-CBC, as Windows Server 2003 stores it.
    case microsoft2003 = "microsoft-2003"
}

/// A key that arrived with a request.
package struct KeyArchivalRequest: Sendable {
    package var requesterName: String
    /// The value of attribute 1.3.6.1.4.1.311.21.13: DER ContentInfo of an EnvelopedData, hash already checked.
    package var encryptedKeyDER: [UInt8]
    /// The public key of the PKCS #10; the private key must belong to it.
    package var subjectPublicKeyInfo: [UInt8]

    package init(requesterName: String, encryptedKeyDER: [UInt8], subjectPublicKeyInfo: [UInt8]) {
        self.requesterName = requesterName
        self.encryptedKeyDER = encryptedKeyDER
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
    }
}

/// A key ready to be stored with its request.
package struct ArchivedKeyDraft: Sendable {
    package var format: ArchiveFormat
    package var envelopedDataDER: [UInt8]
    package var kraHashes: [String]
    package var evidenceJSON: String

    package init(format: ArchiveFormat, envelopedDataDER: [UInt8], kraHashes: [String], evidenceJSON: String) {
        self.format = format
        self.envelopedDataDER = envelopedDataDER
        self.kraHashes = kraHashes
        self.evidenceJSON = evidenceJSON
    }

    package func record(forRequest requestID: Int64, at date: Date) -> ArchivedKeyRecord {
        ArchivedKeyRecord(
            requestID: requestID, format: self.format, envelopedDataDER: self.envelopedDataDER,
            kraHashes: self.kraHashes, evidenceJSON: self.evidenceJSON, archivedWhen: date)
    }
}

/// Archives private keys. Declared here, because issuance asks for it; implemented by `KeyArchival`.
package protocol KeyArchiver: Sendable {
    /// Looks whether keys can be archived now, before anything else is said about a request that brings one.
    ///
    /// - Throws: a ``DiagnosableError``: `0x8009400A` when no agent is configured, `0x8009400B` when one of them is
    ///   not valid or there are too few.
    func checkReadiness() async throws

    /// Unwraps the key with the exchange key, proves that it belongs to the request's public key, and wraps it for
    /// the key recovery agents.
    ///
    /// - Throws: a ``DiagnosableError``: as ``checkReadiness()``, and the codes of MS-WCCE, section 3.2.2.6.2.1.2.2,
    ///   for a key that does not fit the request.
    func archive(_ request: KeyArchivalRequest) async throws -> ArchivedKeyDraft
}
