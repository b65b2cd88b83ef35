import Diagnostics
import Foundation
import PKIMessages
import SwiftASN1
import X509

extension CertificationAuthority {
    /// Who signed a request beside its own key, verified, and for whom it is.
    ///
    /// - Throws: ``RequestFailure`` of the step `signatureVerification`, or `policy` when somebody asks for others who may not.
    func evidence(of request: ReceivedRequest, caller: Principal) async throws -> RequestEvidence {
        var evidence = try await attempting(.signatureVerification) { try await self.verifySigners(of: request) }
        let signers = evidence
        evidence.onBehalfOf = try await attempting(.policy) {
            try await self.beneficiary(of: request, signers: signers, caller: caller)
        }
        return evidence
    }

    /// Verifies every signature of a request that is not its proof of possession: the signature itself, that the signer's
    /// certificate is from this CA (under whichever of its keys) or from a trusted one, valid now and not revoked.
    ///
    /// - Throws: ``RequestError``: `badRenewalCertificate` (0x8009400E), `signerNotFound`, and those of ``SignerPath``;
    ///   `PKIMessageError` for a signature that does not verify.
    private func verifySigners(of request: ReceivedRequest) async throws -> RequestEvidence {
        let renewed = try request.renewalCertificate.map { try CertificateFields(derEncoded: $0) }
        let signatures = request.message.furtherSignatures
        guard renewed != nil || !signatures.isEmpty else { return RequestEvidence() }
        let carried = try request.message.certificates.map { try CertificateFields(derEncoded: $0) }
        let candidates = (renewed.map { [$0] } ?? []) + carried
        var verified = RequestEvidence()
        for signature in signatures {
            let certificate = try await self.certificate(of: signature.signerInfo.sid, among: candidates)
            let isRenewal = certificate.derBytes == renewed?.derBytes
            try signature.verify(key: certificate.subjectPublicKeyInfo, acceptsSHA1: isRenewal)
            try await self.checkSigner(certificate)
            if isRenewal {
                verified.renewedCertificate = certificate
            } else {
                // A certificate without the usage may not vouch for others; an encryption certificate may renew itself.
                guard certificate.keyUsage?.digitalSignature ?? true else {
                    throw RequestError.signerUnsuitable(certificate)
                }
                verified.signers.append(try RequestSigner(certificate))
            }
        }
        if renewed != nil, verified.renewedCertificate == nil {
            throw RequestError.badRenewalCertificate("the key of the certificate to be renewed has not signed it")
        }
        return verified
    }

    /// The signer's certificate: one that came along, or one of our own that the signer only names.
    private func certificate(
        of signer: SignerIdentifier, among candidates: [CertificateFields]
    ) async throws -> CertificateFields {
        if let found = candidates.first(where: signer.names) { return found }
        if case .issuerAndSerialNumber(let name) = signer {
            let serial = PKIMessages.SerialNumber.hex(name.serialNumber)
            let record = try await self.storage.read { try $0.certificate(serialNumber: serial) }
            if let record {
                let fields = try CertificateFields(derEncoded: record.certificateDER)
                if signer.names(fields) { return fields }
            }
        }
        throw RequestError.signerNotFound()
    }

    private func checkSigner(_ certificate: CertificateFields) async throws {
        let now = self.surroundings.now()
        guard certificate.notBefore <= now, now <= certificate.notAfter else {
            throw RequestError.signerExpired(certificate)
        }
        let serial = certificate.serialHex
        let (own, record) = try await self.storage.read {
            (try $0.caCertificates(), try $0.certificate(serialNumber: serial))
        }
        let issuers = try own.filter { $0.use == .own }.map { try CertificateFields(derEncoded: $0.certificateDER) }
        let isOurs = issuers.contains {
            $0.subjectDER == certificate.issuerDER && certificate.isSigned(by: $0.subjectPublicKeyInfo)
        }
        if isOurs {
            // What our key signed and our database does not know has no status that we could vouch for.
            guard let record, record.certificateDER == certificate.derBytes else {
                throw RequestError.signerUntrusted(certificate)
            }
            guard record.revocation == nil else { throw RequestError.signerRevoked(certificate) }
            return
        }
        guard let trust = self.signerTrust else { throw RequestError.signerUntrusted(certificate) }
        try SignerPath(material: trust.material(), now: now).check(certificate)
    }

    /// Whom the certificate is for, when the request says that it is for somebody else than the caller.
    ///
    /// - Throws: ``PolicyError``: 0x8009480A without a further signature, 0x8009480B when no signer is an enrolment agent.
    private func beneficiary(
        of request: ReceivedRequest, signers: RequestEvidence, caller: Principal
    ) async throws -> Principal? {
        guard let name = try request.requesterName(), name != caller.name else { return nil }
        guard !signers.signers.isEmpty else { throw PolicyError.agentSignatureMissing(name) }
        let purpose = "\(OID.enrollmentAgent)"
        guard signers.signers.contains(where: { $0.applicationPolicies.contains(purpose) }) else {
            throw PolicyError.notAnEnrollmentAgent(name)
        }
        return try await self.principal(named: name)
    }

    /// Somebody who is not here to be authenticated, with the roles that their account has.
    func principal(named name: String) async throws -> Principal {
        let user = try await self.storage.read { try $0.user(named: name) }
        return Principal(name: user?.name ?? name, roles: user?.roles ?? [])
    }
}

extension RequestSigner {
    init(_ certificate: CertificateFields) throws {
        let extensions = ExtensionDecoding(certificate.extensions)
        let policies = try extensions.applicationPolicies()
        self.init(
            certificate: certificate,
            applicationPolicies: (policies.isEmpty ? certificate.extendedKeyUsages : policies).map { "\($0)" },
            issuancePolicies: try extensions.certificatePolicies().map { "\($0)" })
    }
}

extension OID {
    /// The application policy of an enrolment agent, 1.3.6.1.4.1.311.20.2.1 (szOID_ENROLLMENT_AGENT).
    static let enrollmentAgent: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 20, 2, 1]
}

extension PolicyError {
    static func agentSignatureMissing(_ name: String) -> PolicyError {
        PolicyError(
            code: Code(rawValue: "agentSignatureMissing"),
            reason: "it asks on behalf of \(name), and no enrolment agent has signed it", hresult: .signatureCount,
            facts: [Fact("requester", name)],
            advice: ["Sign the request with an enrolment agent's certificate, or ask in your own name."])
    }

    static func notAnEnrollmentAgent(_ name: String) -> PolicyError {
        PolicyError(
            code: Code(rawValue: "notAnEnrollmentAgent"),
            reason: "it asks on behalf of \(name), and none of its signers is an enrolment agent",
            hresult: .signatureRejected, facts: [Fact("requester", name)],
            advice: ["Sign with a certificate that has the application policy 1.3.6.1.4.1.311.20.2.1."])
    }
}
