import Foundation
import KeyProvider
import PKIMessages
import SecretMemory
import SwiftASN1
import X509

/// Somebody with a key of their own who makes requests.
struct Requester: Sendable {
    let privateKey: SecretBytes
    let subjectPublicKeyInfo: SubjectPublicKeyInfo

    init(_ kind: SoftwareKeys.Kind = .p256) throws {
        self.privateKey = try SoftwareKeys.generate(kind)
        self.subjectPublicKeyInfo = try PrivateKeyInfo(derEncoded: self.privateKey).subjectPublicKeyInfo()
    }

    /// DER of a PKCS #10.
    func certificationRequest(
        subject: String = "CN=www.example.test", template: String? = nil, dnsNames: [String] = [],
        alternativeNames: [GeneralName] = [], extensions: [Certificate.Extension] = [],
        attributes: [PKCSAttribute] = []
    ) throws -> [UInt8] {
        var extensions = extensions
        if let template { extensions.append(try ExtensionEncoding.microsoftTemplateName(template)) }
        let names = dnsNames.map(GeneralName.dnsName) + alternativeNames
        if !names.isEmpty { extensions.append(try ExtensionEncoding.subjectAlternativeName(names)) }
        let requested = try extensions.isEmpty ? [] : [PKCSAttribute.extensionRequest(extensions)]
        let info = try CertificationRequest.infoBytes(
            subject: DistinguishedNameText.parse(subject), subjectPublicKeyInfo: self.subjectPublicKeyInfo,
            attributes: requested + attributes)
        return try SignedObject.assemble(
            tbs: info, algorithm: self.algorithm,
            signature: SoftwareKeys.sign(info, with: self.privateKey, digest: self.algorithm.digest ?? .sha256))
    }

    /// DER of a CMC full request.
    ///
    /// - Parameter encryptedKey: a ContentInfo that a fake archiver takes for an encrypted key.
    func fullRequest(
        template: String?, encryptedKey: [UInt8]? = nil, subject: String = "CN=alice",
        extensions: [Certificate.Extension] = []
    ) throws -> [UInt8] {
        let request = try CertificationRequest(
            derEncoded: self.certificationRequest(subject: subject, extensions: extensions))
        let draft = try FullPKIRequest.Draft(
            certificationRequest: request, encryptedKey: encryptedKey, templateName: template,
            signatureAlgorithm: self.algorithm)
        return try draft.assemble(signatures: draft.bytesToSign.map(self.sign))
    }

    /// As if the key were on a token.
    func keyPair(_ algorithm: KeyAlgorithm) throws -> TokenKeyPair {
        TokenKeyPair(
            locator: KeyLocator(
                reference: try KeyReference("pkcs11:token=exchange;id=%02;type=private"),
                publicKeySHA256: self.subjectPublicKeyInfo.sha256),
            subjectPublicKeyInfo: self.subjectPublicKeyInfo.derBytes, algorithm: algorithm, label: "exchange",
            attributes: KeyAttributes())
    }

    /// An EnvelopedData in form; nobody opens it here.
    static func encryptedKey() throws -> [UInt8] {
        try StrictDER.serialize { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                try coder.serialize(OID.envelopedData)
                try coder.serialize(explicitlyTaggedWithTagNumber: 0, tagClass: .contextSpecific) { coder in
                    try coder.appendConstructedNode(identifier: .sequence) { try $0.serialize(0) }
                }
            }
        }
    }
}
