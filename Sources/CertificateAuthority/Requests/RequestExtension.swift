import Diagnostics
import PKIMessages
import SwiftASN1
import X509

/// An extension that a certificate manager has set on a pending request (MS-CSRA, `SetExtension`).
package struct RequestExtension: Sendable, Equatable {
    /// In dots.
    package var oid: String
    package var isCritical: Bool
    /// The extension's value, one DER element; `nil` takes the extension out of the certificate.
    package var value: [UInt8]?

    package init(oid: String, isCritical: Bool, value: [UInt8]?) {
        self.oid = oid
        self.isCritical = isCritical
        self.value = value
    }

    /// What only the CA itself says: who issued what to which key, where its status is, and whether it is a CA.
    private static let reserved: Set<ASN1ObjectIdentifier> = [
        OID.subjectKeyIdentifier, OID.authorityKeyIdentifier, OID.basicConstraints, OID.crlDistributionPoints,
        OID.authorityInformationAccess, OID.msCAVersion, OID.msPreviousCertHash, OID.msCertificateTemplate,
        OID.msCertificateTemplateName,
    ]

    /// - Throws: ``RequestError`` with code `badExtension` (0x80070057) for an identifier that is none or belongs to the
    ///   CA, `PKIMessageError` for a value that is not DER.
    func identifier() throws -> ASN1ObjectIdentifier {
        guard let oid = ObjectIdentifierText.parse(self.oid) else {
            throw RequestError.badExtension(self.oid, "it is no object identifier")
        }
        guard !RequestExtension.reserved.contains(oid) else {
            throw RequestError.badExtension(self.oid, "only the certification authority itself sets it")
        }
        if let value { _ = try StrictDER.node(value, what: "extension \(self.oid)") }
        return oid
    }
}

extension [RequestExtension] {
    /// The extensions of a certificate with these in the place of theirs, new ones at the end.
    func applied(to extensions: [Certificate.Extension]) throws -> [Certificate.Extension] {
        var result = extensions
        for change in self {
            let oid = try change.identifier()
            let replacement = change.value.map {
                Certificate.Extension(oid: oid, critical: change.isCritical, value: $0[...])
            }
            let position = result.firstIndex { $0.oid == oid }
            switch (position, replacement) {
            case (let index?, let new?): result[index] = new
            case (let index?, nil): result.remove(at: index)
            case (nil, let new?): result.append(new)
            case (nil, nil): break
            }
        }
        return result
    }
}

extension RequestError {
    static func badExtension(_ oid: String, _ reason: String) -> RequestError {
        RequestError(
            code: Code(rawValue: "badExtension"), operation: "set extension \(oid)", reason: reason,
            hresult: .invalidParameter, facts: [Fact("extension", oid)],
            advice: ["Name an extension that a request may have, by its object identifier in dots."])
    }
}
