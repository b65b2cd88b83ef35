package import SwiftASN1

/// A certificate request in any of the forms that are served, with the signatures around it.
///
/// The forms (protocols.md 1.5 and 1.7): a PKCS #10; a PKCS #7 around one; a CMC full request; either of the last two
/// nested once in a CMC message of an enrolment agent.
package struct RequestMessage: Sendable {
    /// What holds the PKCS #10.
    package enum Form: Sendable {
        case pkcs10
        case pkcs7(PKCS7Request)
        case cmc(FullPKIRequest)
    }

    package let form: Form
    /// The message around the form; `nil` when there is none.
    package let nesting: NestingPKIRequest?
    package let certificationRequest: CertificationRequest
    /// Every signature that is not the requester's proof of possession, outermost message first.
    package let furtherSignatures: [MessageSignature]
    /// Where the requester's own signature of a CMC message is.
    private let possessionIndex: Int?

    /// More signatures than that are an attempt to keep us busy.
    package static let maximumSignatures = 8

    /// - Parameter bytes: DER.
    /// - Throws: ``PKIMessageError``, as the forms do; `malformed` also for too many signatures.
    package init(derEncoded bytes: [UInt8]) throws {
        guard try Self.isContentInfo(bytes) else {
            self.form = .pkcs10
            self.nesting = nil
            self.certificationRequest = try CertificationRequest(derEncoded: bytes)
            self.furtherSignatures = []
            self.possessionIndex = nil
            guard !self.certificationRequest.carriesEncryptedKey else { throw Self.keyOutsideCMC(OID.data) }
            return
        }
        let nesting = try NestingPKIRequest(derEncoded: bytes)
        let form = try Self.form(of: nesting?.nestedDER ?? bytes)
        self.nesting = nesting
        self.form = form
        var signatures = nesting.map { MessageSignature.all(of: $0.signedData) } ?? []
        switch form {
        case .pkcs10:
            throw PKIMessageError.malformed("nested CMS message", "it is not a CMS message")
        case .pkcs7(let request):
            let isCarrying = request.signedData.signerInfos.contains(where: \.carriesEncryptedKey)
            guard !isCarrying, !request.certificationRequest.carriesEncryptedKey else {
                throw Self.keyOutsideCMC(OID.data)
            }
            self.certificationRequest = request.certificationRequest
            self.possessionIndex = nil
            signatures += MessageSignature.all(of: request.signedData)
        case .cmc(let request):
            guard nesting == nil || request.encryptedKeyAttribute == nil else {
                throw PKIMessageError.badArchivalAttribute(
                    FullPKIRequest.what, "the encrypted private key stands in a nested message")
            }
            self.certificationRequest = request.certificationRequest
            let own = request.possessionSignerIndex
            self.possessionIndex = own
            signatures += MessageSignature.all(of: request.signedData).enumerated()
                .filter { $0.offset != own }.map(\.element)
        }
        guard signatures.count <= Self.maximumSignatures else {
            throw PKIMessageError.malformed("certificate request", "it has \(signatures.count) signatures")
        }
        self.furtherSignatures = signatures
    }

    /// A private key is archived from a CMC message only (MS-WCCE, section 3.2.1.4.2.1.4.1): elsewhere nobody would look for
    /// it, and it would be stored.
    private static func keyOutsideCMC(_ found: ASN1ObjectIdentifier) -> PKIMessageError {
        .wrongContentType("certificate request with an encrypted private key", expected: OID.pkiData, found: found)
    }

    /// The certificates that came with the message, outermost first.
    package var certificates: [[UInt8]] {
        let nested: [[UInt8]] =
            switch self.form {
            case .pkcs10: []
            case .pkcs7(let request): request.signedData.certificates
            case .cmc(let request): request.signedData.certificates
            }
        return (self.nesting?.signedData.certificates ?? []) + nested
    }

    /// The name-value pairs of the regInfo controls, outermost first.
    package var regInfo: [RegInfo.Pair] {
        guard case .cmc(let request) = self.form else { return self.nesting?.regInfo ?? [] }
        return (self.nesting?.regInfo ?? []) + request.regInfo
    }

    /// The number by which a full response refers to the request; 1 is what Windows writes for a bare PKCS #10.
    package var bodyPartID: UInt32 {
        if let nesting { return nesting.bodyPartID }
        guard case .cmc(let request) = self.form else { return 1 }
        return request.bodyPartID
    }

    /// Checks that whoever made the request has the private key: the PKCS #10's own signature, and for CMC that of the
    /// message, both with the public key in the PKCS #10.
    ///
    /// - Parameter allowsNoSignature: takes the no-signature mechanism (RFC 5272, section C.1) for that of the message.
    /// - Throws: ``PKIMessageError``, see ``SignerInfo/verify(content:contentType:key:acceptsSHA1:)``.
    package func verifyProofOfPossession(allowsNoSignature: Bool = false) throws {
        try self.certificationRequest.verifyProofOfPossession()
        guard case .cmc(let request) = self.form, let index = self.possessionIndex else { return }
        let signer = request.signedData.signerInfos[index]
        if signer.signatureAlgorithm.algorithm == OID.noSignature {
            guard allowsNoSignature else {
                throw PKIMessageError.unsupportedAlgorithm(
                    FullPKIRequest.what, "no-signature mechanism \(OID.noSignature)")
            }
            return try signer.verifyDigestOnly(
                content: request.signedData.eContent ?? [], contentType: request.signedData.eContentType)
        }
        try request.signedData.verifySignature(
            at: index, key: self.certificationRequest.subjectPublicKeyInfo, acceptsSHA1: true)
    }

    /// The message as it is stored: without the encrypted private key (MS-WCCE, section 3.2.2.6.2.1.3).
    package func storedBytes() throws -> [UInt8] {
        if let nesting { return nesting.contentInfo.derBytes }
        return switch self.form {
        case .pkcs10: self.certificationRequest.derBytes
        case .pkcs7(let request): request.contentInfo.derBytes
        case .cmc(let request): try request.removingEncryptedKey()
        }
    }

    /// Told by the first element: a ContentInfo begins with an object identifier, a PKCS #10 with a SEQUENCE.
    private static func isContentInfo(_ bytes: [UInt8]) throws -> Bool {
        try StrictDER.checkShape(bytes, identifier: 0x30, what: "certificate request") == 0x06
    }

    private static func form(of bytes: [UInt8]) throws -> Form {
        let type = try SignedData(contentInfoDER: bytes).eContentType
        return type == OID.data
            ? .pkcs7(try PKCS7Request(derEncoded: bytes)) : .cmc(try FullPKIRequest(derEncoded: bytes))
    }
}

