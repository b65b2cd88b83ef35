import SwiftASN1
package import X509

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// What a certificate revocation list says, with the bytes as received (RFC 5280, section 5.1).
package struct CertificateListFields: Sendable {
    package let derBytes: [UInt8]
    /// DER of TBSCertList: what is signed.
    package let tbsBytes: [UInt8]
    package let signatureAlgorithm: SignatureAlgorithmIdentifier
    package let signature: [UInt8]
    package let issuer: DistinguishedName
    package let issuerDER: [UInt8]
    package let thisUpdate: Date
    package let nextUpdate: Date?
    package let entries: [RevokedEntry]
    package let extensions: [Certificate.Extension]
    /// cRLNumber, when it is there and fits 64 bits.
    package let number: UInt64?
    package let authorityKeyIdentifier: [UInt8]?
    /// deltaCRLIndicator: the number of the complete list that this delta list adds to; `nil` for a complete one.
    package let baseNumber: UInt64?

    static let what = "certificate revocation list"

    /// - Throws: ``PKIMessageError`` with `malformed`, `trailingBytes`, `tooLarge` or `tooDeep`. The signature is not
    ///   checked: see ``isSigned(by:)``.
    package init(derEncoded bytes: [UInt8]) throws {
        let parts = try StrictDER.parse(
            SignedObject.Parts.self, bytes, what: Self.what, maximumBytes: DERLimits.maximumCertificateListBytes)
        let tbs = try StrictDER.wrapping(Self.what) { try TBSFields(derEncoded: parts.tbs) }
        guard tbs.signature == parts.algorithm else {
            throw PKIMessageError.malformed(Self.what, "it names two different signature algorithms")
        }
        self.derBytes = bytes
        self.tbsBytes = parts.tbsBytes
        self.signatureAlgorithm = parts.algorithm
        self.signature = parts.signature
        (self.issuer, self.issuerDER) = (tbs.issuer.name, tbs.issuer.derBytes)
        (self.thisUpdate, self.nextUpdate) = (tbs.thisUpdate, tbs.nextUpdate)
        self.entries = tbs.entries
        self.extensions = tbs.extensions
        let known = ExtensionDecoding(tbs.extensions)
        self.number = try known.value(OID.crlNumber, "cRLNumber extension") { try UInt64(derEncoded: $0) }
        self.authorityKeyIdentifier = try known.authorityKeyIdentifier()
        self.baseNumber = try known.value(OID.deltaCRLIndicator, "deltaCRLIndicator extension") {
            try UInt64(derEncoded: $0)
        }
    }

    /// The entry of a certificate, or `nil` when the list does not name it.
    package func entry(serialNumber: [UInt8]) -> RevokedEntry? {
        self.entries.first { $0.serialNumber == serialNumber }
    }

    /// True when `issuerKey` made the signature. SHA-1 is refused.
    package func isSigned(by issuerKey: SubjectPublicKeyInfo) -> Bool {
        SignedObject.isSigned(
            self.tbsBytes, algorithm: self.signatureAlgorithm, signature: self.signature, by: issuerKey)
    }
}

private struct TBSFields: DERParseable {
    let signature: SignatureAlgorithmIdentifier
    let issuer: NameWithBytes
    let thisUpdate: Date
    let nextUpdate: Date?
    let entries: [RevokedEntry]
    let extensions: [Certificate.Extension]

    init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { try TBSFields(&$0) }
    }

    private init(_ nodes: inout ASN1NodeCollection.Iterator) throws {
        let version: Int? = try DER.optionalImplicitlyTagged(&nodes)
        guard version == nil || version == 1 else { throw ASN1Error.invalidASN1Object(reason: "unknown version") }
        self.signature = try SignatureAlgorithmIdentifier(derEncoded: &nodes)
        self.issuer = try NameWithBytes(derEncoded: &nodes)
        self.thisUpdate = try EncodedTime.read(StrictDER.next(&nodes, "thisUpdate"))
        var next = nodes.next()
        if let node = next, node.identifier == .utcTime || node.identifier == .generalizedTime {
            self.nextUpdate = try EncodedTime.read(node)
            next = nodes.next()
        } else {
            self.nextUpdate = nil
        }
        if let node = next, node.identifier == .sequence {
            let entries = try DER.sequence(of: EntryFields.self, identifier: .sequence, rootNode: node)
            guard !entries.isEmpty else { throw ASN1Error.invalidASN1Object(reason: "revokedCertificates is empty") }
            guard version == 1 || !entries.contains(where: \.hasExtensions) else {
                throw ASN1Error.invalidASN1Object(reason: "entry extensions in a list that is not v2")
            }
            self.entries = entries.map(\.entry)
            next = nodes.next()
        } else {
            self.entries = []
        }
        guard let node = next else {
            self.extensions = []
            return
        }
        self.extensions = try DER.explicitlyTagged(node, tagNumber: 0, tagClass: .contextSpecific) {
            try ExtensionDecoding.list($0)
        }
        guard version == 1 else { throw ASN1Error.invalidASN1Object(reason: "extensions in a list that is not v2") }
    }
}

private struct EntryFields: DERParseable {
    let entry: RevokedEntry
    let hasExtensions: Bool

    init(derEncoded node: ASN1Node) throws {
        (self.entry, self.hasExtensions) = try DER.sequence(node, identifier: .sequence) { nodes in
            let serial = try DERInteger.content(StrictDER.next(&nodes, "userCertificate"))
            let date = try EncodedTime.read(StrictDER.next(&nodes, "revocationDate"))
            let extensions = try nodes.next().map { try ExtensionDecoding.list($0) }
            let known = ExtensionDecoding(extensions ?? [])
            let reason = try known.value(OID.crlReason, "reasonCode extension") { node in
                guard node.identifier == .enumerated, let content = StrictDER.content(node), content.count == 1,
                    let value = content.first, let reason = CRLReason(rawValue: Int(value))
                else { throw ASN1Error.invalidASN1Object(reason: "unknown reason") }
                return reason
            }
            let invalidityDate = try known.value(OID.invalidityDate, "invalidityDate extension") {
                try EncodedTime.read($0)
            }
            return (
                RevokedEntry(
                    serialNumber: serial, revocationDate: date, reason: reason, invalidityDate: invalidityDate),
                extensions != nil
            )
        }
    }
}
