import PKIMessages
package import SwiftASN1

/// An extension that a template can make critical, by its name in RFC 5280 or in MS-WCCE.
package enum CertificateExtensionName: String, Sendable, Codable, CaseIterable {
    case keyUsage
    case extendedKeyUsage
    case basicConstraints
    case certificatePolicies
    case applicationPolicies

    package var oid: ASN1ObjectIdentifier {
        switch self {
        case .keyUsage: OID.keyUsage
        case .extendedKeyUsage: OID.extendedKeyUsage
        case .basicConstraints: OID.basicConstraints
        case .certificatePolicies: OID.certificatePolicies
        case .applicationPolicies: OID.msApplicationPolicies
        }
    }

    /// `nil` for an extension whose criticality is not the template's to decide.
    package init?(oid: ASN1ObjectIdentifier) {
        guard let name = CertificateExtensionName.allCases.first(where: { $0.oid == oid }) else { return nil }
        self = name
    }
}
