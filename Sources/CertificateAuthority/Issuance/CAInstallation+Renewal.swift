package import Foundation
import PKIMessages

extension CAInstallation {
    /// Renews a root: a new self-signed certificate for the same key or a new one.
    ///
    /// It has the name of the one before it, the next indices, that one's hash, and what that one says unless
    /// `settings` say something else. Intent before the signature, outcome and audit event after it.
    ///
    /// - Parameters:
    ///   - signingKey: the newest key for the same one again; a key of which there is no certificate for a new one.
    ///   - validity: from now, in seconds; as long as the one before when `nil`.
    ///   - settings: `nil` takes everything over.
    ///   - caName: what `%3` in addresses of the settings stands for.
    ///   - settling: what else is stored in the transaction of the outcome.
    /// - Throws: ``RequestError`` with code `accessDenied` without the role of administrator; ``IssuanceError`` with
    ///   code `invalidCACertificate` for a CA that is no root, or an older key; what the token throws;
    ///   ``StorageError``. A failure is recorded.
    package static func renewRoot(
        signingKey: CASigningKey, validity: TimeInterval?, settings: CACertificateSettings?, caName: String,
        clockSkew: TimeInterval = CAConfiguration.defaultClockSkew, by administrator: Principal,
        storage: any CAStorage, surroundings: Surroundings,
        settling: @escaping @Sendable (any StorageWriting) throws -> Void = { _ in }
    ) async throws -> CACertificateRecord {
        try administrator.mustBeAllowed(.manageCACertificates, to: "renew the CA certificate")
        let renewal = try await Renewal(of: storage, with: signingKey)
        guard renewal.previous.isSelfIssued else {
            throw IssuanceError.invalidCACertificate(
                "\(DistinguishedNameText.text(of: renewal.previous.subject)) is no root; its parent renews it")
        }
        let previous = renewal.previous
        let length = validity ?? previous.notAfter.timeIntervalSince(previous.notBefore) - clockSkew
        let draft = SelfSignedDraft(
            nameDER: previous.subjectDER, nameText: DistinguishedNameText.text(of: previous.subject),
            position: renewal.position,
            content: try settings?.rootExtensions(caName: caName, position: renewal.position)
                ?? CACertificateExtensions.carriedOver(from: previous),
            validity: length, clockSkew: clockSkew)
        return try await draft.sign(
            with: signingKey, by: administrator, storage: storage, surroundings: surroundings, settling: settling)
    }

    /// A request by which a subordinate CA asks its parent for the next certificate.
    ///
    /// - Parameters:
    ///   - signingKey: the newest key for the same one again; a key of which there is no certificate for a new one.
    ///   - former: the key of the certificate in place, which signs a PKCS #7 around the PKCS #10 and so shows that the CA
    ///     itself asks (protocols.md 1.7); `nil` for the PKCS #10 alone.
    ///   - settings: `nil` asks for what the certificate in place says.
    /// - Returns: DER, and the position that the certificate will have.
    /// - Throws: ``IssuanceError`` with code `invalidCACertificate`; what the token throws; ``StorageError``. Each use of
    ///   a key is in the ledger.
    package static func renewalRequest(
        signingKey: CASigningKey, signedBy former: CASigningKey? = nil, settings: CACertificateSettings?,
        storage: any CAStorage, surroundings: Surroundings
    ) async throws -> (request: [UInt8], position: CACertificatePosition) {
        let renewal = try await Renewal(of: storage, with: signingKey)
        let previous = renewal.previous
        let request = try await self.subordinateRequest(
            name: previous.subject, signingKey: signingKey, position: renewal.position,
            content: settings?.extensions() ?? CACertificateExtensions.carriedOver(from: previous),
            attributes: former == nil
                ? [] : [PKCSAttribute(type: OID.msRenewalCertificate, values: [previous.derBytes])],
            storage: storage, surroundings: surroundings)
        guard let former else { return (request, renewal.position) }
        guard former.subjectPublicKeyInfo == previous.subjectPublicKeyInfo else {
            throw IssuanceError.invalidCACertificate("it is not the certificate of the key that signs the renewal")
        }
        let draft = try CosignedDataDraft(
            eContentType: OID.data, eContent: request,
            signers: [
                .init(
                    .issuerAndSerialNumber(IssuerAndSerialNumber(previous)), algorithm: former.algorithm,
                    signedAttributes: nil)
            ],
            certificates: [previous.derBytes])
        let recorder = KeyUseRecorder(
            storage: storage, surroundings: surroundings, keyIndex: renewal.previousKeyIndex,
            purpose: "renewal request")
        let signature = try await recorder.sign(draft.bytesToSign[0], with: former)
        return (try draft.assemble(signatures: [signature]), renewal.position)
    }

    private struct Renewal {
        let previous: CertificateFields
        let previousKeyIndex: Int
        let position: CACertificatePosition

        init(of storage: any CAStorage, with key: CASigningKey) async throws {
            let records = try await storage.read { try $0.caCertificates() }
            let ownRecords = records.filter { $0.use == .own }.sorted { $0.index < $1.index }
            let own = try ownRecords.map { try CertificateFields(derEncoded: $0.certificateDER) }
            guard let newest = own.last, let newestRecord = ownRecords.last else {
                throw IssuanceError.invalidCACertificate("this instance has no certificate of its own yet")
            }
            let isNewest = newest.subjectPublicKeyInfo == key.subjectPublicKeyInfo
            guard isNewest || !own.contains(where: { $0.subjectPublicKeyInfo == key.subjectPublicKeyInfo }) else {
                throw IssuanceError.invalidCACertificate("the key was replaced by a newer one already")
            }
            self.previous = newest
            self.previousKeyIndex = newestRecord.keyIndex
            self.position = try CACertificatePosition(following: records, hasNewKey: !isNewest)
        }
    }
}
