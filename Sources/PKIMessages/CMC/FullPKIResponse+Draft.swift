import SwiftASN1

extension FullPKIResponse {
    /// What a response says of a certificate that it brings.
    package struct Issued: Sendable {
        package let certificateDER: [UInt8]
        /// The hash from the request when its key was archived, echoed as the requester gave it.
        package let encryptedKeyHash: [UInt8]?

        package init(certificateDER: [UInt8], encryptedKeyHash: [UInt8]?) {
            self.certificateDER = certificateDER
            self.encryptedKeyHash = encryptedKeyHash
        }
    }

    /// A response, complete but for the CA's signature.
    ///
    /// - Parameters:
    ///   - statusInfo: its `bodyList` names the request's body part.
    ///   - issued: `nil` when pending or denied.
    ///   - certificates: DER, written in the order given: the CA's chain with the root first, then the issued one.
    ///   - signer: the CA certificate whose key signs.
    package static func draft(
        statusInfo: CMCStatusInfo, issued: Issued?, certificates: [[UInt8]], signer: IssuerAndSerialNumber,
        signatureAlgorithm: SignatureAlgorithmIdentifier
    ) throws -> SignedDataDraft {
        var controls = [try TaggedAttribute(bodyPartID: 1, type: OID.cmcStatusInfo, value: statusInfo)]
        if let issued {
            let added = AddAttributes(certReferences: statusInfo.bodyList, attributes: try issued.attributes())
            controls.append(try TaggedAttribute(bodyPartID: 2, type: OID.cmcAddAttributes, value: added))
        }
        return try SignedDataDraft(
            eContentType: OID.pkiResponse, eContent: StrictDER.serialize(PKIResponse(controls: controls)),
            signer: .issuerAndSerialNumber(signer), signatureAlgorithm: signatureAlgorithm,
            certificates: certificates)
    }
}

extension FullPKIResponse.Issued {
    fileprivate func attributes() throws -> [CMSAttribute] {
        let hash = Digest.sha1.hash(self.certificateDER)
        var attributes = [
            try CMSAttribute(type: OID.msIssuedCertHash, value: ASN1OctetString(contentBytes: hash[...]))
        ]
        if let keyHash = self.encryptedKeyHash {
            attributes.append(
                try CMSAttribute(type: OID.msEncryptedKeyHash, value: ASN1OctetString(contentBytes: keyHash[...])))
        }
        return attributes
    }
}

extension CMCStatusInfo {
    /// An issued certificate.
    package static func issued(bodyPartID: UInt32) -> CMCStatusInfo {
        CMCStatusInfo(status: .success, bodyList: [bodyPartID], statusString: "Issued")
    }

    /// A request that waits for a certificate manager.
    package static func pending(bodyPartID: UInt32, pendInfo: PendInfo) -> CMCStatusInfo {
        CMCStatusInfo(
            status: .pending, bodyList: [bodyPartID], statusString: "Taken Under Submission",
            otherInfo: .pendInfo(pendInfo))
    }

    /// A request that was denied or failed.
    ///
    /// - Parameter dispositionMessage: such as "Denied by Policy Module".
    package static func failed(bodyPartID: UInt32, dispositionMessage: String) -> CMCStatusInfo {
        CMCStatusInfo(status: .failed, bodyList: [bodyPartID], statusString: dispositionMessage)
    }
}
