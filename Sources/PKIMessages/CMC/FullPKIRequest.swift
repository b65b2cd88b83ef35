import SwiftASN1
package import X509

/// A CMC full request for one certificate, with or without a private key to archive (RFC 5272, section 3.2; MS-WCCE,
/// section 3.2.2.6.2.1.2.2).
///
/// A value exists only when the message has the form that is served here: a SignedData over PKIData, exactly one
/// PKCS #10, at least one signer, and the encrypted private key, if any, in the one place where it may be. What is
/// signed is not verified by reading it: call ``verifySignatures()`` and ``verifyEncryptedKeyHash()``.
package struct FullPKIRequest: Sendable {
    /// The message exactly as received.
    package let contentInfo: ContentInfo
    package let signedData: SignedData
    package let pkiData: PKIData
    /// The octets that the signers have signed.
    private let pkiDataBytes: [UInt8]
    package let certificationRequest: CertificationRequest
    /// The number by which the response refers to the request.
    package let bodyPartID: UInt32
    /// What the 10.10.1 controls add to the attributes of the PKCS #10.
    package let addedAttributes: [CMSAttribute]
    /// What the addExtensions controls add to the requested extensions.
    package let addedExtensions: [Certificate.Extension]
    /// What the regInfo controls say, such as `CertificateTemplate`.
    package let regInfo: [RegInfo.Pair]
    /// The private key, encrypted to the exchange certificate: the ContentInfo that is the value of attribute
    /// 1.3.6.1.4.1.311.21.13 of the outermost first SignerInfo, byte for byte.
    package let encryptedKeyAttribute: [UInt8]?
    /// The requester's hash of ``encryptedKeyAttribute``, from attribute 1.3.6.1.4.1.311.21.21.
    package let encryptedKeyHash: [UInt8]?

    /// - Throws: ``PKIMessageError``: `wrongContentType` (0x80091004) when it is not a SignedData over PKIData,
    ///   `malformed` (0x8007000D) also when there is not exactly one PKCS #10, `noSigner` (0x8009200E),
    ///   `badArchivalAttribute` (0x8009400C) when the encrypted key is misplaced, and the codes of PKCS #10.
    package init(derEncoded bytes: [UInt8]) throws {
        let contentInfo = try ContentInfo(derEncoded: bytes)
        let signedData = try SignedData(contentInfo)
        guard signedData.eContentType == OID.pkiData else {
            throw PKIMessageError.wrongContentType(
                FullPKIRequest.what, expected: "\(OID.pkiData)", found: "\(signedData.eContentType)")
        }
        guard let content = signedData.eContent, signedData.encapContentInfo.isOctetString else {
            throw PKIMessageError.malformed(FullPKIRequest.what, "it has no PKIData in an OCTET STRING")
        }
        let pkiData = try StrictDER.parse(PKIData.self, content, what: "CMC PKIData")
        let (bodyPartID, requestDER) = try pkiData.onlyCertificationRequest()
        guard !signedData.signerInfos.isEmpty else { throw PKIMessageError.noSigner(FullPKIRequest.what) }

        self.contentInfo = contentInfo
        self.signedData = signedData
        self.pkiData = pkiData
        self.pkiDataBytes = content
        self.bodyPartID = bodyPartID
        self.certificationRequest = try CertificationRequest(derEncoded: requestDER)
        self.addedAttributes = try pkiData.addedAttributes(for: bodyPartID)
        self.addedExtensions = try pkiData.addedExtensions(for: bodyPartID)
        self.regInfo = try pkiData.regInfo()
        self.encryptedKeyAttribute = try signedData.onlyEncryptedKey()
        self.encryptedKeyHash = try self.addedAttributes.encryptedKeyHash()
        try self.refuseMisplacedKey()
    }

    static let what = "CMC full request"

    /// Checks that whoever made the request has the private key: the PKCS #10's own signature, then that of the first
    /// SignerInfo, both with the public key in the PKCS #10, SHA-1 included. The signer's key identifier is not
    /// compared, since clients differ in how they compute it. Further signers (renewal, registration authority) are not
    /// looked at.
    ///
    /// - Throws: ``PKIMessageError``, see ``SignerInfo/verify(content:contentType:key:acceptsSHA1:)``.
    package func verifySignatures() throws {
        try self.certificationRequest.verifyProofOfPossession()
        try self.signedData.verifySignature(
            key: self.certificationRequest.subjectPublicKeyInfo, acceptsSHA1: true)
    }

    /// Checks that the encrypted key is the one the requester has hashed. The hash stands in the signed PKIData, so
    /// that only the requester can have put it there; the key does not.
    ///
    /// The hash is over the whole ContentInfo as received, SHA-1 or a longer one, told by its length. A request
    /// without an encrypted key and without a hash passes.
    ///
    /// - Throws: ``PKIMessageError``: `badArchivalAttribute` (0x8009400C) when one is there without the other,
    ///   `hashMismatch` (0x80091007), `unsupportedAlgorithm` for a hash of no known length.
    package func verifyEncryptedKeyHash() throws {
        switch (self.encryptedKeyAttribute, self.encryptedKeyHash) {
        case (nil, nil):
            return
        case (nil, _?):
            throw PKIMessageError.badArchivalAttribute(
                FullPKIRequest.what, "it has the hash of an encrypted key and no key")
        case (_?, nil):
            throw PKIMessageError.badArchivalAttribute(FullPKIRequest.what, "it has an encrypted key and no hash of it")
        case (let key?, let hash?):
            guard let digest = Digest.allCases.first(where: { $0.byteCount == hash.count }) else {
                throw PKIMessageError.unsupportedAlgorithm("hash of an encrypted key", "\(hash.count) bytes")
            }
            guard digest.hash(key) == hash else {
                throw PKIMessageError.hashMismatch("encrypted private key of a CMC request")
            }
        }
    }

    /// The request as it is stored: without the encrypted key, which stands in an unsigned attribute, so that the
    /// signatures still verify (MS-WCCE, section 3.2.2.6.2.1.3).
    ///
    /// - Returns: the DER ContentInfo; the received bytes when there is no encrypted key.
    package func removingEncryptedKey() throws -> [UInt8] {
        guard self.encryptedKeyAttribute != nil else { return self.contentInfo.derBytes }
        let signerInfos = try self.signedData.signerInfos.map { signerInfo in
            try signerInfo.replacingUnsignedAttributes(
                signerInfo.unsignedAttributes.filter { $0.type != OID.msEncryptedKey })
        }
        return try self.signedData.replacingSignerInfos(signerInfos).contentInfoDER()
    }

    /// The encrypted key must be nowhere but where ``encryptedKeyAttribute`` comes from.
    private func refuseMisplacedKey() throws {
        let places: [(String, Bool)] = [
            ("a control", self.pkiData.controls.contains { $0.type == OID.msEncryptedKey }),
            ("the added attributes", self.addedAttributes.contains { $0.type == OID.msEncryptedKey }),
            ("the PKCS #10", self.certificationRequest.carriesEncryptedKey),
            (
                "a signed attribute",
                self.signedData.signerInfos.contains {
                    $0.signedAttributes?.contains { $0.type == OID.msEncryptedKey } ?? false
                }
            ),
            (
                "an attribute of a further signer",
                self.signedData.signerInfos.dropFirst().contains {
                    $0.unsignedAttributes.contains { $0.type == OID.msEncryptedKey }
                }
            ),
        ]
        if let (place, _) = places.first(where: { $0.1 }) {
            throw PKIMessageError.badArchivalAttribute(
                FullPKIRequest.what, "the encrypted private key stands in \(place)")
        }
    }
}

extension SignedData {
    /// The value of the unsigned attribute 21.13 of the first SignerInfo.
    fileprivate func onlyEncryptedKey() throws -> [UInt8]? {
        let found = self.signerInfos.first?.unsignedAttributes.filter { $0.type == OID.msEncryptedKey } ?? []
        guard let attribute = found.first else { return nil }
        guard found.count == 1, attribute.values.count == 1 else {
            throw PKIMessageError.badArchivalAttribute(
                FullPKIRequest.what, "it has more than one encrypted private key")
        }
        return attribute.values.first
    }
}

extension Array where Element == CMSAttribute {
    /// The content of attribute 21.21.
    fileprivate func encryptedKeyHash() throws -> [UInt8]? {
        guard let attribute = try self.single(OID.msEncryptedKeyHash, in: FullPKIRequest.what) else { return nil }
        let value = try attribute.singleValue()
        return try [UInt8](StrictDER.parse(ASN1OctetString.self, value, what: "hash of an encrypted key").bytes)
    }
}
