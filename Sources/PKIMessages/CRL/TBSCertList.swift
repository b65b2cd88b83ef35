import SwiftASN1
import X509

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// One revoked certificate (RFC 5280, section 5.1.2.6).
package struct RevokedEntry: Hashable, Sendable {
    /// Content octets of the INTEGER.
    package var serialNumber: [UInt8]
    package var revocationDate: Date
    /// `nil` and `unspecified` are written the same way: without the extension.
    package var reason: CRLReason?

    package init(serialNumber: [UInt8], revocationDate: Date, reason: CRLReason?) {
        self.serialNumber = serialNumber
        self.revocationDate = revocationDate
        self.reason = reason
    }
}

/// A certificate revocation list before it is signed (RFC 5280, section 5.1), always version 2.
///
///     TBSCertList ::= SEQUENCE {
///         version Version OPTIONAL, signature AlgorithmIdentifier, issuer Name, thisUpdate Time, nextUpdate Time OPTIONAL,
///         revokedCertificates SEQUENCE OF SEQUENCE {
///             userCertificate CertificateSerialNumber, revocationDate Time, crlEntryExtensions Extensions OPTIONAL
///         } OPTIONAL,
///         crlExtensions [0] EXPLICIT Extensions OPTIONAL }
package struct TBSCertList: Sendable {
    package var signatureAlgorithm: SignatureAlgorithmIdentifier
    package var issuerDER: [UInt8]
    package var thisUpdate: Date
    package var nextUpdate: Date
    package var entries: [RevokedEntry]
    /// cRLNumber.
    package var number: UInt64
    /// The issuer's subject key identifier.
    package var authorityKeyIdentifier: [UInt8]
    /// 1.3.6.1.4.1.311.21.1, when given.
    package var caVersion: Int?
    /// 1.3.6.1.4.1.311.21.4, when given: when the next list is to be published.
    package var nextPublish: Date?

    package init(
        signatureAlgorithm: SignatureAlgorithmIdentifier, issuerDER: [UInt8], thisUpdate: Date, nextUpdate: Date,
        entries: [RevokedEntry], number: UInt64, authorityKeyIdentifier: [UInt8], caVersion: Int? = nil,
        nextPublish: Date? = nil
    ) {
        self.signatureAlgorithm = signatureAlgorithm
        self.issuerDER = issuerDER
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
        self.entries = entries
        self.number = number
        self.authorityKeyIdentifier = authorityKeyIdentifier
        self.caVersion = caVersion
        self.nextPublish = nextPublish
    }

    /// The bytes to sign. Time and memory grow with the number of entries and no faster.
    ///
    /// - Throws: ``PKIMessageError`` with `invalidValue` for a serial number that is none, or a list that ends before it
    ///   begins.
    package func derEncoded() throws -> [UInt8] {
        guard self.thisUpdate <= self.nextUpdate else {
            throw PKIMessageError.invalidValue("certificate revocation list", "it ends before it begins")
        }
        _ = try StrictDER.parse(NameWithBytes.self, self.issuerDER, what: "distinguished name")
        var extensions = [
            try ExtensionEncoding.authorityKeyIdentifier(self.authorityKeyIdentifier),
            try ExtensionEncoding.crlNumber(self.number),
        ]
        if let caVersion { extensions.append(try ExtensionEncoding.caVersion(caVersion)) }
        if let nextPublish { extensions.append(try ExtensionEncoding.microsoftNextPublish(nextPublish)) }
        let entries = try self.entryBytes()
        return try StrictDER.serialize { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                try coder.serialize(1)
                coder.serializeRawBytes(self.signatureAlgorithm.derBytes)
                coder.serializeRawBytes(self.issuerDER)
                try EncodedTime.write(self.thisUpdate, into: &coder)
                try EncodedTime.write(self.nextUpdate, into: &coder)
                if !entries.isEmpty {
                    coder.appendConstructedNode(identifier: .sequence) { $0.serializeRawBytes(entries) }
                }
                try coder.serialize(explicitlyTaggedWithTagNumber: 0, tagClass: .contextSpecific) { coder in
                    try coder.serializeSequenceOf(extensions)
                }
            }
        }
    }

    /// The entries one after another. There are at most ten different extension lists, so they are encoded once.
    private func entryBytes() throws -> [UInt8] {
        var extensions: [CRLReason: [UInt8]] = [:]
        for reason in CRLReason.allCases where reason != .unspecified {
            extensions[reason] = try ExtensionEncoding.list([ExtensionEncoding.crlReason(reason)])
        }
        return try StrictDER.serialize { coder in
            for entry in self.entries {
                try SerialNumber.check(entry.serialNumber)
                try coder.appendConstructedNode(identifier: .sequence) { coder in
                    DERInteger.write(content: entry.serialNumber, into: &coder)
                    try EncodedTime.write(entry.revocationDate, into: &coder)
                    if let reason = entry.reason, let list = extensions[reason] { coder.serializeRawBytes(list) }
                }
            }
        }
    }
}
