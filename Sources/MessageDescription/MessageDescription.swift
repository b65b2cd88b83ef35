import Diagnostics
import PKIMessages
import SwiftASN1

/// Certificates, requests, responses and their relatives in words: what `certutil -dump` shows.
///
/// Every known field, extension, attribute and control is named with its identifier; what is not known is shown as bytes.
/// Signatures are checked where the key is in the message. Nothing is decrypted here: see ``envelopes(in:)``.
package enum MessageDescription {
    /// What a message is, by its form alone.
    enum Kind {
        case contentInfo, certificate, certificateList, certificationRequest, pkcs12, privateKey
    }

    /// - Parameter der: one DER message.
    /// - Returns: the lines.
    /// - Throws: ``PKIMessageError`` when the bytes are none of the messages that are known here, or not whole.
    package static func lines(of der: [UInt8], style: DescriptionStyle = .standard) throws -> [String] {
        var text = DescriptionText(style: style)
        try self.describe(der, into: &text)
        return text.lines
    }

    /// The DER ContentInfo of every EnvelopedData in a message, outermost first: the message itself, the content of a
    /// signed message, and the encrypted private key of a request.
    package static func envelopes(in der: [UInt8]) throws -> [[UInt8]] {
        try self.envelopes(in: der, level: 0)
    }

    /// True for a PKCS #12, which needs its password: see ``lines(ofPKCS12:password:style:)``.
    package static func isPKCS12(_ bytes: [UInt8]) -> Bool {
        // `try?`: what has no form is not this one. A BER file of other programs begins the same way.
        if let kind = try? self.kind(StrictDER.node(bytes, what: "message")) { return kind == .pkcs12 }
        return bytes.starts(with: [0x30, 0x80, 0x02, 0x01, 0x03])
    }

    static func describe(_ der: [UInt8], into text: inout DescriptionText) throws {
        let node = try StrictDER.node(
            der, what: "message", maximumBytes: DERLimits.maximumCertificateListBytes)
        switch self.kind(node) {
        case .contentInfo: try text.describe(ContentInfo(derEncoded: der))
        case .certificate: try text.describe(CertificateFields(derEncoded: der))
        case .certificateList: try text.describe(CertificateListFields(derEncoded: der))
        case .certificationRequest: try text.describe(CertificationRequest(derEncoded: der))
        case .pkcs12: throw PKIMessageError.invalidValue("message", "a PKCS #12 file is described with its password")
        case .privateKey: throw PKIMessageError.privateKeyInTheOpen()
        case nil:
            throw PKIMessageError.malformed(
                "message", "it is no certificate, request, CRL, CMS message or PKCS #12 file")
        }
    }

    static func kind(_ node: ASN1Node) -> Kind? {
        let fields = node.children
        guard node.identifier == .sequence, let first = fields.first else { return nil }
        if first.identifier == .objectIdentifier { return .contentInfo }
        if first.identifier == .integer {
            guard fields.count >= 3 else { return fields.count == 2 && first.octets == [3] ? .pkcs12 : nil }
            if first.octets == [3] { return .pkcs12 }
            return .privateKey
        }
        guard fields.count == 3, first.identifier == .sequence, fields[1].identifier == .sequence,
            fields[2].identifier == .bitString
        else { return nil }
        return self.signedKind(first.children)
    }

    /// A certificate, request or CRL, by what stands in its signed part.
    private static func signedKind(_ fields: [ASN1Node]) -> Kind {
        if fields.contains(where: { $0.identifier == .utcTime || $0.identifier == .generalizedTime }) {
            return .certificateList
        }
        if fields.first?.isTagged(0) == true { return .certificate }
        let sequences = fields.count { $0.identifier == .sequence }
        return sequences >= 4 ? .certificate : .certificationRequest
    }

    private static func envelopes(in der: [UInt8], level: Int) throws -> [[UInt8]] {
        guard level < DescriptionText.maximumNesting,
            try self.kind(StrictDER.node(der, what: "message")) == .contentInfo
        else { return [] }
        let message = try ContentInfo(derEncoded: der)
        switch message.contentType {
        case OID.envelopedData: return [der]
        case OID.signedData:
            let signed = try SignedData(message)
            let content = signed.eContent.map { [$0] } ?? []
            let attributes = signed.signerInfos.flatMap(\.unsignedAttributes)
                .filter { $0.type == OID.msEncryptedKey }.flatMap(\.values)
            // `try?`: a content that is no message has no envelope in it; the description says what it is.
            return (content + attributes).flatMap { (try? self.envelopes(in: $0, level: level + 1)) ?? [] }
        default: return []
        }
    }
}

extension PKIMessageError {
    /// Private keys are never shown, and one that stands in a file without protection is known to whoever reads it.
    static func privateKeyInTheOpen() -> PKIMessageError {
        PKIMessageError(
            code: .invalidValue, what: "message", reason: "it is a private key, which is never shown",
            hresult: .invalidParameter, advice: ["Keep the file where nobody else can read it, or destroy it."])
    }
}
