import BackupSets
import CertificateAuthority
import Foundation
import KeyArchival
package import KeyProvider
package import PKIMessages
package import SecretMemory

/// How the key of a backup is got.
package enum BackupOpener: Sendable {
    case password(SecretBytes)
    /// Tokens of which one may have the key of a certificate that the backup is encrypted to, and such certificates where the
    /// token has none beside its key. They are closed before the instance opens its own: a module is initialised once in a
    /// process.
    case tokens([any KeyToken], certificates: [CertificateFields], close: @Sendable () async -> Void)

    /// Ends the use of the tokens.
    func close() async {
        if case .tokens(_, _, let close) = self { await close() }
    }

    /// - Throws: `BackupError` with code `notOpened` (0x80070056).
    func partKey(of set: BackupSet) async throws -> SecretBytes {
        let part = set.path(set.part.path)
        guard FilePaths.exists(part) else { throw BackupError.missing(part) }
        let header = try PartHeader(reading: part, from: SequentialFile(part).read)
        switch self {
        case .password(let password):
            return try await BackgroundThread.run { try header.partKey(password: password, part: part) }
        case .tokens(let tokens, let certificates, _):
            for token in tokens {
                guard let contentKey = try await self.contentKey(header.envelope, token, certificates) else { continue }
                return try header.partKey(contentKey: contentKey, part: part)
            }
            let names = header.envelope.recipients.map(\.rid.shortText).joined(separator: ", ")
            throw BackupError.notOpened(
                part,
                header.envelope.recipients.isEmpty
                    ? "it is encrypted to a password only" : "no token here has the key of a recipient: \(names)")
        }
    }

    /// - Returns: `nil` when no key of the token is one that the envelope names.
    private func contentKey(
        _ envelope: EnvelopedData, _ token: any KeyToken, _ certificates: [CertificateFields]
    ) async throws -> SecretBytes? {
        for pair in try await token.keyPairs() {
            // `try?`: what lies on a token beside a key may be anything.
            let stored = try await token.certificates(for: pair.locator)
                .compactMap { try? CertificateFields(derEncoded: $0) }
            let own = (stored + certificates).filter {
                $0.subjectPublicKeyInfo.sha256 == pair.locator.publicKeySHA256
            }
            for recipient in envelope.recipients where own.contains(where: { recipient.rid.names($0) }) {
                let transport = try KeyTransportAlgorithm(recipient.keyEncryption)
                return try await token.decrypt(recipient.encryptedKey, with: pair.locator, transport: transport)
            }
        }
        return nil
    }
}

extension SignerIdentifier {
    fileprivate var shortText: String {
        switch self {
        case .issuerAndSerialNumber(let name): "certificate \(Hexadecimal.upper(name.serialNumber))"
        case .subjectKeyIdentifier(let identifier): "key \(Hexadecimal.upper(identifier))"
        }
    }
}
