import SwiftASN1

/// A CMC full response (RFC 5272, section 4.2; MS-WCCE, section 3.2.1.4.2.1.4.8.2).
///
/// Reading it verifies nothing: call ``verifySignature(key:)`` with the CA's key, and
/// ``verifyEncryptedKeyHash(sent:)`` with what was sent.
package struct FullPKIResponse: Sendable {
    package let signedData: SignedData
    package let pkiResponse: PKIResponse
    package let statusInfo: CMCStatusInfo
    /// SHA-1 of the issued certificate, when there is one.
    package let issuedCertificateHash: [UInt8]?
    /// The CA's echo of the hash of the encrypted key, when it has archived one.
    package let encryptedKeyHash: [UInt8]?

    static let what = "CMC full response"

    /// - Throws: ``PKIMessageError``: `wrongContentType` (0x80091004) when it is not a SignedData over PKIResponse,
    ///   `malformed`, `noSigner` (0x8009200E).
    package init(derEncoded bytes: [UInt8]) throws {
        self.signedData = try SignedData(contentInfoDER: bytes)
        guard self.signedData.eContentType == OID.pkiResponse else {
            throw PKIMessageError.wrongContentType(
                Self.what, expected: "\(OID.pkiResponse)", found: "\(self.signedData.eContentType)")
        }
        guard let content = self.signedData.eContent, self.signedData.encapContentInfo.isOctetString else {
            throw PKIMessageError.malformed(Self.what, "it has no PKIResponse in an OCTET STRING")
        }
        guard !self.signedData.signerInfos.isEmpty else { throw PKIMessageError.noSigner(Self.what) }
        self.pkiResponse = try StrictDER.parse(PKIResponse.self, content, what: "CMC PKIResponse")

        let statuses = self.pkiResponse.controls.filter { $0.type == OID.cmcStatusInfo }
        guard let status = statuses.first, statuses.count == 1 else {
            throw PKIMessageError.malformed(Self.what, "it has \(statuses.count) statuses instead of one")
        }
        self.statusInfo = try status.singleValue(as: CMCStatusInfo.self, what: "CMC status")
        let attributes = try self.pkiResponse.controls.filter { $0.type == OID.cmcAddAttributes }.flatMap {
            try $0.singleValue(as: AddAttributes.self, what: "CMC added attributes").attributes
        }
        self.issuedCertificateHash = try Self.octets(OID.msIssuedCertHash, in: attributes)
        self.encryptedKeyHash = try Self.octets(OID.msEncryptedKeyHash, in: attributes)
    }

    private static func octets(_ type: ASN1ObjectIdentifier, in attributes: [CMSAttribute]) throws -> [UInt8]? {
        guard let attribute = try attributes.single(type, in: self.what) else { return nil }
        return Array(
            try StrictDER.parse(ASN1OctetString.self, attribute.singleValue(), what: "attribute \(type)").bytes)
    }

    /// The certificate that was issued, found among the certificates by its hash; `nil` when the response names none.
    ///
    /// - Throws: ``PKIMessageError`` with `hashMismatch` when the named certificate is not in the response.
    package func issuedCertificate() throws -> [UInt8]? {
        guard let hash = self.issuedCertificateHash else { return nil }
        guard let certificate = self.signedData.certificates.first(where: { Digest.sha1.hash($0) == hash }) else {
            throw PKIMessageError.hashMismatch(Self.what, "the issued certificate is not in it")
        }
        return certificate
    }

    /// - Parameter key: that of the CA certificate which the caller trusts.
    package func verifySignature(key: SubjectPublicKeyInfo) throws {
        try self.signedData.verifySignature(key: key)
    }

    /// The requester's check that the CA has archived the key that was sent.
    ///
    /// - Parameter sent: the hash in the request, `nil` when no key was sent.
    /// - Throws: ``PKIMessageError``: `responseKeyHashNotFound` (0x80095002), `responseKeyHashUnexpected`
    ///   (0x80095003), `responseKeyHashMismatch` (0x80095004).
    package func verifyEncryptedKeyHash(sent: [UInt8]?) throws {
        switch (sent, self.encryptedKeyHash) {
        case (nil, nil): return
        case (_?, nil): throw PKIMessageError.responseKeyHashNotFound()
        case (nil, _?): throw PKIMessageError.responseKeyHashUnexpected()
        case (let sent?, let echoed?):
            guard sent == echoed else { throw PKIMessageError.responseKeyHashMismatch() }
        }
    }
}
