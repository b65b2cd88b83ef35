import Foundation
package import PKIMessages
package import SwiftASN1
package import X509

/// What a CA's own certificate says besides its name, key and place in the line of renewals: the content of
/// `CAPolicy.inf`, applied when the CA is made and when it is renewed, and the limits of a CA that is certified by
/// another one (qualified subordination).
package struct CACertificateSettings: Sendable, Equatable {
    /// A list of an extension, and whether the extension is critical.
    package struct Marked<Value: Sendable & Equatable>: Sendable, Equatable {
        package var values: [Value]
        package var critical: Bool

        package init(_ values: [Value], critical: Bool = false) {
            self.values = values
            self.critical = critical
        }
    }

    /// How many CA certificates may follow below; `nil` for any number.
    package var pathLength: Int?
    package var basicConstraintsCritical = true
    package var policies = Marked<PolicyStatement>([])
    /// In a self-signed certificate only: in any other one the issuer says where its CRL is. Tokens are filled in.
    package var crlURLs = Marked<String>([])
    package var caIssuerURLs = Marked<String>([])
    package var extendedKeyUsages = Marked<ASN1ObjectIdentifier>([])
    package var nameConstraints = NameConstraintSubtrees()
    package var nameConstraintsCritical = true
    package var policyMappings = Marked<PolicyMapping>([], critical: true)
    package var policyConstraints = PolicyConstraints()
    package var policyConstraintsCritical = true
    package var inhibitAnyPolicy: Int?
    package var crossCertificateURLs = Marked<String>([])
    /// Seconds between two look-ups of ``crossCertificateURLs``.
    package var crossCertificateInterval: Int?

    package init(pathLength: Int? = nil) {
        self.pathLength = pathLength
    }

    private static let keyUsage: [KeyUsageBit] = [.digitalSignature, .keyCertSign, .cRLSign]

    /// Everything but identifiers, version and what the issuer of another certificate sets.
    ///
    /// - Throws: `PKIMessageError` with code `invalidValue`.
    package func extensions() throws -> [Certificate.Extension] {
        [
            try ExtensionEncoding.keyUsage(KeyUsage(CACertificateSettings.keyUsage)),
            try ExtensionEncoding.basicConstraints(
                isCA: true, pathLength: self.pathLength, critical: self.basicConstraintsCritical),
        ] + (try self.limits())
    }

    /// The same with where a root's own CRL and certificate are.
    func rootExtensions(caName: String, position: CACertificatePosition) throws -> [Certificate.Extension] {
        func expanded(_ urls: [String]) throws -> [String] {
            try urls.map {
                try PublicationURL.expand(
                    $0, caName: caName, certificateIndex: position.index, keyIndex: position.keyIndex)
            }
        }
        var extensions = try self.extensions()
        if !self.crlURLs.values.isEmpty {
            var found = try ExtensionEncoding.crlDistributionPoints(expanded(self.crlURLs.values))
            found.critical = self.crlURLs.critical
            extensions.append(found)
        }
        if !self.caIssuerURLs.values.isEmpty {
            var found = try ExtensionEncoding.authorityInformationAccess(
                caIssuers: expanded(self.caIssuerURLs.values), ocsp: [])
            found.critical = self.caIssuerURLs.critical
            extensions.append(found)
        }
        return extensions
    }

    /// What limits a CA besides its path length.
    package func limits() throws -> [Certificate.Extension] {
        var extensions: [Certificate.Extension] = []
        if !self.policies.values.isEmpty {
            extensions.append(
                try ExtensionEncoding.certificatePolicies(self.policies.values, critical: self.policies.critical))
        }
        if !self.extendedKeyUsages.values.isEmpty {
            extensions.append(
                try ExtensionEncoding.extendedKeyUsage(
                    self.extendedKeyUsages.values, critical: self.extendedKeyUsages.critical))
        }
        if !self.nameConstraints.isEmpty {
            extensions.append(
                try ExtensionEncoding.nameConstraints(self.nameConstraints, critical: self.nameConstraintsCritical))
        }
        if !self.policyMappings.values.isEmpty {
            extensions.append(
                try ExtensionEncoding.policyMappings(
                    self.policyMappings.values, critical: self.policyMappings.critical))
        }
        if self.policyConstraints != PolicyConstraints() {
            extensions.append(
                try ExtensionEncoding.policyConstraints(
                    self.policyConstraints, critical: self.policyConstraintsCritical))
        }
        if let skip = self.inhibitAnyPolicy { extensions.append(try ExtensionEncoding.inhibitAnyPolicy(skip)) }
        if !self.crossCertificateURLs.values.isEmpty {
            extensions.append(
                try ExtensionEncoding.crossCertificateDistributionPoints(
                    self.crossCertificateURLs.values, interval: self.crossCertificateInterval,
                    critical: self.crossCertificateURLs.critical))
        }
        return extensions
    }
}
