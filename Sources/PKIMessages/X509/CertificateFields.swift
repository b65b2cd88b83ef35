package import SwiftASN1
package import X509

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// What a certificate says, with the bytes as received (RFC 5280, section 4.1).
///
/// Names are compared by their DER (``issuerDER``, ``subjectDER``), never by their text.
package struct CertificateFields: Sendable {
    package private(set) var derBytes: [UInt8]
    /// DER of TBSCertificate: what is signed.
    package let tbsBytes: [UInt8]
    /// Content octets of the INTEGER, minimal.
    package let serialNumber: [UInt8]
    package let signatureAlgorithm: SignatureAlgorithmIdentifier
    package private(set) var signature: [UInt8]
    package let issuer: DistinguishedName
    package let issuerDER: [UInt8]
    package let subject: DistinguishedName
    package let subjectDER: [UInt8]
    package let notBefore: Date
    package let notAfter: Date
    /// 0 for v1, 2 for v3.
    package let version: Int
    /// True when both times are UTCTime until 2049 and GeneralizedTime from 2050 on (RFC 5280, section 4.1.2.5).
    package let hasTimesEncodedByYear: Bool
    package let subjectPublicKeyInfo: SubjectPublicKeyInfo
    /// In the order of the certificate.
    package let extensions: [Certificate.Extension]
    package let subjectKeyIdentifier: [UInt8]?
    /// The keyIdentifier of the extension; `nil` when there is none.
    package let authorityKeyIdentifier: [UInt8]?
    package let keyUsage: KeyUsage?
    /// Empty when the certificate has no such extension.
    package let extendedKeyUsages: [ASN1ObjectIdentifier]
    package let basicConstraints: BasicConstraints?

    static let what = "certificate"

    /// - Throws: ``PKIMessageError`` with `malformed`, `trailingBytes`, `tooLarge` or `tooDeep`. The signature is not
    ///   checked: see ``isSigned(by:)``.
    package init(derEncoded bytes: [UInt8]) throws {
        let parts = try StrictDER.parse(SignedObject.Parts.self, bytes, what: Self.what)
        let tbs = try StrictDER.wrapping(Self.what) { try TBSFields(derEncoded: parts.tbs) }
        try self.init(tbs, tbsBytes: parts.tbsBytes, algorithm: parts.algorithm)
        self.derBytes = bytes
        self.signature = parts.signature
    }

    /// What a certificate will say whose signature is not made yet: ``derBytes`` and ``signature`` are empty.
    ///
    /// - Parameters:
    ///   - toBeSigned: DER of TBSCertificate.
    ///   - known: names and keys that may stand in it and were read before.
    /// - Throws: as ``init(derEncoded:)``; `malformed` also when the bytes name another algorithm.
    package init(
        toBeSigned bytes: [UInt8], algorithm: SignatureAlgorithmIdentifier, known: KnownParts = KnownParts()
    ) throws {
        let node = try StrictDER.node(bytes, what: Self.what)
        let tbs = try StrictDER.wrapping(Self.what) { try TBSFields(derEncoded: node, known: known) }
        try self.init(tbs, tbsBytes: bytes, algorithm: algorithm)
    }

    /// The subject with its bytes.
    package var subjectName: NameWithBytes { NameWithBytes(name: self.subject, derBytes: self.subjectDER) }

    /// The same with the signature over ``tbsBytes``.
    package func signed(_ signature: [UInt8]) -> CertificateFields {
        var fields = self
        fields.signature = signature
        fields.derBytes = SignedObject.assemble(
            tbs: self.tbsBytes, algorithm: self.signatureAlgorithm, signature: signature)
        return fields
    }

    private init(_ tbs: TBSFields, tbsBytes: [UInt8], algorithm: SignatureAlgorithmIdentifier) throws {
        guard tbs.signature == algorithm else {
            throw PKIMessageError.malformed(Self.what, "it names two different signature algorithms")
        }
        self.derBytes = []
        self.tbsBytes = tbsBytes
        self.serialNumber = tbs.serialNumber
        self.signatureAlgorithm = algorithm
        self.signature = []
        (self.issuer, self.issuerDER) = (tbs.issuer.name, tbs.issuer.derBytes)
        (self.subject, self.subjectDER) = (tbs.subject.name, tbs.subject.derBytes)
        (self.notBefore, self.notAfter) = (tbs.notBefore, tbs.notAfter)
        (self.version, self.hasTimesEncodedByYear) = (tbs.version, tbs.hasTimesEncodedByYear)
        self.subjectPublicKeyInfo = tbs.subjectPublicKeyInfo
        self.extensions = tbs.extensions
        let known = ExtensionDecoding(tbs.extensions)
        self.subjectKeyIdentifier = try known.subjectKeyIdentifier()
        self.authorityKeyIdentifier = try known.authorityKeyIdentifier()
        self.keyUsage = try known.keyUsage()
        self.extendedKeyUsages = try known.extendedKeyUsages()
        self.basicConstraints = try known.basicConstraints()
    }

    /// The serial number as `openssl x509 -serial` prints it: upper-case hexadecimal, without a sign octet.
    package var serialHex: String { SerialNumber.hex(self.serialNumber) }

    package var sha1Thumbprint: [UInt8] { Digest.sha1.hash(self.derBytes) }
    package var sha256Thumbprint: [UInt8] { Digest.sha256.hash(self.derBytes) }

    /// True when `issuerKey` made the signature. Nothing else is checked: not names, time or extensions.
    ///
    /// SHA-1 is refused: a certificate signed with it can have been forged.
    package func isSigned(by issuerKey: SubjectPublicKeyInfo) -> Bool {
        SignedObject.isSigned(
            self.tbsBytes, algorithm: self.signatureAlgorithm, signature: self.signature, by: issuerKey)
    }

    /// True when issuer and subject are the same name, by their DER.
    package var isSelfIssued: Bool { self.issuerDER == self.subjectDER }

    /// True for a root: a certificate that its own key has signed. Link certificates of a renewed root (RFC 4210,
    /// section 4.4) are self-issued and are none.
    package var isSelfSigned: Bool { self.isSelfIssued && self.isSigned(by: self.subjectPublicKeyInfo) }
}

