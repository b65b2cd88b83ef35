import PKIMessages
import SwiftASN1
import X509

extension DescriptionText {
    mutating func describe(_ item: Certificate.Extension) {
        let length = String(item.value.count, radix: 16)
        self.line("\(item.oid): Flags = \(item.critical ? "1(Critical)" : "0"), Length = \(length)")
        let known = DescriptionText.knownExtensions[item.oid]
        self.line(known?.name ?? "Unknown Extension type")
        self.indented { text in
            guard let known else { return text.dump(Array(item.value)) }
            text.value(Array(item.value), what: known.name, known.read)
        }
        self.line()
    }

    struct KnownExtension: Sendable {
        let name: String
        let read: @Sendable (ASN1Node, inout DescriptionText) throws -> Void
    }

    private static let knownExtensions: [ASN1ObjectIdentifier: KnownExtension] = [
        OID.subjectKeyIdentifier: .init(name: "Subject Key Identifier") {
            $1.line(DescriptionText.octets(try ASN1OctetString(derEncoded: $0).bytes))
        },
        OID.authorityKeyIdentifier: .init(name: "Authority Key Identifier") { try $1.authorityKey($0) },
        OID.keyUsage: .init(name: "Key Usage") { try $1.keyUsage($0) },
        OID.extendedKeyUsage: .init(name: "Enhanced Key Usage") { node, text in
            for oid in try node.fields(1) {
                text.line(ObjectIdentifierNames.purpose(try ASN1ObjectIdentifier(derEncoded: oid)))
            }
        },
        OID.basicConstraints: .init(name: "Basic Constraints") { try $1.basicConstraints($0) },
        OID.subjectAlternativeName: .init(name: "Subject Alternative Name") { try $1.generalNames($0.fields(1)) },
        [2, 5, 29, 18]: .init(name: "Issuer Alternative Name") { try $1.generalNames($0.fields(1)) },
        OID.crlDistributionPoints: .init(name: "CRL Distribution Points") {
            try $1.distributionPoints($0, title: "CRL Distribution Point")
        },
        OID.freshestCRL: .init(name: "Freshest CRL") { try $1.distributionPoints($0, title: "Freshest CRL") },
        OID.msSelfCDP: .init(name: "Published CRL Locations") { try $1.distributionPoints($0, title: "Locations") },
        OID.issuingDistributionPoint: .init(name: "Issuing Distribution Point") { try $1.issuingPoint($0) },
        OID.authorityInformationAccess: .init(name: "Authority Information Access") {
            try $1.accessDescriptions($0, title: "Authority Info Access")
        },
        [1, 3, 6, 1, 5, 5, 7, 1, 11]: .init(name: "Subject Information Access") {
            try $1.accessDescriptions($0, title: "Subject Info Access")
        },
        OID.certificatePolicies: .init(name: "Certificate Policies") {
            try $1.policies($0, title: "Certificate Policy")
        },
        OID.msApplicationPolicies: .init(name: "Application Policies") {
            try $1.policies($0, title: "Application Certificate Policy")
        },
        OID.policyMappings: .init(name: "Policy Mappings") { try $1.policyMappings($0) },
        [1, 3, 6, 1, 4, 1, 311, 21, 11]: .init(name: "Application Policy Mappings") { try $1.policyMappings($0) },
        OID.policyConstraints: .init(name: "Policy Constraints") { try $1.policyConstraints($0) },
        [1, 3, 6, 1, 4, 1, 311, 21, 12]: .init(name: "Application Policy Constraints") { try $1.policyConstraints($0) },
        OID.inhibitAnyPolicy: .init(name: "Inhibit Any Policy") { $1.line("Skip Certs=\(try Int(derEncoded: $0))") },
        OID.nameConstraints: .init(name: "Name Constraints") { try $1.nameConstraints($0) },
        OID.crlNumber: .init(name: "CRL Number") { try $1.listNumber("CRL Number", $0) },
        OID.deltaCRLIndicator: .init(name: "Delta CRL Indicator") { try $1.listNumber("Minimum Base CRL Number", $0) },
        OID.crlReason: .init(name: "CRL Reason Code") { node, text in
            let number = try node.number()
            text.line("\(CRLReason(rawValue: number)?.name ?? "Unknown") (\(number))")
        },
        OID.invalidityDate: .init(name: "Invalidity Date") { try $1.date($0) },
        OID.expiredCertsOnCRL: .init(name: "Expired Certificates on CRL") { try $1.date($0) },
        OID.msNextPublish: .init(name: "Next CRL Publish") { try $1.date($0) },
        OID.msVirtualBase: .init(name: "Virtual Base CRL Number") { try $1.listNumber("Virtual Base CRL Number", $0) },
        OID.msCertificateTemplateName: .init(name: "Certificate Template Name") { $1.line(try $0.text()) },
        OID.msCertificateTemplate: .init(name: "Certificate Template Information") { node, text in
            let template = try MicrosoftTemplate(derEncoded: node)
            text.line("Template=\(template.oid)")
            if let major = template.majorVersion { text.line("Major Version Number=\(major)") }
            if let minor = template.minorVersion { text.line("Minor Version Number=\(minor)") }
        },
        OID.msCAVersion: .init(name: "CA Version") { node, text in
            let version = try Int(derEncoded: node)
            text.line("V\(version & 0xFFFF).\(version >> 16)")
        },
        OID.msPreviousCertHash: .init(name: "Previous CA Certificate Hash") {
            $1.line(DescriptionText.octets(try ASN1OctetString(derEncoded: $0).bytes))
        },
        OID.msCrossCertificateDistributionPoints: .init(name: "Cross-Certificate Distribution Points") {
            try $1.crossCertificatePoints($0)
        },
        [1, 2, 840, 113549, 1, 9, 15]: .init(name: "SMIME Capabilities") { try $1.capabilities($0) },
        [1, 3, 6, 1, 5, 5, 7, 48, 1, 5]: .init(name: "OCSP No Revocation Checking") { node, text in
            guard node.identifier == .null else { throw ASN1Error.unexpectedFieldType(node.identifier) }
            text.line("NULL")
        },
        [1, 3, 6, 1, 5, 5, 7, 1, 24]: .init(name: "TLS Features") { node, text in
            for feature in try node.fields(1) {
                let number = try Int(derEncoded: feature)
                text.line(number == 5 ? "status_request (5)" : number == 17 ? "status_request_v2 (17)" : "\(number)")
            }
        },
        [2, 5, 29, 16]: .init(name: "Private Key Usage Period") { node, text in
            for field in try node.fields(1) {
                let time = try EncodedTime.read(generalized: field)
                text.line("\(field.isTagged(0) ? "NotBefore" : "NotAfter"): \(text.style.time(time))")
            }
        },
        [2, 16, 840, 1, 113730, 1, 1]: .init(name: "Netscape Cert Type") { try $1.netscapeType($0) },
        [2, 16, 840, 1, 113730, 1, 13]: .init(name: "Netscape Comment") { $1.line(try $0.text()) },
    ]
}
