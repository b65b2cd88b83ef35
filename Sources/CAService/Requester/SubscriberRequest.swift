import CertificateAuthority
import Diagnostics
package import Foundation
import PKIMessages
import SwiftASN1

/// A requester's own side: the request for a key, in the form that its signers need; with archival a CMC full request
/// that carries the private key, encrypted to the CA exchange certificate.
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

    /// The forms of a request (protocols.md 1.5).
    package enum Form: String, Sendable, CaseIterable {
        /// Signed by the new key alone.
        case pkcs10
        /// A PKCS #10 that the old key, or an enrolment agent, has signed.
        case pkcs7
        /// A CMC full request, with any number of signers (RFC 5272).
        case cmc
    }

    /// What was made.
    package struct Message: Sendable {
        package let form: Form
        package let der: [UInt8]

        /// Of a PEM file.
        package var label: String {
            switch self.form {
            case .pkcs10: "CERTIFICATE REQUEST"
            case .pkcs7: "PKCS7"
            case .cmc: "CMC"
            }
        }
    }

    private let content: RequestContent
    private let key: any RequesterKey
    private let form: Form
    private let renewing: RequesterCredential?
    private let agent: EnrollmentAgentSignature?
    private let archival: Archival?

    /// - Parameters:
    ///   - key: that the certificate is for.
    ///   - form: `nil` for the simplest that carries all of it.
    ///   - renewing: the certificate to be renewed, whose key signs as well.
    ///   - agent: who asks for somebody else.
    /// - Throws: ``ServiceError``: `requestForm` for a form that does not carry all of it, `keyNotInMemory` for a key to
    ///   be archived that is on a token.
    package init(
        _ content: RequestContent, key: any RequesterKey, form: Form? = nil, renewing: RequesterCredential? = nil,
        agent: EnrollmentAgentSignature? = nil, archival: Archival? = nil
    ) throws {
        let signers = (renewing == nil ? 0 : 1) + (agent == nil ? 0 : 1)
        let simplest: Form =
            switch (archival != nil || agent != nil && !content.attributes.isEmpty, signers) {
            case (true, _), (_, 2): .cmc
            case (_, 1): .pkcs7
            default: .pkcs10
            }
        switch form {
        case .pkcs10? where simplest != .pkcs10:
            throw ServiceError.requestForm("a PKCS #10 has one signature, and carries no private key")
        case .pkcs7? where simplest == .cmc || signers == 0:
            throw ServiceError.requestForm("a PKCS #7 is signed by an old key or by an agent, and by nobody else")
        default: break
        }
        guard archival == nil || key is SoftwareRequesterKey else { throw ServiceError.keyNotInMemory() }
        self.content = content
        self.key = key
        self.form = form ?? simplest
        self.renewing = renewing
        self.agent = agent
        self.archival = archival
    }

    /// - Throws: what the keys throw, and `PKIMessageError`.
    package func make() async throws -> Message {
        let request = try await self.certificationRequest()
        switch self.form {
        case .pkcs10: return Message(form: .pkcs10, der: request.derBytes)
        case .pkcs7: return Message(form: .pkcs7, der: try await self.pkcs7(around: request))
        case .cmc: return Message(form: .cmc, der: try await self.fullRequest(around: request))
        }
    }

    private func certificationRequest() async throws -> CertificationRequest {
        var attributes: [PKCSAttribute] = []
        let extensions = try self.content.extensions()
        if !extensions.isEmpty { attributes.append(try .extensionRequest(extensions)) }
        if let renewing {
            attributes.append(
                PKCSAttribute(type: OID.msRenewalCertificate, values: [renewing.certificate.derBytes]))
        }
        // In a CMC message they stand in its regInfo control.
        if self.form != .cmc, !self.content.attributes.isEmpty {
            attributes.append(
                PKCSAttribute(
                    type: OID.msEnrollmentNameValuePair,
                    values: try self.content.attributes.map {
                        try StrictDER.serialize(CertificationRequest.NameValuePair(name: $0.name, value: $0.value))
                    }))
        }
        let info = try CertificationRequest.infoBytes(
            subject: self.content.subject, subjectPublicKeyInfo: self.key.subjectPublicKeyInfo, attributes: attributes)
        return try CertificationRequest(
            derEncoded: SignedObject.assemble(
                tbs: info, algorithm: self.key.algorithm, signature: await self.key.sign(info)))
    }

    private func pkcs7(around request: CertificationRequest) async throws -> [UInt8] {
        guard let renewing else { return try await self.agent?.around(request) ?? [] }
        let draft = try CosignedDataDraft(
            eContentType: OID.data, eContent: request.derBytes, signers: [renewing.signer(nil)],
            certificates: [renewing.certificate.derBytes])
        return try draft.assemble(signatures: [await renewing.key.sign(draft.bytesToSign[0])])
    }

    private func fullRequest(around request: CertificationRequest) async throws -> [UInt8] {
        let cosigners = [self.renewing, self.agent?.agent].compactMap { $0 }
        let attributes = self.content.attributes.map { RegInfo.Pair(name: $0.name, value: $0.value) }
        let draft = try FullPKIRequest.Draft(
            certificationRequest: request, encryptedKey: try self.encryptedKey(), templateName: self.content.template,
            attributes: attributes + (self.agent?.regInfo ?? []), signatureAlgorithm: self.key.algorithm,
            cosigners: cosigners.map { $0.signer() }, certificates: cosigners.map(\.certificate.derBytes))
        var signatures: [[UInt8]] = []
        for (key, bytes) in zip([self.key] + cosigners.map(\.key), draft.bytesToSign) {
            signatures.append(try await key.sign(bytes))
        }
        return try draft.assemble(signatures: signatures)
    }

    private func encryptedKey() throws -> [UInt8]? {
        guard let archival, let key = self.key as? SoftwareRequesterKey else { return nil }
        return try KeyArchivalMessage.sealForExchange(
            privateKey: key.privateKey, exchangeCertificate: archival.exchangeCertificate,
            format: archival.format.sealed, transport: .oaep(.sha1), random: { try LibCrypto.randomBytes($0) })
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

extension ServiceError {
    fileprivate static func requestForm(_ reason: String) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "requestForm"), headline: "The request was not made: \(reason).",
            hresult: .invalidParameter, advice: ["Leave --form away, or say --form cmc."])
    }

    fileprivate static func keyNotInMemory() -> ServiceError {
        ServiceError(
            code: Code(rawValue: "keyNotInMemory"),
            headline: "A key that is made on a token cannot be archived: it never leaves the token.",
            hresult: .keyNotExportable,
            advice: ["Have the key made in a PKCS #12 (--pkcs12), or choose a template without archival."])
    }
}
