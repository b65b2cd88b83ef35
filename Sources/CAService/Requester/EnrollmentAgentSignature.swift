import Diagnostics
import PKIMessages
import SwiftASN1

/// The signature of an enrolment agent, or of a registration authority, for somebody else's certificate.
package struct EnrollmentAgentSignature: Sendable {
    package let agent: RequesterCredential
    /// Whom the certificate is for, as the CA names them; `nil` when the agent only vouches for a request.
    package let requesterName: String?

    package init(agent: RequesterCredential, requesterName: String?) {
        self.agent = agent
        self.requesterName = requesterName
    }

    var regInfo: [RegInfo.Pair] {
        self.requesterName.map { [RegInfo.Pair(name: EnrollmentAgentSignature.attribute, value: $0)] } ?? []
    }

    private static let attribute = "RequesterName"

    /// `RequesterName` as an attribute that the agent signs (MS-WCCE, section 3.1.1.4.3.4.1.1).
    func signedAttributes() throws -> [CMSAttribute] {
        try self.requesterName.map {
            [
                try CMSAttribute(
                    type: OID.msEnrollmentNameValuePair,
                    value: CertificationRequest.NameValuePair(name: EnrollmentAgentSignature.attribute, value: $0))
            ]
        } ?? []
    }

    /// Signs a request that somebody else has made: a PKCS #10 within a PKCS #7, a PKCS #7 or CMC message within a CMC one.
    ///
    /// - Parameter request: DER. Its own signatures are verified first, as far as its keys are in it.
    /// - Returns: the message to submit.
    /// - Throws: `PKIMessageError`; ``ServiceError`` with code `requestNotSignable` for a message that has an agent's message
    ///   around it already; what the key throws.
    package func sign(_ request: [UInt8]) async throws -> SubscriberRequest.Message {
        let message = try RequestMessage(derEncoded: request)
        try message.verifyProofOfPossession()
        guard message.nesting == nil else { throw ServiceError.requestNotSignable("an agent has signed it already") }
        if case .cmc(let full) = message.form, full.encryptedKeyAttribute != nil {
            throw ServiceError.requestNotSignable("it carries a private key, which only its outermost message may")
        }
        if case .pkcs10 = message.form {
            return SubscriberRequest.Message(form: .pkcs7, der: try await self.around(message.certificationRequest))
        }
        let draft = try CosignedDataDraft(
            eContentType: OID.pkiData,
            eContent: StrictDER.serialize(PKIData(nesting: request, regInfo: self.regInfo)),
            signers: [self.agent.signer()], certificates: [self.agent.certificate.derBytes])
        let signature = try await self.agent.key.sign(draft.bytesToSign[0])
        return SubscriberRequest.Message(form: .cmc, der: try draft.assemble(signatures: [signature]))
    }

    /// - Returns: DER of a PKCS #7 that the agent has signed.
    func around(_ request: CertificationRequest) async throws -> [UInt8] {
        let draft = try CosignedDataDraft(
            eContentType: OID.data, eContent: request.derBytes,
            signers: [self.agent.signer(self.signedAttributes())], certificates: [self.agent.certificate.derBytes])
        return try draft.assemble(signatures: [await self.agent.key.sign(draft.bytesToSign[0])])
    }
}

extension ServiceError {
    static func requestNotSignable(_ reason: String) -> ServiceError {
        ServiceError(
            code: Code(rawValue: "requestNotSignable"), headline: "The request was not signed: \(reason).",
            hresult: .invalidParameter,
            advice: ["Sign the requester's own PKCS #10, PKCS #7 or CMC message, before it is submitted."])
    }
}
