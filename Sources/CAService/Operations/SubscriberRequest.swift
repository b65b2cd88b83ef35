import CertificateAuthority
package import Foundation
import KeyProvider
import PKIMessages
package import SecretMemory

/// A requester's own side: makes a key pair and the request for it; with archival a CMC full request that carries
/// the private key, encrypted to the CA exchange certificate.
package struct SubscriberRequest: Sendable {
    package enum KeyFormat: String, Sendable {
        /// PKCS #8 under AES key wrap with padding: a capable CA token never lets the plaintext out.
        case tokenWrapped = "token-wrapped"
        /// PKCS #8 under AES-256-CBC.
        case cmsAES = "cms-aes"
        /// PRIVATEKEYBLOB under triple DES, as Windows clients send it.
        case microsoft2003 = "microsoft-2003"
    }

    /// To whom the private key goes.
    package struct Archival: Sendable {
        let exchangeCertificate: CertificateFields
        let format: KeyFormat

        /// Checks that the exchange certificate is valid now, has its purpose, was signed by the key of the first
        /// certificate in `authorityPEM`, which the requester trusts, and is not revoked.
        ///
        /// - Parameter revocationListDER: the CA's current revocation list.
        /// - Throws: ``ServiceError`` with code `untrustedExchangeCertificate`.
        package init(
            exchangeCertificateDER: [UInt8], authorityPEM: [UInt8], revocationListDER: [UInt8], format: KeyFormat,
            now: Date = Date()
        ) throws {
            let exchange = try CertificateFields(derEncoded: exchangeCertificateDER)
            guard let authority = try CertificateBundle.parse(authorityPEM).first else {
                throw ServiceError.noTrustedCertificate()
            }
            guard exchange.isSigned(by: authority.subjectPublicKeyInfo), exchange.issuerDER == authority.subjectDER
            else { throw ServiceError.untrustedExchangeCertificate("it was not signed by the CA's key") }
            guard exchange.notBefore <= now, now <= exchange.notAfter else {
                throw ServiceError.untrustedExchangeCertificate("it is not valid now")
            }
            guard exchange.extendedKeyUsages.contains(OID.caExchange) else {
                throw ServiceError.untrustedExchangeCertificate("it is not a CA exchange certificate")
            }
            try Self.checkRevocation(of: exchange, authority, CertificateListFields(derEncoded: revocationListDER), now)
            self.exchangeCertificate = exchange
            self.format = format
        }

        private static func checkRevocation(
            of exchange: CertificateFields, _ authority: CertificateFields, _ list: CertificateListFields, _ now: Date
        ) throws {
            guard list.issuerDER == authority.subjectDER, list.isSigned(by: authority.subjectPublicKeyInfo) else {
                throw ServiceError.untrustedExchangeCertificate("the revocation list was not signed by the CA's key")
            }
            guard list.baseNumber == nil, list.thisUpdate <= now, now <= (list.nextUpdate ?? .distantPast) else {
                throw ServiceError.untrustedExchangeCertificate("the revocation list is not the complete, current one")
            }
            guard list.entry(serialNumber: exchange.serialNumber) == nil else {
                throw ServiceError.untrustedExchangeCertificate("it is revoked")
            }
        }
    }

    /// What was made.
    package struct Made: Sendable {
        package enum Message: Sendable {
            case pkcs10([UInt8])
            case cmc([UInt8])
        }

        package let message: Message
        let privateKey: SecretBytes

        /// The private key as PEM `ENCRYPTED PRIVATE KEY`: AES-256-CBC, PBKDF2 with HMAC-SHA-256 (RFC 8018).
        package func encryptedKeyPEM(password: SecretBytes) throws -> [UInt8] {
            try SoftwareKeys.encryptedPEM(self.privateKey, password: password)
        }
    }

    private let template: String
    private let subject: String
    private let keyBits: Int
    private let archival: Archival?

    package init(template: String, subject: String, keyBits: Int, archival: Archival?) {
        self.template = template
        self.subject = subject
        self.keyBits = keyBits
        self.archival = archival
    }

    package func make() throws -> Made {
        guard [2048, 3072, 4096].contains(self.keyBits) else {
            throw ServiceError.invalidName("The key length", "\(self.keyBits) is not 2048, 3072 or 4096")
        }
        let privateKey = try SoftwareKeys.generate(.rsa(bits: self.keyBits))
        let request = try self.certificationRequest(privateKey)
        guard let archival = self.archival else {
            return Made(message: .pkcs10(request.derBytes), privateKey: privateKey)
        }
        let sealed = try KeyArchivalMessage.sealForExchange(
            privateKey: privateKey, exchangeCertificate: archival.exchangeCertificate,
            format: archival.format.sealed, transport: .oaep(.sha1), random: { try LibCrypto.randomBytes($0) })
        let draft = try FullPKIRequest.Draft(
            certificationRequest: request, encryptedKey: sealed, templateName: self.template,
            signatureAlgorithm: .sha256WithRSA)
        let signature = try SoftwareKeys.sign(draft.bytesToSign, with: privateKey, digest: .sha256)
        return Made(message: .cmc(try draft.assemble(signature: signature)), privateKey: privateKey)
    }

    private func certificationRequest(_ privateKey: SecretBytes) throws -> CertificationRequest {
        let publicKey = try PrivateKeyInfo(derEncoded: privateKey).subjectPublicKeyInfo()
        let info = try CertificationRequest.infoBytes(
            subject: DistinguishedNameText.parse(self.subject), subjectPublicKeyInfo: publicKey,
            attributes: [PKCSAttribute.extensionRequest([ExtensionEncoding.microsoftTemplateName(self.template)])])
        let signature = try SoftwareKeys.sign(info, with: privateKey, digest: .sha256)
        return try CertificationRequest(
            derEncoded: SignedObject.assemble(tbs: info, algorithm: .sha256WithRSA, signature: signature))
    }
}

extension SubscriberRequest.KeyFormat {
    fileprivate var sealed: PrivateKeyEncryption {
        switch self {
        case .tokenWrapped: .aesKeyWrapPadded
        case .cmsAES: .aes256CBC
        case .microsoft2003: .microsoft2003
        }
    }
}