extension Sequence<CertificateFields> {
    /// Who signed a certificate, by name and signature. Of several certificates of the same key a root is taken, so that
    /// a path ends where it can.
    ///
    /// - Parameter isSigned: ``CertificateFields/isSigned(by:)``, or who remembers what it said.
    package func issuer(
        of certificate: CertificateFields,
        isSigned: (CertificateFields, SubjectPublicKeyInfo) -> Bool = { $0.isSigned(by: $1) }
    ) -> CertificateFields? {
        let fitting = self.filter {
            $0.subjectDER == certificate.issuerDER && isSigned(certificate, $0.subjectPublicKeyInfo)
        }
        return fitting.first { $0.isSelfIssued && isSigned($0, $0.subjectPublicKeyInfo) } ?? fitting.first
    }
}

extension SignedObject {
    static func isSigned(
        _ tbs: [UInt8], algorithm: SignatureAlgorithmIdentifier, signature: [UInt8], by key: SubjectPublicKeyInfo
    ) -> Bool {
        guard algorithm.digest != .sha1 else { return false }
        // `try?`: an algorithm that is unknown or does not fit the key did not make a signature with that key.
        return (try? key.isValidSignature(signature, over: tbs, algorithm: algorithm)) ?? false
    }
}

/// A name with the bytes it was read from.
package struct NameWithBytes: DERParseable, Sendable {
    let name: DistinguishedName
    let derBytes: [UInt8]

    fileprivate init(name: DistinguishedName, derBytes: [UInt8]) {
        self.name = name
        self.derBytes = derBytes
    }

    package init(derEncoded node: ASN1Node) throws {
        self.name = try DistinguishedName(derEncoded: node)
        self.derBytes = StrictDER.raw(node)
    }
}

extension CertificationRequest {
    /// The subject with its bytes.
    package var subjectName: NameWithBytes { NameWithBytes(name: self.subject, derBytes: self.subjectDER) }
}