/// One signature of a message, with what it is over.
package struct MessageSignature: Sendable {
    package let signerInfo: SignerInfo
    package let content: [UInt8]
    package let contentType: ASN1ObjectIdentifier

    static func all(of signedData: SignedData) -> [MessageSignature] {
        signedData.signerInfos.map {
            MessageSignature(
                signerInfo: $0, content: signedData.eContent ?? [], contentType: signedData.eContentType)
        }
    }

    /// - Parameter acceptsSHA1: only for the old key of a renewal, where the clients of 2003 know nothing else.
    /// - Throws: ``PKIMessageError``, see ``SignerInfo/verify(content:contentType:key:acceptsSHA1:)``.
    package func verify(key: SubjectPublicKeyInfo, acceptsSHA1: Bool = false) throws {
        try self.signerInfo.verify(
            content: self.content, contentType: self.contentType, key: key, acceptsSHA1: acceptsSHA1)
    }

    /// The name-value pairs among the signed attributes: `RequesterName` of an enrolment agent.
    package func nameValuePairs() throws -> [CertificationRequest.NameValuePair] {
        try (self.signerInfo.signedAttributes ?? []).filter { $0.type == OID.msEnrollmentNameValuePair }
            .flatMap(\.values).map {
                try StrictDER.parse(
                    CertificationRequest.NameValuePair.self, $0, what: "enrollment name-value pair")
            }
    }
}

extension FullPKIRequest {
    /// The SignerInfo that proves possession: the one that names the key of the PKCS #10, the first when none does,
    /// because clients differ in how they compute a key identifier.
    var possessionSignerIndex: Int {
        let key = self.certificationRequest.subjectPublicKeyInfo
        let names: [SignerIdentifier] = [
            .subjectKeyIdentifier(key.keyIdentifier), .subjectKeyIdentifier(Digest.sha1.hash(key.derBytes)),
        ]
        return self.signedData.signerInfos.firstIndex { names.contains($0.sid) } ?? 0
    }
}
