import Foundation
import SecretMemory
import SwiftASN1
import Testing
import X509

@testable import MessageDescription
@testable import PKIMessages

@Suite("Messages in words")
struct MessageDescriptionTests {
    /// A note as the Windows tool has it.
    private static let windows = DescriptionStyle(attributeNote: "Unknown Attribute type") { _ in "TIME" }

    private func text(_ der: [UInt8], _ style: DescriptionStyle = windows) throws -> String {
        try MessageDescription.lines(of: der, style: style).joined(separator: "\n")
    }

    @Test("An archival request is shown level by level, with the words of the white paper")
    func archivalRequest() throws {
        let request = try TestRequest()
        let pkiData = try PKIData(
            asking: request.pkcs10(), encryptedKeyHash: Digest.sha1.hash(request.encryptedKey),
            regInfo: [.init(name: "CertificateTemplate", value: "EFS")])
        let client = try StrictDER.serialize { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                try coder.serialize(1)
                for text in ["dcross-stress.contoso.com", "CONTOSO0\\avibm", "certreq"] {
                    try coder.serialize(ASN1UTF8String(text))
                }
            }
        }
        let message = try request.message(
            pkiData: pkiData, digest: .sha1,
            signedAttributes: [CMSAttribute(type: OID.msRequestClientInfo, values: [client])],
            unsignedAttributes: [request.keyAttribute])
        let text = try self.text(message)
        for part in [
            "PKCS7 Message:\n  CMSG_SIGNED(2)\n  CMSG_SIGNED_DATA_CMS_VERSION(3)\n"
                + "  Content Type: 1.3.6.1.5.5.7.12.2 CMC Data",
            "===== Begin Nesting Level 1 =====\nCMS Certificate Request:\nTagged Attributes: 2",
            "  Body Part Id: 3\n  1.3.6.1.5.5.7.7.18 CMC Reg Info\n  Value[0]:\n  CertificateTemplate=EFS",
            "Tagged Requests: 1\n  CMC_TAGGED_CERT_REQUEST_CHOICE:\n  Body Part Id: 1\n"
                + "  ===== Begin Nesting Level 2 =====\n  Element 0:\n  PKCS10 Certificate Request:",
            "  Signature matches Public Key",
            "Signer Count: 1\n\nSigner Info[0]:\nSignature matches request Public Key\n"
                + "CMSG_SIGNER_INFO_CMS_VERSION(3)\nCERT_ID_KEY_IDENTIFIER(2)\n    0000  ",
            "Hash Algorithm:\n    Algorithm ObjectID: 1.3.14.3.2.26 sha1\n    Algorithm Parameters: NULL",
            """
                Value[0][0]:
                Unknown Attribute type
                    1.3.6.1.5.5.7.12.2 CMC Data
            """,
            """
                Client Id: = 1
                XECI_XENROLL -- 1
                User: CONTOSO0\\avibm
                Machine: dcross-stress.contoso.com
                Process: certreq
            """,
            "Unauthenticated Attributes[0]:\n  1 attributes:",
            """
              Attribute[0]: 1.3.6.1.4.1.311.21.13 (Encrypted Private Key)
                Value[0][0]:
                Unknown Attribute type
                ===== Begin Nesting Level 1 =====
                PKCS7 Message:
                  CMSG_ENVELOPED(3)
                  CMSG_ENVELOPED_DATA_PKCS_1_5_VERSION(0)
                  Content Type: 1.2.840.113549.1.7.1 PKCS 7 Data

                PKCS7 Message Content:
                0000  03 03 03 03 03 03 03 03  03 03 03 03 03 03 03 03  ................
            """,
            "No Certificates\nNo CRLs",
        ] {
            #expect(text.contains(part), "missing:\n\(part)\nin:\n\(text)")
        }
        #expect(try MessageDescription.envelopes(in: message) == [request.encryptedKey])
    }

    @Test("Every extension of a user's certificate is decoded with its name")
    func certificate() throws {
        let text = try self.text(SoftwareCA().issue(key: SoftwareCA(.rsa(bits: 2048)).publicKey).derBytes)
        for part in [
            "Serial Number: 611e23c200030000000e", "Issuer:\n    CN=Test Root CA\n    O=Example\\, Inc.\n    C=DE",
            "Public Key Length: 2048 bits",
            "2.5.29.15: Flags = 1(Critical), Length = 4\n    Key Usage\n"
                + "        Key Encipherment (20)",
            "        Encrypting File System (1.3.6.1.4.1.311.10.3.4)",
            "        [1]Application Certificate Policy:\n             Policy Identifier=Encrypting File System (",
            "    Certificate Template Name\n        User",
            "        Template=1.3.6.1.4.1.311.21.8.1.2\n        Major Version Number=106\n        Minor Version Number=0",
            "             Distribution Point Name:\n                  Full Name:\n"
                + "                       URL=http://ca.example/ca.crl",
            "             Access Method=On-line Certificate Status Protocol (1.3.6.1.5.5.7.48.1)",
            "             Principal Name=user@example.com", "DNS Name=host.example", "Non-root Certificate",
        ] {
            #expect(text.contains(part), "missing:\n\(part)\nin:\n\(text)")
        }
        #expect(!text.contains("Unknown Extension") && !text.contains("Malformed"))
    }

    @Test("A root's own signature is checked, and a changed one is told")
    func root() throws {
        let certificate = try SoftwareCA().certificate.derBytes
        #expect(
            try self.text(certificate).contains(
                "Root Certificate: Subject matches Issuer\nSignature matches Public Key"))
        var changed = certificate
        changed[certificate.count - 5] ^= 1
        #expect(try self.text(changed).contains("Signature does not match Public Key"))
    }

    @Test("A request whose signature was changed is shown as such", arguments: RequestVectors.all)
    func requestSignature(pem: String) throws {
        let der = try TextEncoding.decode(pem, what: "request")
        #expect(try self.text(der).contains("\nSignature matches Public Key\n"))
        var changed = der
        changed[der.count - 5] ^= 1
        #expect(try self.text(changed).contains("\nSignature does not match Public Key\n"))
    }

    @Test("A CRL's entries and extensions are told")
    func list() throws {
        let ca = try SoftwareCA()
        var list = TBSCertList(
            signatureAlgorithm: ca.algorithm, issuerDER: ca.nameDER, thisUpdate: SoftwareCA.now,
            nextUpdate: SoftwareCA.now + SoftwareCA.day,
            entries: [
                RevokedEntry(serialNumber: [0x61, 0x1E], revocationDate: SoftwareCA.now, reason: .keyCompromise)
            ], number: 5, authorityKeyIdentifier: ca.publicKey.keyIdentifier)
        list.nextPublish = SoftwareCA.now
        list.selfURLs = ["http://ca.example/ca.crl"]
        let text = try self.text(SoftwareCA.signed(list.derEncoded(), ca.algorithm, with: ca.key), .standard)
        for part in [
            " ThisUpdate: 2026-01-01T00:00:00Z", "CRL Entries: 1\n  Serial Number: 611e", "CRL Reason Code: 1",
            "CRL Number=05", "Next CRL Publish\n        2026-01-01T00:00:00Z", "[1]Locations",
        ] {
            #expect(text.contains(part), "missing:\n\(part)\nin:\n\(text)")
        }
    }

    @Test("A full response tells its status and the hashes in it")
    func response() throws {
        let ca = try SoftwareCA()
        let certificate = try ca.issue(key: TestIdentities.user.get().publicKey)
        let draft = try FullPKIResponse.draft(
            statusInfo: .issued(bodyPartID: 1),
            issued: .init(certificateDER: certificate.derBytes, encryptedKeyHash: [UInt8](repeating: 7, count: 20)),
            certificates: [ca.certificate.derBytes, certificate.derBytes],
            signer: IssuerAndSerialNumber(ca.certificate), signatureAlgorithm: ca.algorithm)
        let message = try draft.assemble(
            signature: SoftwareKeys.sign(draft.bytesToSign, with: ca.key, digest: .sha256))
        let text = try self.text(message)
        for part in [
            "Content Type: 1.3.6.1.5.5.7.12.3 CMC Response", "CMC Status: 0 CMC_STATUS_SUCCESS",
            "Status String: Issued", "Issued Certificate Hash", "Encrypted Key Hash:\n          07 07 07",
            "Signature matches Signing Certificate Public Key", "Certificates: 2",
        ] {
            #expect(text.contains(part), "missing:\n\(part)\nin:\n\(text)")
        }
    }

    @Test("Text from a message cannot steer the terminal or forge a line")
    func controlCharacters() throws {
        let ca = try SoftwareCA(.p256, name: "CN=Evil\u{1B}[2J\u{202E}CA")
        let text = try self.text(ca.certificate.derBytes)
        #expect(text.contains("Evil\\u{1B}[2J\\u{202E}CA"))
        #expect(!text.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x202E })
    }

    @Test("An extension whose value does not follow its definition is shown as bytes, with the reason")
    func malformedExtension() throws {
        let ca = try SoftwareCA()
        let tbs = TBSCertificate(
            serialNumber: [1], signatureAlgorithm: ca.algorithm, issuerDER: ca.nameDER, notBefore: SoftwareCA.now,
            notAfter: SoftwareCA.now + 1, subjectDER: ca.nameDER, subjectPublicKeyInfo: ca.publicKey,
            extensions: [
                .init(oid: OID.msCAVersion, critical: false, value: [0x04, 0x01, 0x41]),
                .init(oid: [1, 2, 3, 4], critical: false, value: [0x04, 0x01, 0x42]),
            ])
        let text = try self.text(SoftwareCA.signed(tbs.derEncoded(), ca.algorithm, with: ca.key))
        #expect(text.contains("CA Version\n        Malformed: "))
        #expect(text.contains("        0000  04 01 41"))
        #expect(text.contains("1.2.3.4: Flags = 0, Length = 3\n    Unknown Extension type\n        0000  04 01 42"))
    }

    @Test("Messages nested without end are shown to a depth, and the rest as bytes")
    func depth() throws {
        var der = try TextEncoding.decode(RequestVectors.p256, what: "request")
        for _ in 0..<40 {
            der = try SignedData(
                version: 1, digestAlgorithms: [],
                encapContentInfo: EncapsulatedContentInfo(eContentType: OID.data, eContent: der), certificates: [],
                signerInfos: []
            ).contentInfoDER()
        }
        #expect(try self.text(der).contains("Messages are nested too deeply to be read"))
    }

    @Test("A PKCS #12 tells its certificates and which key is whose, and no key bytes")
    func pkcs12() throws {
        let user = try TestIdentities.user.get()
        let ca = try SoftwareCA()
        var password = Array("secret".utf8)
        let secret = try SecretBytes(moving: &password)
        let file = try PKCS12.make(
            [.init(privateKey: user.key.derBytes, certificate: user.certificateDER, friendlyName: "mine")],
            chain: [ca.certificate.derBytes], password: secret, protection: .modern(rounds: 2))
        #expect(MessageDescription.isPKCS12(file.exposed))
        let lines = try MessageDescription.lines(ofPKCS12: file, password: secret)
        let text = lines.joined(separator: "\n")
        for part in [
            "Certificates: 2, private keys: 1", "Friendly Name: mine", "Private key matches Public Key",
            "1024 bits; it is not shown", "No private key",
        ] { #expect(text.contains(part), "missing \(part) in\n\(text)") }
        let bytes = user.keyDER
        #expect(!text.replacing(" ", with: "").contains(Hexadecimal.lower(bytes.suffix(16))))
        var wrong = Array("wrong".utf8)
        #expect(throws: PKIMessageError.wrongPassword("")) {
            try MessageDescription.lines(ofPKCS12: file, password: SecretBytes(moving: &wrong))
        }
    }

    @Test("A private key that lies in the open is refused by name")
    func privateKey() throws {
        #expect(throws: PKIMessageError.invalidValue("", "")) { try self.text(TestIdentities.ec.get().keyDER) }
    }

    @Test("Truncated and changed messages are refused with this module's error, or shown; none ends the program")
    func damage() throws {
        let request = try TestRequest()
        let ca = try SoftwareCA()
        let messages = [
            try request.message(), try ca.issue(key: request.user.publicKey).derBytes,
            try TextEncoding.decode(RequestVectors.rsa1024SHA1, what: "request"),
            try TextEncoding.decode(RequestVectors.ed25519, what: "request"), request.encryptedKey,
            try SignedData.degenerate(certificates: [ca.certificate.derBytes]),
        ]
        for message in messages {
            Sweep.truncation(message, step: 7) { _ = try MessageDescription.lines(of: $0) }
            Sweep.byteFlips(message, step: 3) {
                _ = try MessageDescription.lines(of: $0)
                _ = try MessageDescription.envelopes(in: $0)
                return nil
            }
        }
    }

    @Test("A file with several PEM blocks has as many messages")
    func bundle() throws {
        let pem = RequestVectors.p256 + "\n" + RequestVectors.ed25519
        #expect(try TextEncoding.decodeAll(Array(pem.utf8), what: "file").count == 2)
        #expect(try TextEncoding.decodeAll(Array(RequestVectors.p256.utf8), what: "file").count == 1)
        let der = try TextEncoding.decode(RequestVectors.p256, what: "request")
        #expect(try TextEncoding.decodeAll(der, what: "file") == [der])
    }
}