/// Names and keys with the bytes that they were read from. Where the very same bytes stand again they are not read again,
/// because they mean the same.
package struct KnownParts: Sendable {
    private let names: [NameWithBytes]
    private let keys: [SubjectPublicKeyInfo]

    package init(names: [NameWithBytes] = [], keys: [SubjectPublicKeyInfo] = []) {
        self.names = names
        self.keys = keys
    }

    fileprivate func name(_ node: ASN1Node) throws -> NameWithBytes {
        try self.names.first { $0.derBytes.elementsEqual(node.encodedBytes) } ?? NameWithBytes(derEncoded: node)
    }

    fileprivate func key(_ node: ASN1Node) throws -> SubjectPublicKeyInfo {
        try self.keys.first { $0.derBytes.elementsEqual(node.encodedBytes) } ?? SubjectPublicKeyInfo(derEncoded: node)
    }
}

/// TBSCertificate (RFC 5280, section 4.1):
///
///     TBSCertificate ::= SEQUENCE {
///         version [0] EXPLICIT Version DEFAULT v1, serialNumber INTEGER, signature AlgorithmIdentifier,
///         issuer Name, validity SEQUENCE { notBefore Time, notAfter Time }, subject Name,
///         subjectPublicKeyInfo SubjectPublicKeyInfo, issuerUniqueID [1] IMPLICIT BIT STRING OPTIONAL,
///         subjectUniqueID [2] IMPLICIT BIT STRING OPTIONAL, extensions [3] EXPLICIT Extensions OPTIONAL }
private struct TBSFields: DERParseable {
    let serialNumber: [UInt8]
    let signature: SignatureAlgorithmIdentifier
    let issuer, subject: NameWithBytes
    let notBefore, notAfter: Date
    let version: Int
    let hasTimesEncodedByYear: Bool
    let subjectPublicKeyInfo: SubjectPublicKeyInfo
    let extensions: [Certificate.Extension]

    init(derEncoded node: ASN1Node) throws {
        try self.init(derEncoded: node, known: KnownParts())
    }

    init(derEncoded node: ASN1Node, known: KnownParts) throws {
        self = try DER.sequence(node, identifier: .sequence) { try TBSFields(&$0, known) }
    }

    private init(_ nodes: inout ASN1NodeCollection.Iterator, _ known: KnownParts) throws {
        let version = try DER.decodeDefaultExplicitlyTagged(
            &nodes, tagNumber: 0, tagClass: .contextSpecific, defaultValue: 0)
        guard (0...2).contains(version) else { throw ASN1Error.invalidASN1Object(reason: "unknown version") }
        self.serialNumber = try DERInteger.content(StrictDER.next(&nodes, "serialNumber"))
        self.signature = try SignatureAlgorithmIdentifier(derEncoded: &nodes)
        self.issuer = try known.name(StrictDER.next(&nodes, "issuer"))
        let validity = try DER.sequence(StrictDER.next(&nodes, "validity"), identifier: .sequence) { nodes in
            (try StrictDER.next(&nodes, "notBefore"), try StrictDER.next(&nodes, "notAfter"))
        }
        (self.notBefore, self.notAfter) = (try EncodedTime.read(validity.0), try EncodedTime.read(validity.1))
        self.hasTimesEncodedByYear = [(validity.0, self.notBefore), (validity.1, self.notAfter)].allSatisfy {
            ($0.identifier == .utcTime) == ($1 < EncodedTime.firstGeneralized)
        }
        self.version = version
        self.subject = try known.name(StrictDER.next(&nodes, "subject"))
        self.subjectPublicKeyInfo = try known.key(StrictDER.next(&nodes, "subjectPublicKeyInfo"))
        for tag in [UInt(1), 2] {
            let identifier = ASN1Identifier(tagWithNumber: tag, tagClass: .contextSpecific)
            let unique: ASN1BitString? = try DER.optionalImplicitlyTagged(&nodes, tag: identifier)
            guard unique == nil || version > 0 else { throw ASN1Error.invalidASN1Object(reason: "unique ID in v1") }
        }
        let extensions = try DER.optionalExplicitlyTagged(&nodes, tagNumber: 3, tagClass: .contextSpecific) {
            try ExtensionDecoding.list($0)
        }
        guard extensions == nil || version == 2 else {
            throw ASN1Error.invalidASN1Object(reason: "extensions in a certificate that is not v3")
        }
        self.extensions = extensions ?? []
    }
}
