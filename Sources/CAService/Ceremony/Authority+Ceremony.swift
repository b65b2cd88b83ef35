package import CertificateAuthority
import Diagnostics
package import PKIMessages

extension Authority {
    /// Signs the transcript with the newest CA key; the use of the key is in the audit chain.
    ///
    /// - Returns: DER ContentInfo with SignedData (RFC 5652), the transcript within.
    /// - Throws: `RequestError` without the right to see the audit trail; what signing throws.
    package func signedTranscript(_ transcript: CeremonyTranscript, by who: Principal) async throws -> [UInt8] {
        try who.mustBeAllowed(.signAuditHead, to: "have the transcript of a ceremony signed")
        return try await self.authority.signedStatement(transcript.json(), purpose: "ceremony transcript")
    }
}

/// A signed transcript, read without the instance and without a token.
package struct SignedTranscript: Sendable {
    package let transcript: CeremonyTranscript
    /// Whose key signed it, by the certificate inside.
    package let signer: CertificateFields
    /// What the transcript records of that key; `nil` when it does not.
    package let signerKey: CeremonyTranscript.Key?

    /// Checks the signature.
    ///
    /// - Parameter trusted: the CA certificate that must have signed it; `nil` takes the one inside, whose fingerprint is
    ///   to be compared by another way.
    /// - Throws: ``ServiceError`` with code `unreadable`; `PKIMessageError` for a signature that does not fit.
    package init(der: [UInt8], trusted: CertificateFields?) throws {
        let message = try SignedData(contentInfoDER: der)
        guard let content = message.eContent, message.signerInfos.count == 1, let info = message.signerInfos.first
        else {
            throw ServiceError.unreadable("the transcript", "it has no content, or not exactly one signature")
        }
        let certificates = try message.certificates.map { try CertificateFields(derEncoded: $0) }
        guard let signer = certificates.first(where: { info.sid.names($0) }) else {
            throw ServiceError.unreadable("the transcript", "the signer's certificate is not in it")
        }
        if let trusted, trusted.derBytes != signer.derBytes {
            throw ServiceError.unreadable(
                "the transcript", "it is signed by \(signer.subject), whose certificate is another one")
        }
        try message.verifySignature(key: signer.subjectPublicKeyInfo)
        let transcript = try CeremonyTranscript(json: content)
        let hash = Hexadecimal.lower(Digest.sha256.hash(signer.subjectPublicKeyInfo.derBytes))
        self.transcript = transcript
        self.signer = signer
        self.signerKey = transcript.keys.first { $0.publicKeySHA256 == hash }
    }

    /// Compares the files of the transcript with those in a directory.
    ///
    /// - Returns: what is wrong, a line each.
    package func differences(in directory: String) -> [String] {
        self.transcript.files.compactMap { file in
            do {
                return try CeremonyTranscript.File(file.path, in: directory) == file
                    ? nil : "\(file.path) is another file than at the ceremony."
            } catch {
                return "\(file.path): \(ErrorReport(error).headline)"
            }
        }
    }
}
