import PKIMessages
import SwiftASN1
import X509

extension DescriptionText {
    mutating func describe(_ enveloped: EnvelopedData, of message: ContentInfo) throws {
        self.indented(by: 2) { text in
            text.line("CMSG_ENVELOPED(3)")
            text.line(
                enveloped.version == 0
                    ? "CMSG_ENVELOPED_DATA_PKCS_1_5_VERSION(0)"
                    : "CMSG_ENVELOPED_DATA_CMS_VERSION(\(enveloped.version))")
            text.line("Content Type: \(ObjectIdentifierNames.named(enveloped.encryptedContentType))")
        }
        self.line()
        self.line("PKCS7 Message Content:")
        self.dump(enveloped.encryptedContent)
        self.line()
        self.algorithm(of: enveloped.contentEncryptionAlgorithm)
        self.line("Recipient Count: \(enveloped.recipientInfos.count)")
        for (index, recipient) in enveloped.recipientInfos.enumerated() {
            self.line()
            self.line("Recipient Info[\(index)]:")
            try self.describe(recipient)
        }
        for line in self.style.findings[message.derBytes] ?? [] { self.line(line) }
    }

    private mutating func algorithm(of algorithm: ContentEncryptionAlgorithm) {
        let (oid, vector): (ASN1ObjectIdentifier, [UInt8]?)
        switch algorithm {
        case .aes256CBC(let bytes): (oid, vector) = (OID.aes256CBC, bytes)
        case .aes192CBC(let bytes): (oid, vector) = (OID.aes192CBC, bytes)
        case .aes128CBC(let bytes): (oid, vector) = (OID.aes128CBC, bytes)
        case .desEDE3CBC(let bytes): (oid, vector) = (OID.desEDE3CBC, bytes)
        case .aes256WrapPad: (oid, vector) = (OID.aes256WrapPad, nil)
        case .other(let identifier): return self.algorithm("Content Encryption Algorithm", identifier)
        }
        self.algorithm("Content Encryption Algorithm", oid, parameters: vector.map { [0x04, UInt8($0.count)] + $0 })
    }

    private mutating func describe(_ recipient: RecipientInfo) throws {
        switch recipient {
        case .keyTransport(let transport):
            self.line("CMSG_KEY_TRANS_RECIPIENT(1)")
            switch transport.rid {
            case .issuerAndSerialNumber(let name):
                self.line("CERT_ID_ISSUER_SERIAL_NUMBER(1)")
                self.indented { $0.describe(name) }
            case .subjectKeyIdentifier(let identifier):
                self.line("CERT_ID_KEY_IDENTIFIER(2)")
                self.indented { $0.dump(identifier) }
            }
            self.algorithm("Key Encryption Algorithm", transport.keyEncryptionAlgorithm)
            self.line("Encrypted Key:")
            self.indented { $0.dump(transport.encryptedKey) }
        case .other(let der):
            let kinds: [UInt8: String] = [
                0xA1: "CMSG_KEY_AGREE_RECIPIENT(2)", 0xA2: "CMSG_MAIL_LIST_RECIPIENT(3)",
                0xA3: "Password Recipient", 0xA4: "Other Recipient",
            ]
            self.line(der.first.flatMap { kinds[$0] } ?? "Unknown Recipient")
            self.indented { $0.dump(der) }
        }
    }

    static func text(ofNameDER der: [UInt8]) -> String {
        // `try?`: a name that cannot be read is shown as bytes.
        guard let name = try? StrictDER.parse(DistinguishedName.self, der, what: "name") else {
            return self.octets(der)
        }
        return DistinguishedNameText.text(of: name)
    }
}
