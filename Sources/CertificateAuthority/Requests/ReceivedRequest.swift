import PKIMessages
import SwiftASN1
import X509

/// A request as parsed: everything that later steps need of it, whichever form it came in. A class, because every step
/// passes it on.
final class ReceivedRequest: Sendable {
    let message: RequestMessage
    let certificationRequest: CertificationRequest
    /// The subject of the PKCS #10 as text.
    let subjectText: String
    /// The CMC message that holds the PKCS #10; `nil` when it came alone or in a PKCS #7.
    let fullRequest: FullPKIRequest?
    /// What is stored: the message without the encrypted private key (MS-WCCE 3.2.2.6.2.1.3).
    let storedBytes: [UInt8]
    /// Asked for in the PKCS #10 or, where it is silent, by a CMC control.
    let alternativeNames: [GeneralName]
    let identification: TemplateIdentification
    /// DER of the certificate to be renewed, attribute 1.3.6.1.4.1.311.13.1.
    let renewalCertificate: [UInt8]?
    private let attributes: RequestAttributes

    var type: RequestType {
        if self.message.nesting != nil { return .cmc }
        return switch self.message.form {
        case .pkcs10: .pkcs10
        case .pkcs7: .renewal
        case .cmc: .cmc
        }
    }

    /// - Parameters:
    ///   - bytes: DER of a request in one of the forms of `RequestMessage`.
    ///   - attributes: the request attributes that came beside it.
    /// - Throws: `PKIMessageError`, ``RequestError``.
    init(derEncoded bytes: [UInt8], attributes: RequestAttributes) throws {
        let message = try RequestMessage(derEncoded: bytes)
        let full: FullPKIRequest? = if case .cmc(let request) = message.form { request } else { nil }
        self.message = message
        self.certificationRequest = message.certificationRequest
        self.subjectText = DistinguishedNameText.text(of: message.certificationRequest.subject)
        self.fullRequest = full
        self.storedBytes = try message.storedBytes()
        self.attributes = attributes
        let requested = self.certificationRequest.requestedExtensions
        let added = full?.addedExtensions ?? []
        let decoding = ExtensionDecoding(requested + added)
        self.alternativeNames = try decoding.subjectAlternativeNames()
        self.identification = try ReceivedRequest.identification(
            of: self.certificationRequest, extensions: [ExtensionDecoding(requested), ExtensionDecoding(added)],
            regInfo: message.regInfo, attributes: attributes)
        self.renewalCertificate = try ReceivedRequest.renewalCertificate(of: message, full: full)
        if case .pkcs7 = message.form, self.renewalCertificate == nil, try self.requesterName() == nil {
            throw RequestError.badRenewalCertificate("it has no certificate to be renewed")
        }
    }

    /// Verifies that the requester has the private key: the signature of the PKCS #10, and that of the CMC message.
    func verifyProofOfPossession(allowsNoSignature: Bool) throws {
        try self.message.verifyProofOfPossession(allowsNoSignature: allowsNoSignature)
    }

    /// Whom the request is for, by `RequesterName`: in a regInfo control, an agent's signed attributes, the PKCS #10 or the
    /// request attributes (protocols.md 1.3).
    ///
    /// - Throws: ``RequestError`` with code `ambiguousRequester` when two of them differ.
    func requesterName() throws -> String? {
        let name = RequestAttributes.canonicalName("RequesterName")
        let pairs =
            try self.message.furtherSignatures.flatMap { try $0.nameValuePairs() }
            + self.certificationRequest.nameValuePairs()
        let found =
            self.message.regInfo.filter { RequestAttributes.canonicalName($0.name[...]) == name }.map(\.value)
            + pairs.filter { RequestAttributes.canonicalName($0.name[...]) == name }.map(\.value)
            + self.attributes.values(of: name)
        let names = Set(found)
        guard names.count <= 1 else { throw RequestError.ambiguousRequester(names.sorted()) }
        return names.first.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func renewalCertificate(of message: RequestMessage, full: FullPKIRequest?) throws -> [UInt8]? {
        if let own = try message.certificationRequest.renewalCertificate() { return own }
        let added = (full?.addedAttributes ?? []).filter { $0.type == OID.msRenewalCertificate }.flatMap(\.values)
        guard added.count <= 1 else {
            throw RequestError.badRenewalCertificate("it has \(added.count) certificates to be renewed")
        }
        return added.first
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
