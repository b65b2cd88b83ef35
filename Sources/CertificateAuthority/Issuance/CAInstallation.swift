import Diagnostics
package import Foundation
package import KeyProvider
import PKIMessages
import SwiftASN1
package import X509

/// Making a CA's own certificate, before there is a ``CertificationAuthority``.
package enum CAInstallation {
    /// The name under which a subordinate CA asks for its certificate.
    package static let subordinateTemplateName = BuiltInTemplates.subordinateCA.name

    private static let caKeyUsage: [KeyUsageBit] = [.digitalSignature, .keyCertSign, .cRLSign]

    /// Makes and stores a self-signed root certificate.
    ///
    /// Intent before the signature, outcome and audit event after it, as for every certificate.
    ///
    /// - Parameters:
    ///   - validity: from now, in seconds.
    ///   - pathLength: how many CA certificates may follow; `nil` for any number.
    /// - Throws: ``IssuanceError``: `invalidCACertificate` when this instance has a certificate already; what the token
    ///   throws; ``StorageError``. A failure is recorded.
    package static func selfSignedRoot(
        name: DistinguishedName, signingKey: CASigningKey, validity: TimeInterval, pathLength: Int? = nil,
        clockSkew: TimeInterval = CAConfiguration.defaultClockSkew, storage: any CAStorage, surroundings: Surroundings
    ) async throws -> CACertificateRecord {
        try await self.mustBeNew(storage)
        let now = surroundings.now()
        var row = RequestRecord(
            type: .internalRequest, rawRequest: [], attributes: "", requesterName: Principal.service.name,
            templateName: nil, subject: DistinguishedNameText.text(of: name), submittedWhen: now, disposition: .active)
        row.requestID = try await storage.write { [row] in try $0.insert(row) }
        let recorder = InstallationRecorder(storage: storage, surroundings: surroundings, row: row)
        do {
            let serial = try SerialNumberGeneration.make(
                keyIndex: 0, requestID: row.requestID, randomBytes: surroundings.randomBytes)
            let nameDER = try StrictDER.serialize(name)
            let toBeSigned = try TBSCertificate(
                serialNumber: serial, signatureAlgorithm: signingKey.algorithm, issuerDER: nameDER,
                notBefore: now.addingTimeInterval(-clockSkew).wholeSeconds,
                notAfter: now.addingTimeInterval(validity).wholeSeconds, subjectDER: nameDER,
                subjectPublicKeyInfo: signingKey.subjectPublicKeyInfo,
                extensions: self.rootExtensions(signingKey.subjectPublicKeyInfo, pathLength: pathLength)
            ).derEncoded()
            return try await recorder.sign(toBeSigned, serialNumber: serial, with: signingKey)
        } catch {
            throw try await recorder.recordFailure(error)
        }
    }

    private static func rootExtensions(
        _ key: SubjectPublicKeyInfo, pathLength: Int?
    ) throws -> [Certificate.Extension] {
        [
            try ExtensionEncoding.subjectKeyIdentifier(key.keyIdentifier),
            try ExtensionEncoding.keyUsage(KeyUsage(self.caKeyUsage)),
            try ExtensionEncoding.basicConstraints(isCA: true, pathLength: pathLength),
            try ExtensionEncoding.caVersion(0),
        ]
    }

    /// A PKCS #10 request for a subordinate CA's certificate, signed by its key on the token.
    ///
    /// - Returns: DER.
    package static func subordinateRequest(name: DistinguishedName, signingKey: CASigningKey) async throws -> [UInt8] {
        let key = signingKey.subjectPublicKeyInfo
        return try await self.request(
            name: name, signingKey: signingKey,
            extensions: self.rootExtensions(key, pathLength: nil) + [
                ExtensionEncoding.microsoftTemplateName(self.subordinateTemplateName)
            ])
    }

    /// A PKCS #10 request for any key on a token: a key recovery agent's, a TLS server's.
    ///
    /// - Returns: DER.
    package static func request(
        name: DistinguishedName, signingKey: CASigningKey, extensions: [Certificate.Extension]
    ) async throws -> [UInt8] {
        let key = try TokenPrivateKey(signingKey)
        // An empty list of extensions is not allowed (RFC 5280, section 4.1), so none is asked for then.
        let attributes: [CertificateSigningRequest.Attribute] =
            extensions.isEmpty
            ? [] : [try .init(ExtensionRequest(extensions: Certificate.Extensions(extensions)))]
        let request = try await CertificateSigningRequest(
            version: .v1, subject: name, asyncPrivateKey: Certificate.PrivateKey(key),
            attributes: CertificateSigningRequest.Attributes(attributes),
            signatureAlgorithm: key.defaultSignatureAlgorithm)
        return try StrictDER.serialize(request)
    }

    /// Installs a subordinate CA's certificate and its chain.
    ///
    /// - Parameters:
    ///   - certificate: DER.
    ///   - chain: DER of the certificates above, in any order; the certificate itself among them does no harm.
    ///   - key: the pair on the token that the certificate was requested for.
    /// - Returns: the own certificate's record; those of the chain are stored, too.
    /// - Throws: ``IssuanceError`` with code `invalidCACertificate` (0x80094005) unless the certificate is a CA's,
    ///   valid now, for this key, and its chain verifies up to a root.
    package static func install(
        certificate: [UInt8], chain: [[UInt8]], key: TokenKeyPair, storage: any CAStorage, surroundings: Surroundings
    ) async throws -> CACertificateRecord {
        try await self.mustBeNew(storage)
        let own = try CertificateFields(derEncoded: certificate)
        guard own.subjectPublicKeyInfo.derBytes == key.subjectPublicKeyInfo else {
            throw IssuanceError.invalidCACertificate("its public key is not that of the key on the token")
        }
        let above = try CACertificateChain(chain).path(from: own, at: surroundings.now())
        let record = CACertificateRecord(
            use: .own, index: 0, keyIndex: 0, certificateDER: certificate, locator: key.locator)
        let event = AuditEvent(
            .configurationChanged, when: surroundings.now(), who: Principal.service.name,
            details: [
                "Entry": "CA certificate", "Value": Hexadecimal.lower(own.sha256Thumbprint),
                "Subject": DistinguishedNameText.text(of: own.subject),
            ])
        try await storage.write { db in
            try db.insert(record)
            for (index, issuer) in above.enumerated() {
                try db.insert(
                    CACertificateRecord(
                        use: .chain, index: index + 1, keyIndex: 0, certificateDER: issuer.derBytes, locator: nil))
            }
            try db.append(event)
        }
        return record
    }

    private static func mustBeNew(_ storage: any CAStorage) async throws {
        guard try await storage.read({ try $0.caCertificates() }).allSatisfy({ $0.use != .own }) else {
            throw IssuanceError.invalidCACertificate("this instance has a certificate of its own already")
        }
    }
}
