package import CertificateAuthority
package import KeyProvider
package import PKIMessages
import X509

/// Enrols a key recovery agent: key on the card, request signed by the card, certificate back onto the card.
package struct AgentEnrollment: Sendable {
    private let card: any KeyToken
    private let name: String
    private let algorithm: KeyAlgorithm

    package init(card: any KeyToken, name: String, algorithm: KeyAlgorithm) {
        self.card = card
        self.name = name
        self.algorithm = algorithm
    }

    /// Generates the key and hands the request in. Unless the request is accepted, the key is removed again.
    ///
    /// - Throws: `KeyProviderError` with `0x80100028` when key and certificate do not fit on the card; nothing was
    ///   written then.
    package func enroll(
        requester: Principal, submit: (EnrollmentSubmission) async throws -> EnrollmentResult
    ) async throws -> EnrollmentResult {
        // Before the card is written to.
        try requester.mustBeAllowedToEnroll()
        let subject = try DistinguishedName { CommonName(self.name) }
        let pair = try await self.card.generateKeyPair(
            KeyPairSpecification(
                algorithm: self.algorithm, role: .keyRecoveryAgent, label: self.name,
                certificateBytes: KeyPairSpecification.expectedCertificateBytes))
        let result: EnrollmentResult
        do {
            let request = try await CAInstallation.request(
                name: subject, signingKey: CASigningKey(token: self.card, keyPair: pair), extensions: [])
            result = try await submit(
                EnrollmentSubmission(
                    requestBytes: request, attributes: "CertificateTemplate:\(BuiltInTemplates.keyRecoveryAgent.name)",
                    caller: requester, wantsFullResponse: false))
        } catch {
            throw await self.card.discarding(pair, after: error)
        }
        if result.disposition != .pending, result.disposition != .issued {
            try await self.card.removeKeyPair(pair.locator)
        }
        return result
    }

    /// Writes the certificate beside its key, after looking for the key on the card.
    package static func accept(_ certificate: CertificateFields, on card: any KeyToken) async throws -> TokenKeyPair {
        let pair = try await card.keyPair(of: certificate.subjectPublicKeyInfo)
        let present = try await card.certificates(for: pair.locator)
        if !present.contains(certificate.derBytes) {
            try await card.storeCertificate(certificate.derBytes, for: pair.locator, label: pair.label)
        }
        return pair
    }
}
