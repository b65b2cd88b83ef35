package import SwiftASN1

/// How a SignerInfo or a KeyTransRecipientInfo names a certificate or key (RFC 5652, sections 5.3 and 6.2.1).
///
///     SignerIdentifier ::= CHOICE {
///         issuerAndSerialNumber IssuerAndSerialNumber,
///         subjectKeyIdentifier [0] SubjectKeyIdentifier }
package enum SignerIdentifier: Hashable, Sendable {
    case issuerAndSerialNumber(IssuerAndSerialNumber)
    case subjectKeyIdentifier([UInt8])

    /// True when the identifier names this certificate. A key identifier is compared with the certificate's
    /// SubjectKeyIdentifier extension only.
    package func names(_ certificate: CertificateFields) -> Bool {
        switch self {
        case .issuerAndSerialNumber(let name): name.names(certificate)
        case .subjectKeyIdentifier(let identifier): certificate.subjectKeyIdentifier == identifier
        }
    }
}

extension SignerIdentifier: DERParseable, DERSerializable {
    package init(derEncoded node: ASN1Node) throws {
        switch node.identifier {
        case .sequence:
            self = .issuerAndSerialNumber(try IssuerAndSerialNumber(derEncoded: node))
        case .contextSpecific(0):
            let identifier = try ASN1OctetString(derEncoded: node, withIdentifier: .contextSpecific(0))
            self = .subjectKeyIdentifier(Array(identifier.bytes))
        default:
            throw ASN1Error.unexpectedFieldType(node.identifier)
        }
    }

    package func serialize(into coder: inout DER.Serializer) throws {
        switch self {
        case .issuerAndSerialNumber(let name):
            try coder.serialize(name)
        case .subjectKeyIdentifier(let identifier):
            try ASN1OctetString(contentBytes: identifier[...]).serialize(
                into: &coder, withIdentifier: .contextSpecific(0))
        }
    }
}
