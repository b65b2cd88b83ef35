import SwiftASN1
package import X509

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

extension ExtensionEncoding {
    /// cRLNumber (RFC 5280, section 5.2.3).
    package static func crlNumber(_ number: UInt64) throws -> Certificate.Extension {
        try self.make(OID.crlNumber) { try $0.serialize(number) }
    }

    /// reasonCode of a CRL entry (RFC 5280, section 5.3.1), an ENUMERATED.
    package static func crlReason(_ reason: CRLReason) throws -> Certificate.Extension {
        try self.make(OID.crlReason) { coder in
            coder.appendPrimitiveNode(identifier: .enumerated) { $0.append(UInt8(reason.rawValue)) }
        }
    }

    /// Next CRL publication, 1.3.6.1.4.1.311.21.4: a Time.
    package static func microsoftNextPublish(_ date: Date) throws -> Certificate.Extension {
        try self.make(OID.msNextPublish) { try EncodedTime.write(date, into: &$0) }
    }

    /// deltaCRLIndicator (RFC 5280, section 5.2.4), critical.
    package static func deltaCRLIndicator(_ baseNumber: UInt64) throws -> Certificate.Extension {
        try self.make(OID.deltaCRLIndicator, critical: true) { try $0.serialize(baseNumber) }
    }

    /// freshestCRL (RFC 5280, sections 4.2.1.15 and 5.2.6): where the delta lists are.
    package static func freshestCRL(_ urls: [String]) throws -> Certificate.Extension {
        var made = try self.crlDistributionPoints(urls)
        made.oid = OID.freshestCRL
        return made
    }

    /// issuingDistributionPoint (RFC 5280, section 5.2.5) with a full name and nothing else, critical.
    package static func issuingDistributionPoint(_ urls: [String]) throws -> Certificate.Extension {
        guard !urls.isEmpty else { throw PKIMessageError.invalidValue("issuingDistributionPoint", "it has no URL") }
        let context0 = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)
        return try self.make(OID.issuingDistributionPoint, critical: true) { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                // DistributionPointName is a CHOICE, so [0] is explicit; fullName [0] within it is implicit.
                try coder.appendConstructedNode(identifier: context0) { coder in
                    try coder.serializeSequenceOf(
                        urls.map { GeneralName.uniformResourceIdentifier($0) }, identifier: context0)
                }
            }
        }
    }

    /// expiredCertsOnCRL, 2.5.29.60 (X.509, section 9.5.2.8): a GeneralizedTime whatever the year.
    package static func expiredCertsOnCRL(_ since: Date) throws -> Certificate.Extension {
        try self.make(OID.expiredCertsOnCRL) { try EncodedTime.writeGeneralized(since, into: &$0) }
    }

    /// invalidityDate of a CRL entry (RFC 5280, section 5.3.2): a GeneralizedTime whatever the year.
    package static func invalidityDate(_ date: Date) throws -> Certificate.Extension {
        try self.make(OID.invalidityDate) { try EncodedTime.writeGeneralized(date, into: &$0) }
    }

    /// Virtual base CRL number, 1.3.6.1.4.1.311.21.3.
    package static func microsoftVirtualBase(_ number: UInt64) throws -> Certificate.Extension {
        try self.make(OID.msVirtualBase) { try $0.serialize(number) }
    }

    /// Where the list itself is published, 1.3.6.1.4.1.311.21.14, in the syntax of cRLDistributionPoints.
    package static func microsoftSelfCDP(_ urls: [String]) throws -> Certificate.Extension {
        var made = try self.crlDistributionPoints(urls)
        made.oid = OID.msSelfCDP
        return made
    }
}
