import SwiftASN1

extension FullPKIRequest {
    /// A CMC full request, complete but for the signatures: what a requester makes.
    ///
    /// The layout is that of Windows' own enrolment clients: request 1, added attributes 2, regInfo 3, first signer named
    /// by the SHA-1 of the public key bits, encrypted key in its unsigned attributes.
    package struct Draft: Sendable {
        private let signedData: CosignedDataDraft
        private let encryptedKey: [UInt8]?

        /// - Parameters:
        ///   - certificationRequest: the PKCS #10, signed.
        ///   - encryptedKey: the DER ContentInfo of the private key encrypted to the exchange certificate, or `nil`.
        ///   - templateName: the certificate template's name, said in regInfo.
        ///   - attributes: further pairs of regInfo, such as `RequesterName`.
        ///   - signatureAlgorithm: with which the key of the PKCS #10 signs; the encrypted key is hashed with the same
        ///     hash.
        ///   - cosigners: who signs after that key: the old one on renewal, registration authorities.
        ///   - certificates: DER of the cosigners' certificates.
        package init(
            certificationRequest: CertificationRequest, encryptedKey: [UInt8]?, templateName: String?,
            attributes: [RegInfo.Pair] = [], signatureAlgorithm: SignatureAlgorithmIdentifier,
            cosigners: [CosignedDataDraft.Signer] = [], certificates: [[UInt8]] = []
        ) throws {
            let template = templateName.map { [RegInfo.Pair(name: "CertificateTemplate", value: $0)] } ?? []
            let pkiData = try PKIData(
                asking: certificationRequest,
                encryptedKeyHash: encryptedKey.map {
                    (signatureAlgorithm.digest ?? .sha1).hash($0)
                }, regInfo: template + attributes)
            let possession = CosignedDataDraft.Signer(
                .subjectKeyIdentifier(certificationRequest.subjectPublicKeyInfo.keyIdentifier),
                algorithm: signatureAlgorithm)
            self.signedData = try CosignedDataDraft(
                eContentType: OID.pkiData, eContent: StrictDER.serialize(pkiData), signers: [possession] + cosigners,
                certificates: certificates)
            self.encryptedKey = encryptedKey
        }

        /// What the private key of the PKCS #10 signs, then what each cosigner does.
        package var bytesToSign: [[UInt8]] { self.signedData.bytesToSign }

        /// - Returns: the DER ContentInfo.
        package func assemble(signatures: [[UInt8]]) throws -> [UInt8] {
            try self.signedData.assemble(
                signatures: signatures,
                unsignedAttributes: self.encryptedKey.map { [CMSAttribute(type: OID.msEncryptedKey, values: [$0])] }
                    ?? [])
        }
    }
}

extension PKIData {
    /// The content of a message for one certificate: request 1, added attributes 2, regInfo 3.
    ///
    /// - Parameters:
    ///   - encryptedKeyHash: of the encrypted private key that goes along, or `nil`.
    ///   - regInfo: such as `CertificateTemplate` and, of an enrolment agent, `RequesterName`.
    package init(
        asking request: CertificationRequest, encryptedKeyHash: [UInt8]? = nil, regInfo: [RegInfo.Pair] = []
    ) throws {
        var controls: [TaggedAttribute] = []
        if let encryptedKeyHash {
            let attribute = try CMSAttribute(
                type: OID.msEncryptedKeyHash, value: ASN1OctetString(contentBytes: encryptedKeyHash[...]))
            controls.append(
                try TaggedAttribute(
                    bodyPartID: 2, type: OID.cmcAddAttributes,
                    value: AddAttributes(certReferences: [1], attributes: [attribute])))
        }
        if let control = try PKIData.regInfoControl(regInfo) { controls.append(control) }
        self.init(
            controls: controls, requests: [.certificationRequest(bodyPartID: 1, derBytes: request.derBytes)])
    }

    /// The content of an agent's message around somebody else's signed request.
    package init(nesting contentInfoDER: [UInt8], regInfo: [RegInfo.Pair]) throws {
        let nested = TaggedContentInfo(bodyPartID: 1, contentInfoDER: contentInfoDER)
        self.init(
            controls: try PKIData.regInfoControl(regInfo).map { [$0] } ?? [], requests: [],
            cmsSequence: [try StrictDER.serialize(nested)])
    }

    private static func regInfoControl(_ pairs: [RegInfo.Pair]) throws -> TaggedAttribute? {
        guard !pairs.isEmpty else { return nil }
        return try TaggedAttribute(
            bodyPartID: 3, type: OID.cmcRegInfo,
            value: ASN1OctetString(contentBytes: RegInfo(pairs: pairs).octets()[...]))
    }
}
