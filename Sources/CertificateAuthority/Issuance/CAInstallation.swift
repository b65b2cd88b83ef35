import Diagnostics
package import Foundation
import KeyProvider
import PKIMessages
import SwiftASN1
package import X509

/// Making a CA's own certificate, before there is a ``CertificationAuthority``.
package enum CAInstallation {
    /// The name under which a subordinate CA asks for its certificate.
    package static let subordinateTemplateName = BuiltInTemplates.subordinateCA.name

    /// Makes and stores a self-signed root certificate.
    ///
    /// Intent before the signature, outcome and audit event after it, as for every certificate.
    ///
    /// - Parameters:
    ///   - validity: from now, in seconds.
    ///   - caName: what `%3` in addresses stands for; the common name when `nil`.
    /// - Throws: ``IssuanceError``: `invalidCACertificate` when this instance has a certificate already; what the token
    ///   throws; ``StorageError``. A failure is recorded.
    package static func selfSignedRoot(
        name: DistinguishedName, signingKey: CASigningKey, validity: TimeInterval,
        settings: CACertificateSettings = CACertificateSettings(), caName: String? = nil,
        clockSkew: TimeInterval = CAConfiguration.defaultClockSkew, storage: any CAStorage, surroundings: Surroundings
    ) async throws -> CACertificateRecord {
        try await self.mustBeNew(storage)
        let draft = SelfSignedDraft(
            nameDER: try StrictDER.serialize(name), nameText: DistinguishedNameText.text(of: name), position: .first,
            content: try settings.rootExtensions(
                caName: caName ?? DistinguishedNameText.commonName(of: name) ?? "", position: .first),
            validity: validity, clockSkew: clockSkew)
        return try await draft.sign(with: signingKey, by: .service, storage: storage, surroundings: surroundings)
    }

    /// A PKCS #10 request for a subordinate CA's certificate, signed by its key on the token. Counts as a use of the key.
    ///
    /// - Returns: DER.
    package static func subordinateRequest(
        name: DistinguishedName, signingKey: CASigningKey, settings: CACertificateSettings = CACertificateSettings(),
        storage: any CAStorage, surroundings: Surroundings
    ) async throws -> [UInt8] {
        try await self.subordinateRequest(
            name: name, signingKey: signingKey, position: .first, content: settings.extensions(), storage: storage,
            surroundings: surroundings)
    }

    static func subordinateRequest(
        name: DistinguishedName, signingKey: CASigningKey, position: CACertificatePosition,
        content: [Certificate.Extension], attributes: [PKCSAttribute] = [], storage: any CAStorage,
        surroundings: Surroundings
    ) async throws -> [UInt8] {
        let all = try CACertificateExtensions.all(
            content, key: signingKey.subjectPublicKeyInfo, position: position)
        return try await self.request(
            name: name, signingKey: signingKey,
            extensions: all + [ExtensionEncoding.microsoftTemplateName(self.subordinateTemplateName)],
            attributes: attributes,
            recorder: KeyUseRecorder(
                storage: storage, surroundings: surroundings, keyIndex: position.keyIndex,
                purpose: "certificate request"))
    }

    /// A PKCS #10 request for any key on a token: a key recovery agent's, a TLS server's.
    ///
    /// - Returns: DER.
    package static func request(
        name: DistinguishedName, signingKey: CASigningKey, extensions: [Certificate.Extension]
    ) async throws -> [UInt8] {
        try await self.request(
            name: name, signingKey: signingKey, extensions: extensions, attributes: [], recorder: nil)
    }

    private static func request(
        name: DistinguishedName, signingKey: CASigningKey, extensions: [Certificate.Extension],
        attributes: [PKCSAttribute], recorder: KeyUseRecorder?
    ) async throws -> [UInt8] {
        // An empty list of extensions is not allowed (RFC 5280, section 4.1), so none is asked for then.
        let asked = try extensions.isEmpty ? [] : [PKCSAttribute.extensionRequest(extensions)]
        let info = try CertificationRequest.infoBytes(
            subject: name, subjectPublicKeyInfo: signingKey.subjectPublicKeyInfo, attributes: asked + attributes)
        let signature =
            if let recorder {
                try await recorder.sign(info, with: signingKey)
            } else {
                try await signingKey.sign(info)
            }
        return SignedObject.assemble(tbs: info, algorithm: signingKey.algorithm, signature: signature)
    }

    static func mustBeNew(_ storage: any CAStorage) async throws {
        guard try await storage.read({ try $0.caCertificates() }).allSatisfy({ $0.use != .own }) else {
            throw IssuanceError.invalidCACertificate("this instance has a certificate of its own already")
        }
    }
}
