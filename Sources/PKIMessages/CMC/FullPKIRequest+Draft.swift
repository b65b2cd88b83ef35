import SwiftASN1

extension FullPKIRequest {
    /// A CMC full request, complete but for the signature: what a requester makes.
    ///
    /// The layout is that of Windows' own enrolment clients: request 1, added attributes 2, regInfo 3, signer named by
    /// the SHA-1 of the public key bits, encrypted key in the unsigned attributes.
    package struct Draft: Sendable {
        private let signedData: SignedDataDraft
        private let encryptedKey: [UInt8]?

        /// - Parameters:
        ///   - certificationRequest: the PKCS #10, signed.
        ///   - encryptedKey: the DER ContentInfo of the private key encrypted to the exchange certificate, or `nil`.
        ///   - templateName: the certificate template's name, said in regInfo.
        ///   - signatureAlgorithm: with which the key of the PKCS #10 signs; the encrypted key is hashed with the same
        ///     hash.
        package init(
            certificationRequest: CertificationRequest, encryptedKey: [UInt8]?, templateName: String?,
            signatureAlgorithm: SignatureAlgorithmIdentifier
        ) throws {
            var controls: [TaggedAttribute] = []
            if let encryptedKey {
                let hash = (signatureAlgorithm.digest ?? .sha1).hash(encryptedKey)
                let attribute = try CMSAttribute(
                    type: OID.msEncryptedKeyHash, value: ASN1OctetString(contentBytes: hash[...]))
                controls.append(
                    try TaggedAttribute(
                        bodyPartID: 2, type: OID.cmcAddAttributes,
                        value: AddAttributes(certReferences: [1], attributes: [attribute])))
            }
            if let templateName {
                let regInfo = RegInfo(pairs: [.init(name: "CertificateTemplate", value: templateName)])
                controls.append(
                    try TaggedAttribute(
                        bodyPartID: 3, type: OID.cmcRegInfo,
                        value: ASN1OctetString(contentBytes: regInfo.octets()[...])))
            }
            let pkiData = PKIData(
                controls: controls,
                requests: [.certificationRequest(bodyPartID: 1, derBytes: certificationRequest.derBytes)])
            self.signedData = try SignedDataDraft(
                eContentType: OID.pkiData, eContent: StrictDER.serialize(pkiData),
                signer: .subjectKeyIdentifier(certificationRequest.subjectPublicKeyInfo.keyIdentifier),
                signatureAlgorithm: signatureAlgorithm)
            self.encryptedKey = encryptedKey
        }

        /// What the private key of the PKCS #10 signs.
        package var bytesToSign: [UInt8] { self.signedData.bytesToSign }

        /// - Returns: the DER ContentInfo.
        package func assemble(signature: [UInt8]) throws -> [UInt8] {
            try self.signedData.assemble(
                signature: signature,
                unsignedAttributes: self.encryptedKey.map { [CMSAttribute(type: OID.msEncryptedKey, values: [$0])] }
                    ?? [])
        }
    }
}
