import CertificateAuthority
import Diagnostics
package import Foundation
package import KeyProvider
import PKIMessages
package import SecretMemory

/// The key of an old software certification authority, out of its PKCS #12, on its way onto a token. It is checked
/// whole before anything is written, is used for nothing here, and its file stays as it is.
package struct ImportedAuthorityKey: Sendable {
    /// What an operator has to know and to confirm.
    package static let warning = """
        This key existed in software. Copies of its file, and of every backup of it, can sign as this CA for ever, and \
        nobody can tell how many there are. The token protects it only from now on; renew the CA with a new key \
        (signet ca renew --new-key) as soon as you can. The file is left as it is: destroy it, and every copy of it, \
        when the CA works.
        """

    /// What an operator has to know beside it where the key is to be extractable.
    package static let extractableWarning = """
        The key stays extractable: whoever has the PIN of its token can take it out again. Write its PKCS #12 \
        (signet backup keys --pkcs12), and end this at once with signet ca forbid-extraction.
        """

    package let certificate: AdoptedCertificate
    private let key: SoftwareAuthorityKey

    /// The algorithm of the key.
    package var algorithm: KeyAlgorithm { self.key.algorithm }

    /// - Parameters:
    ///   - pkcs12: the file.
    ///   - certificate: the CA's, with those above it, where the one in the file is not meant.
    ///   - now: at which the certificate and its chain have to be valid.
    /// - Throws: `PKIMessageError`: `malformed`, `wrongPassword` (0x80070056); ``ServiceError``: `importMismatch`
    ///   (0x80094005) when key and certificate do not belong together, `importWeak` (0x80094811); `IssuanceError` with code
    ///   `invalidCACertificate` for a certificate that is no CA's or has no whole chain.
    package init(
        pkcs12: SecretBytes, password: SecretBytes, certificate given: AdoptedCertificate? = nil, now: Date = Date()
    ) throws {
        let contents = try PKCS12.openKey(pkcs12, password: password)
        let own = contents.certificate.map { AdoptedCertificate(certificate: $0, chain: contents.chain) }
        guard let certificate = given ?? own else { throw ServiceError.importWithoutCertificate() }
        let fields = try CertificateFields(derEncoded: certificate.certificate)
        self.key = try SoftwareAuthorityKey(contents.privateKey, of: fields.subjectPublicKeyInfo)
        _ = try CACertificateChain(certificate.chain).path(from: fields, at: now)
        self.certificate = certificate
    }

    /// As ``SoftwareAuthorityKey/write(to:label:isExtractable:)``.
    func write(to token: any KeyToken, label: String, isExtractable: Bool) async throws -> TokenKeyPair {
        try await self.key.write(to: token, label: label, isExtractable: isExtractable)
    }
}

/// A CA's private key that is in no token, checked, on its way onto one.
struct SoftwareAuthorityKey: Sendable {
    let algorithm: KeyAlgorithm
    private let privateKey: SecretBytes
    private let publicKey: SubjectPublicKeyInfo

    /// - Parameter privateKey: DER PrivateKeyInfo.
    /// - Throws: `PKIMessageError` with code `malformed`; ``ServiceError``: `importMismatch` (0x80094005), `importWeak`
    ///   (0x80094811).
    init(_ privateKey: SecretBytes, of publicKey: SubjectPublicKeyInfo) throws {
        let info = try PrivateKeyInfo(derEncoded: privateKey)
        guard try info.matches(publicKey) else { throw ServiceError.importMismatch() }
        let objections = try AuthorityKeyStrength.objections(to: publicKey)
        guard objections.isEmpty else { throw ServiceError.importWeak(objections) }
        guard let algorithm = KeyAlgorithm(publicKey) else {
            throw ServiceError.importWeak(["its curve is none of P-256, P-384 and P-521"])
        }
        self.privateKey = info.derBytes
        self.publicKey = publicKey
        self.algorithm = algorithm
    }

    /// Writes the key onto a token, where it is proven in a new session.
    ///
    /// - Parameter isExtractable: whether it may be wrapped again, for a PKCS #12 or another token.
    /// - Throws: ``ServiceError`` with code `importUnsupported`, what the token throws; nothing is left then.
    func write(to token: any KeyToken, label: String, isExtractable: Bool) async throws -> TokenKeyPair {
        guard !isExtractable || token.canRewrapPrivateKey(of: self.publicKey.derBytes) else {
            throw ServiceError.importNeverWrapped()
        }
        guard let token = token as? any KeyImporting else { throw ServiceError.importUnsupported() }
        return try await token.importKeyPair(
            KeyPairImport(
                specification: KeyPairSpecification(
                    algorithm: self.algorithm, role: .caSigning, label: label, certificateBytes: 0,
                    mayBeCopied: isExtractable),
                privateKey: self.privateKey, subjectPublicKeyInfo: self.publicKey.derBytes))
    }
}

extension ServiceError {
    private static func notImported(
        _ code: String, _ reason: String, _ hresult: HRESULT, _ advice: Advice
    ) -> ServiceError {
        ServiceError(
            code: Code(rawValue: code), headline: "The key was not imported: \(reason). Nothing was written.",
            hresult: hresult, advice: [advice])
    }

    fileprivate static func importWithoutCertificate() -> ServiceError {
        self.notImported(
            "importWithoutCertificate", "the PKCS #12 has no certificate for it", .propertyEmpty,
            "Name the CA's certificate with --certificate, and those above it with --chain.")
    }

    fileprivate static func importMismatch() -> ServiceError {
        self.notImported(
            "importMismatch", "the certificate is not that of the private key", .invalidCACertificate,
            "Name the certificate of this very key with --certificate.")
    }

    fileprivate static func importWeak(_ objections: [String]) -> ServiceError {
        self.notImported(
            "importWeak", objections.joined(separator: "; "), .keyLength,
            "Make a new CA with a key that is generated on the token.")
    }

    fileprivate static func importUnsupported() -> ServiceError {
        self.notImported(
            "importUnsupported", "this kind of token takes no key from outside", .notSupported,
            "Make a new CA with a key that is generated on the token.")
    }

    fileprivate static func importNeverWrapped() -> ServiceError {
        self.notImported(
            "importUnsupported", "this device wraps no private key (RFC 5649), so that an extractable one is of no use",
            .notSupported, "Import it without --extractable, and keep its file where nobody reaches it.")
    }

    package static func importNotConfirmed() -> ServiceError {
        self.notImported(
            "importNotConfirmed", "it was not confirmed", .cancelledByUser,
            "Type the CA's name when you are asked, or give --accept-software-key.")
    }
}
