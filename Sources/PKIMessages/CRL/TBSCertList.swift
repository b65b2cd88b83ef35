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
    /// When the key is known or suspected to have been compromised (RFC 5280, section 5.3.2), when given.
    package var invalidityDate: Date?

    package init(serialNumber: [UInt8], revocationDate: Date, reason: CRLReason?, invalidityDate: Date? = nil) {
        self.serialNumber = serialNumber
        self.revocationDate = revocationDate
        self.reason = reason
        self.invalidityDate = invalidityDate
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
    /// deltaCRLIndicator: the number of the complete list that a delta list adds to; `nil` for a complete one.
    package var baseNumber: UInt64?
    /// 1.3.6.1.4.1.311.21.3, when given.
    package var virtualBaseNumber: UInt64?
    /// freshestCRL: where delta lists to this complete one are; empty for none.
    package var freshestURLs: [String] = []
    /// 1.3.6.1.4.1.311.21.14: where this list itself is published; empty for none.
    package var selfURLs: [String] = []
    /// issuingDistributionPoint with these URLs as its full name; empty for none.
    package var issuingDistributionPointURLs: [String] = []
    /// expiredCertsOnCRL (X.509, section 9.5.2.8), when given: since when expired certificates stay on the list.
    package var expiredCertificatesSince: Date?

    package init(
        signatureAlgorithm: SignatureAlgorithmIdentifier, issuerDER: [UInt8], thisUpdate: Date, nextUpdate: Date,
        entries: [RevokedEntry] = [], number: UInt64, authorityKeyIdentifier: [UInt8], caVersion: Int? = nil,
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

    /// The bytes to sign, with ``entries``. Time and memory grow with their number and no faster.
    ///
    /// - Throws: ``PKIMessageError`` with `invalidValue` for a serial number that is none, or a list that ends before it
    ///   begins.
    package func derEncoded() throws -> [UInt8] {
        let encoder = try RevokedEntryEncoder()
        var entries: [UInt8] = []
        for entry in self.entries { try encoder.append(entry, to: &entries) }
        let frame = try self.frame(entryBytes: entries.count)
        return frame.head + entries + frame.tail
    }

    /// What stands before and after the entries in the bytes to sign.
    package struct Frame: Sendable {
        package let head: [UInt8]
        package let tail: [UInt8]
    }

    /// The bytes to sign around entries that are written elsewhere, by ``RevokedEntryEncoder``: ``entries`` are not
    /// looked at.
    ///
    /// - Parameter entryBytes: the length of all entries together.
    package func frame(entryBytes: Int) throws -> Frame {
        guard self.thisUpdate <= self.nextUpdate else {
            throw PKIMessageError.invalidValue("certificate revocation list", "it ends before it begins")
        }
        _ = try StrictDER.parse(NameWithBytes.self, self.issuerDER, what: "distinguished name")
        let extensions = try self.extensions()
        var fields = try StrictDER.serialize { coder in
            try coder.serialize(1)
            coder.serializeRawBytes(self.signatureAlgorithm.derBytes)
            coder.serializeRawBytes(self.issuerDER)
            try EncodedTime.write(self.thisUpdate, into: &coder)
            try EncodedTime.write(self.nextUpdate, into: &coder)
        }
        if entryBytes > 0 { fields += DERHeader.encoded(identifier: 0x30, contentBytes: entryBytes) }
        let tail = try StrictDER.serialize { coder in
            try coder.serialize(explicitlyTaggedWithTagNumber: 0, tagClass: .contextSpecific) { coder in
                try coder.serializeSequenceOf(extensions)
            }
        }
        let header = DERHeader.encoded(identifier: 0x30, contentBytes: fields.count + entryBytes + tail.count)
        return Frame(head: header + fields, tail: tail)
    }

    private func extensions() throws -> [Certificate.Extension] {
        var extensions = [
            try ExtensionEncoding.authorityKeyIdentifier(self.authorityKeyIdentifier),
            try ExtensionEncoding.crlNumber(self.number),
        ]
        if let baseNumber { extensions.append(try ExtensionEncoding.deltaCRLIndicator(baseNumber)) }
        if !self.issuingDistributionPointURLs.isEmpty {
            extensions.append(try ExtensionEncoding.issuingDistributionPoint(self.issuingDistributionPointURLs))
        }
        if !self.freshestURLs.isEmpty { extensions.append(try ExtensionEncoding.freshestCRL(self.freshestURLs)) }
        if let expiredCertificatesSince {
            extensions.append(try ExtensionEncoding.expiredCertsOnCRL(expiredCertificatesSince))
        }
        if let caVersion { extensions.append(try ExtensionEncoding.caVersion(caVersion)) }
        if let virtualBaseNumber { extensions.append(try ExtensionEncoding.microsoftVirtualBase(virtualBaseNumber)) }
        if let nextPublish { extensions.append(try ExtensionEncoding.microsoftNextPublish(nextPublish)) }
        if !self.selfURLs.isEmpty { extensions.append(try ExtensionEncoding.microsoftSelfCDP(self.selfURLs)) }
        return extensions
    }
}

extension SignedObject {
    /// What stands before and after the to-be-signed bytes in ``assemble(tbs:algorithm:signature:)``, for bytes that
    /// are not in memory.
    package static func frame(
        tbsBytes: Int, algorithm: SignatureAlgorithmIdentifier, signature: [UInt8]
    ) throws -> TBSCertList.Frame {
        let tail = try StrictDER.serialize { coder in
            coder.serializeRawBytes(algorithm.derBytes)
            try coder.serialize(ASN1BitString(bytes: signature[...]))
        }
        return TBSCertList.Frame(
            head: DERHeader.encoded(identifier: 0x30, contentBytes: tbsBytes + tail.count), tail: tail)
    }
}
