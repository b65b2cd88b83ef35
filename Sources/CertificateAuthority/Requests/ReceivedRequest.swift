import PKIMessages
import SwiftASN1
import X509

/// A request as parsed: everything that later steps need of it, whichever of the two messages it came in.
struct ReceivedRequest: Sendable {
    let certificationRequest: CertificationRequest
    /// The CMC message around the PKCS #10; `nil` when it came alone.
    let fullRequest: FullPKIRequest?
    /// What is stored: the message without the encrypted private key (MS-WCCE 3.2.2.6.2.1.3).
    let storedBytes: [UInt8]
    /// Asked for in the PKCS #10 or, where it is silent, by a CMC control.
    let alternativeNames: [GeneralName]
    /// 1.3.6.1.4.1.311.21.1, when a CA asks for its own certificate.
    let caVersion: Int?
    let identification: TemplateIdentification

    var type: RequestType { self.fullRequest == nil ? .pkcs10 : .cmc }

    /// The number by which a full response refers to the request; 1 is what Windows writes for a bare PKCS #10.
    var bodyPartID: UInt32 { self.fullRequest?.bodyPartID ?? 1 }

    /// - Parameters:
    ///   - bytes: DER of a PKCS #10 or of a CMC full request.
    ///   - attributes: the request attributes that came beside it.
    /// - Throws: `PKIMessageError`, ``RequestError``.
    init(derEncoded bytes: [UInt8], attributes: RequestAttributes) throws {
        switch try MessageKind(of: bytes) {
        case .certificationRequest:
            self.certificationRequest = try CertificationRequest(derEncoded: bytes)
            self.fullRequest = nil
            self.storedBytes = bytes
        case .contentInfo:
            let full = try FullPKIRequest(derEncoded: bytes)
            self.certificationRequest = full.certificationRequest
            self.fullRequest = full
            self.storedBytes = try full.removingEncryptedKey()
        }
        let requested = self.certificationRequest.requestedExtensions
        let added = self.fullRequest?.addedExtensions ?? []
        let extensions = ExtensionDecoding(requested + added)
        self.alternativeNames = try extensions.subjectAlternativeNames()
        self.caVersion = try extensions.caVersion()
        self.identification = try ReceivedRequest.identification(
            of: self.certificationRequest, extensions: [ExtensionDecoding(requested), ExtensionDecoding(added)],
            regInfo: self.fullRequest?.regInfo ?? [], attributes: attributes)
    }

    /// Verifies that the requester has the private key: the signature of the PKCS #10, and that of the CMC message.
    func verifyProofOfPossession() throws {
        if let fullRequest {
            try fullRequest.verifySignatures()
        } else {
            try self.certificationRequest.verifyProofOfPossession()
        }
    }

    /// Every place where a request can name its template (protocols.md 1.3).
    private static func identification(
        of request: CertificationRequest, extensions: [ExtensionDecoding], regInfo: [RegInfo.Pair],
        attributes: RequestAttributes
    ) throws -> TemplateIdentification {
        var found = TemplateIdentification()
        for decoding in extensions {
            if let name = try decoding.microsoftTemplateName() { found.names.append(name) }
            guard let template = try decoding.microsoftTemplate() else { continue }
            found.identifiers.append(ObjectIdentifierText.text(of: template.oid))
            if let major = template.majorVersion { found.majorVersion = max(found.majorVersion ?? 0, major) }
        }
        let attribute = RequestAttributes.canonicalName("CertificateTemplate")
        found.names += try request.nameValuePairs()
            .filter { RequestAttributes.canonicalName($0.name[...]) == attribute }.map(\.value)
        found.names += regInfo.filter { RequestAttributes.canonicalName($0.name[...]) == attribute }.map(\.value)
        found.names += attributes.values(of: attribute)
        return found
    }
}

/// Which of the two messages some DER is, told by its first element: a ContentInfo begins with an object
/// identifier, a PKCS #10 with a SEQUENCE.
enum MessageKind {
    case certificationRequest
    case contentInfo

    init(of bytes: [UInt8]) throws {
        let node = try StrictDER.node(bytes, what: "certificate request")
        guard node.identifier == .sequence, case .constructed(let children) = node.content,
            let first = children.first(where: { _ in true })
        else { throw RequestError.unsupportedMessage("it is not an ASN.1 SEQUENCE") }
        switch first.identifier {
        case .objectIdentifier: self = .contentInfo
        case .sequence: self = .certificationRequest
        default: throw RequestError.unsupportedMessage("it is neither a PKCS #10 nor a CMS message")
        }
    }
}
