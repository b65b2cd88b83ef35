import SwiftASN1
package import X509

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// A certificate before it is signed (RFC 5280, section 4.1), always version 3.
package struct TBSCertificate: Sendable {
    /// Content octets of the INTEGER: positive, minimal, at most 20.
    package var serialNumber: [UInt8]
    package var signatureAlgorithm: SignatureAlgorithmIdentifier
    /// DER of the issuer's name, taken over byte for byte from the issuer's certificate.
    package var issuerDER: [UInt8]
    /// Cut to the second. UTCTime until the end of 2049.
    package var notBefore: Date
    package var notAfter: Date
    package var subjectDER: [UInt8]
    package var subjectPublicKeyInfo: SubjectPublicKeyInfo
    /// Written in this order.
    package var extensions: [Certificate.Extension]

    package init(
        serialNumber: [UInt8], signatureAlgorithm: SignatureAlgorithmIdentifier, issuerDER: [UInt8], notBefore: Date,
        notAfter: Date, subjectDER: [UInt8], subjectPublicKeyInfo: SubjectPublicKeyInfo,
        extensions: [Certificate.Extension]
    ) {
        self.serialNumber = serialNumber
        self.signatureAlgorithm = signatureAlgorithm
        self.issuerDER = issuerDER
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.subjectDER = subjectDER
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
        self.extensions = extensions
    }

    /// The bytes to sign.
    ///
    /// - Throws: ``PKIMessageError`` with `invalidValue` for a serial number that is none, a validity that ends before
    ///   it begins, or a repeated extension; with `malformed` and its relatives for a name that is no DER.
    package func derEncoded() throws -> [UInt8] {
        try self.check()
        // The serializer writes a header after its content, which it moves for it; the three long levels are put
        // together here.
        let fields = try StrictDER.serialize { coder in
            try coder.serialize(2, explicitlyTaggedWithTagNumber: 0, tagClass: .contextSpecific)
            DERInteger.write(content: self.serialNumber, into: &coder)
            coder.serializeRawBytes(self.signatureAlgorithm.derBytes)
            coder.serializeRawBytes(self.issuerDER)
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                try EncodedTime.write(self.notBefore, into: &coder)
                try EncodedTime.write(self.notAfter, into: &coder)
            }
            coder.serializeRawBytes(self.subjectDER)
            coder.serializeRawBytes(self.subjectPublicKeyInfo.derBytes)
        }
        let extensions = try self.encodedExtensions()
        return DERHeader.encoded(identifier: 0x30, contentBytes: fields.count + extensions.count) + fields + extensions
    }

    /// `[3] EXPLICIT Extensions`, or nothing.
    private func encodedExtensions() throws -> [UInt8] {
        guard !self.extensions.isEmpty else { return [] }
        let list = try StrictDER.serialize { coder in
            for found in self.extensions { try coder.serialize(found) }
        }
        let sequence = DERHeader.encoded(identifier: 0x30, contentBytes: list.count)
        return DERHeader.encoded(identifier: 0xA3, contentBytes: sequence.count + list.count) + sequence + list
    }

    /// Puts another serial number of the same length into bytes that ``derEncoded()`` gave: the number of a request is
    /// known last, and nothing else in the bytes depends on it.
    ///
    /// - Parameter content: content octets of the INTEGER.
    /// - Throws: ``PKIMessageError`` with `invalidValue` when the bytes have no serial number of that length, or for a
    ///   number that is none.
    package static func settingSerialNumber(_ content: [UInt8], in toBeSigned: [UInt8]) throws -> [UInt8] {
        try SerialNumber.check(content)
        let place = toBeSigned.withUnsafeBytes { bytes -> Int? in
            guard let outer = DERHeader(bytes, at: 0, end: bytes.count), outer.identifier == 0x30,
                let version = DERHeader(bytes, at: outer.headerBytes, end: bytes.count), version.identifier == 0xA0
            else { return nil }
            let start = outer.headerBytes + version.totalBytes
            guard let serial = DERHeader(bytes, at: start, end: bytes.count), serial.identifier == 0x02,
                serial.contentBytes == content.count
            else { return nil }
            return start + serial.headerBytes
        }
        guard let place else {
            throw PKIMessageError.invalidValue("serial number", "the bytes have none of \(content.count) octets")
        }
        var result = toBeSigned
        result.replaceSubrange(place..<place + content.count, with: content)
        return result
    }

    private func check() throws {
        try SerialNumber.check(self.serialNumber)
        guard self.notBefore <= self.notAfter else {
            throw PKIMessageError.invalidValue("validity", "it ends before it begins")
        }
        guard self.extensions.haveDistinctTypes else {
            throw PKIMessageError.invalidValue("extensions", "one of them appears twice")
        }
        // Whether they are names is seen by whoever reads the certificate, and the linter does before it is signed.
        for name in [self.issuerDER, self.subjectDER] {
            try StrictDER.checkShape(name, identifier: 0x30, what: "distinguished name")
        }
    }
}
