import PKIMessages
import SwiftASN1

extension DescriptionText {
    mutating func describe(_ message: ContentInfo) throws {
        self.line("PKCS7 Message:")
        switch message.contentType {
        case OID.signedData: try self.describe(SignedData(message))
        case OID.envelopedData: try self.describe(EnvelopedData(message), of: message)
        default:
            self.indented(by: 2) { $0.line("Content Type: \(ObjectIdentifierNames.named(message.contentType))") }
            self.line()
            self.line("PKCS7 Message Content:")
            self.dump(message.contentDER)
        }
    }

    private mutating func describe(_ signed: SignedData) throws {
        self.indented(by: 2) { text in
            text.line("CMSG_SIGNED(2)")
            text.line(
                signed.version == 1
                    ? "CMSG_SIGNED_DATA_PKCS_1_5_VERSION(1)" : "CMSG_SIGNED_DATA_CMS_VERSION(\(signed.version))")
            text.line("Content Type: \(ObjectIdentifierNames.named(signed.eContentType))")
        }
        self.line()
        self.line("PKCS7 Message Content:")
        let key = try self.content(signed)
        self.line()
        let certificates = try signed.certificates.map { try CertificateFields(derEncoded: $0) }
        self.signers(signed, certificates, requestKey: key)
        self.certificates(certificates)
        try self.lists(signed.crls)
    }

    /// The content of a signed message.
    ///
    /// - Returns: the public key of the request that it is, which signs the message too.
    private mutating func content(_ signed: SignedData) throws -> SubjectPublicKeyInfo? {
        guard let content = signed.eContent else {
            self.line("No Content")
            return nil
        }
        switch signed.eContentType {
        case OID.pkiData:
            let data = try StrictDER.parse(PKIData.self, content, what: "CMC PKIData")
            try self.nested { try $0.describe(data) }
            return data.requestKey
        case OID.pkiResponse:
            let response = try StrictDER.parse(PKIResponse.self, content, what: "CMC PKIResponse")
            try self.nested { try $0.describe(response) }
            return nil
        default:
            // `try?`: what is no message is shown as bytes.
            guard let node = try? StrictDER.node(content, what: "content"), MessageDescription.kind(node) != nil else {
                self.dump(content)
                return nil
            }
            self.nestedMessage(content)
            return (try? CertificationRequest(derEncoded: content))?.subjectPublicKeyInfo
        }
    }

    private mutating func signers(
        _ signed: SignedData, _ certificates: [CertificateFields], requestKey: SubjectPublicKeyInfo?
    ) {
        guard !signed.signerInfos.isEmpty else { return self.line("No Signer") }
        self.line("Signer Count: \(signed.signerInfos.count)")
        for (index, signer) in signed.signerInfos.enumerated() {
            self.line()
            if let position = certificates.firstIndex(where: { signer.sid.names($0) }) {
                self.line("Signing Certificate Index: \(position)")
            }
            self.line("Signer Info[\(index)]:")
            self.verdict(on: signer, in: signed, certificates, requestKey)
            self.describe(signer, index)
        }
    }

    /// A request is signed with its own key first; everybody else signs with a certificate that should be in the message.
    private mutating func verdict(
        on signer: SignerInfo, in signed: SignedData, _ certificates: [CertificateFields],
        _ requestKey: SubjectPublicKeyInfo?
    ) {
        guard let content = signed.eContent else {
            return self.line("Signature was not checked: the content is not here")
        }
        guard signer.signatureAlgorithm.algorithm != OID.noSignature else {
            return self.line("Nobody has signed: the message has its digest in place of a signature")
        }
        func check(_ key: SubjectPublicKeyInfo) throws -> Bool {
            try signer.verify(content: content, contentType: signed.eContentType, key: key, acceptsSHA1: true)
            return true
        }
        if let certificate = certificates.first(where: { signer.sid.names($0) }) {
            return self.verdict(of: "Signing Certificate Public Key") { try check(certificate.subjectPublicKeyInfo) }
        }
        guard let requestKey else {
            return self.line("Signature was not checked: the signer's certificate is not in the message")
        }
        self.verdict(of: "request Public Key") { try check(requestKey) }
    }

    private mutating func describe(_ signer: SignerInfo, _ index: Int) {
        switch signer.sid {
        case .issuerAndSerialNumber(let name):
            self.line("CMSG_SIGNER_INFO_PKCS_1_5_VERSION(\(signer.version))")
            self.line("CERT_ID_ISSUER_SERIAL_NUMBER(1)")
            self.indented { $0.describe(name) }
        case .subjectKeyIdentifier(let identifier):
            self.line("CMSG_SIGNER_INFO_CMS_VERSION(\(signer.version))")
            self.line("CERT_ID_KEY_IDENTIFIER(2)")
            self.indented { $0.dump(identifier) }
        }
        self.algorithm("Hash Algorithm", signer.digestAlgorithm)
        self.algorithm("Encrypted Hash Algorithm", signer.signatureAlgorithm)
        self.line("Encrypted Hash:")
        self.indented { $0.dump(signer.signature) }
        self.line()
        self.line("Authenticated Attributes[\(index)]:")
        self.attributes(signer.signedAttributes ?? [])
        self.line("Unauthenticated Attributes[\(index)]:")
        self.attributes(signer.unsignedAttributes)
    }

    mutating func describe(_ name: IssuerAndSerialNumber) {
        self.line("Serial Number: \(SerialNumber.hex(name.serialNumber).lowercased())")
        self.line("Issuer: \(DescriptionText.text(ofNameDER: name.issuerDER))")
    }

    private mutating func certificates(_ certificates: [CertificateFields]) {
        guard !certificates.isEmpty else { return self.line("No Certificates") }
        self.line("Certificates: \(certificates.count)")
        for (index, certificate) in certificates.enumerated() {
            self.nested { text in
                text.line("Element \(index):")
                text.describe(certificate)
            }
        }
    }

    private mutating func lists(_ lists: [[UInt8]]) throws {
        guard !lists.isEmpty else { return self.line("No CRLs") }
        self.line("CRLs: \(lists.count)")
        for (index, list) in lists.enumerated() { self.nestedMessage(list, title: "Element \(index):") }
    }
}

extension PKIData {
    /// The public key of the only request, which signs the message.
    fileprivate var requestKey: SubjectPublicKeyInfo? {
        guard self.requests.count == 1, case .certificationRequest(_, let der) = self.requests[0] else { return nil }
        // `try?`: a request that cannot be read has said so where it is shown.
        return (try? CertificationRequest(derEncoded: der))?.subjectPublicKeyInfo
    }
}
