import PKIMessages
package import SwiftASN1
package import X509

/// Extensions that a request asks for.
package struct RequestedExtensions: Sendable, Equatable {
    package var extensions: [Certificate.Extension]

    package init(_ extensions: [Certificate.Extension] = []) {
        self.extensions = extensions
    }

    package func filtered(by oids: Set<ASN1ObjectIdentifier>) -> RequestedExtensions {
        RequestedExtensions(self.extensions.filter { oids.contains($0.oid) })
    }
}

/// Which requested extensions reach a certificate (protocols.md 5.2).
package enum CarriedExtensions {
    package static let smimeCapabilities: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 15]
    /// 1.3.6.1.4.1.311.21.11 and 12.
    static let applicationPolicyMappings: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 11]
    static let applicationPolicyConstraints: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 12]

    /// What limits a CA: it can only make the certificate worth less.
    static let qualifiedSubordination: Set<ASN1ObjectIdentifier> = [
        OID.nameConstraints, OID.policyMappings, OID.policyConstraints, OID.inhibitAnyPolicy, applicationPolicyMappings,
        applicationPolicyConstraints, OID.msCrossCertificateDistributionPoints,
    ]

    /// The list of the stand-alone policy of Windows Server 2003.
    package static let standalone: Set<ASN1ObjectIdentifier> = [
        smimeCapabilities, OID.msCAVersion, OID.msPreviousCertHash, OID.keyUsage,
        OID.msCrossCertificateDistributionPoints,
        OID.msCertificateTemplateName, OID.msCertificateTemplate, OID.msApplicationPolicies, applicationPolicyMappings,
        applicationPolicyConstraints, OID.subjectAlternativeName, OID.nameConstraints, OID.certificatePolicies,
        OID.policyMappings, OID.policyConstraints, OID.extendedKeyUsage,
    ]

    static func oids(for template: CertificateTemplate) -> Set<ASN1ObjectIdentifier> {
        var oids: Set<ASN1ObjectIdentifier> = template.smimeCapabilities ? [self.smimeCapabilities] : []
        if template.certificationAuthority != nil { oids.formUnion([OID.msCAVersion, OID.msPreviousCertHash]) }
        if template.crossCertification { oids.formUnion(self.qualifiedSubordination) }
        return oids
    }
}
