package import PKIMessages
import SwiftASN1

/// A file of many keys on their way to a CA, each encrypted to an exchange certificate of it, written and read one record
/// at a time. DER records one after another, with nothing between and nothing behind:
///
///     Header ::= SEQUENCE { name UTF8String ("signet-key-container"), version INTEGER (1), recipient OCTET STRING }
///     Entry  ::= SEQUENCE { certificate Certificate, encryptedKey ContentInfo }
///     End    ::= SEQUENCE { count INTEGER, sha256 OCTET STRING }
///
/// `recipient` is the SHA-256 of the exchange certificate; `encryptedKey` an EnvelopedData with the PrivateKeyInfo under
/// AES-256 key wrap with padding, which the CA's token can unwrap by itself; `sha256` the hash of all bytes before the end,
/// so that a file that was cut, or from which a record was taken, is known. It is no signature: who archives a key proves
/// with each that it belongs to its certificate.
package enum KeyContainer {
    static let name = "signet-key-container"
    static let version = 1
    static let what = "key container"
    /// A record is a certificate and an encrypted key.
    static let maximumRecordBytes = 256 << 10

    /// Writes a container.
    package struct Writer {
        private let recipient: CertificateFields
        private var digest = DigestState(.sha256)
        private var count = 0
        private let write: ([UInt8]) throws -> Void

        /// - Parameters:
        ///   - recipient: the CA's exchange certificate.
        ///   - thumbprintPrefix: the first digits of its SHA-1 or SHA-256, at least eight, as the exporter was told them
        ///     by another way: who replaced the certificate would read every key.
        ///   - write: appends to the file.
        /// - Throws: ``ArchivalError`` with `thumbprintMismatch` (0x80091007).
        package init(
            recipient: CertificateFields, thumbprintPrefix: String, write: @escaping ([UInt8]) throws -> Void
        ) throws {
            let typed = thumbprintPrefix.filter { !" :-".contains($0) }.lowercased()
            let thumbprints = [recipient.sha1Thumbprint, recipient.sha256Thumbprint].map { Hexadecimal.lower($0) }
            guard typed.count >= 8, thumbprints.contains(where: { $0.hasPrefix(typed) }) else {
                throw ArchivalError.thumbprintMismatch(typed)
            }
            self.recipient = recipient
            self.write = write
            let header = try KeyContainer.record { coder in
                try coder.serialize(ASN1UTF8String(KeyContainer.name))
                try coder.serialize(KeyContainer.version)
                try coder.serialize(ASN1OctetString(contentBytes: recipient.sha256Thumbprint[...]))
            }
            try self.append(header)
        }

        /// - Throws: ``PKIMessageError`` with `keyMismatch` when the key is not the certificate's.
        package mutating func add(_ entry: PKCS12.Entry) throws {
            let privateKey = try PrivateKeyInfo(derEncoded: entry.privateKey)
            let certificate = try CertificateFields(derEncoded: entry.certificate)
            guard try privateKey.matches(certificate.subjectPublicKeyInfo) else {
                throw ArchivalError.keyMismatch("pack the private key", with: "its certificate")
            }
            let encrypted = try EnvelopedData.sealing(
                privateKey: privateKey.derBytes, to: [self.recipient], encryption: .aesKeyWrapPadded,
                transport: .pkcs1v15, random: LibCrypto.randomBytes
            ).contentInfoDER()
            try self.append(
                KeyContainer.record { coder in
                    coder.serializeRawBytes(entry.certificate)
                    coder.serializeRawBytes(encrypted)
                })
            self.count += 1
        }

        /// Writes the end.
        package mutating func finish() throws {
            let digest = self.digest.finalize()
            let count = self.count
            try self.write(
                KeyContainer.record { coder in
                    try coder.serialize(count)
                    try coder.serialize(ASN1OctetString(contentBytes: digest[...]))
                })
        }

        private mutating func append(_ record: [UInt8]) throws {
            try self.write(record)
            record.withUnsafeBytes { self.digest.update($0) }
        }
    }

    /// One key of a container.
    package struct Entry: Sendable {
        package let certificateDER: [UInt8]
        /// DER ContentInfo of an EnvelopedData.
        package let encryptedKeyDER: [UInt8]
    }

    /// Reads a container.
    package struct Reader {
        /// SHA-256 of the exchange certificate that the keys are encrypted to.
        package let recipientSHA256: [UInt8]
        private var digest = DigestState(.sha256)
        private var count = 0
        private var isAtEnd = false
        private let read: (Int) throws -> [UInt8]

        /// - Parameter read: the next bytes of the file, as many as asked for, fewer only at its end.
        /// - Throws: ``PKIMessageError`` with `malformed`.
        package init(read: @escaping (Int) throws -> [UInt8]) throws {
            self.read = read
            guard let record = try KeyContainer.next(read) else {
                throw PKIMessageError.malformed(KeyContainer.what, "it is empty")
            }
            let header = try StrictDER.parse(Header.self, record, what: KeyContainer.what)
            guard header.name == KeyContainer.name, header.version == KeyContainer.version else {
                throw PKIMessageError.malformed(KeyContainer.what, "its name or version is unknown")
            }
            self.recipientSHA256 = header.recipient
            record.withUnsafeBytes { self.digest.update($0) }
        }

        /// True when the bytes begin as a container does.
        package static func recognizes(_ start: [UInt8]) -> Bool {
            let name = Array(KeyContainer.name.utf8)
            return start.count > name.count + 4 && start[0] == 0x30
                && (2...4).contains { start.dropFirst($0).starts(with: [0x0C, UInt8(name.count)] + name) }
        }

        /// - Returns: `nil` at the end, which is checked then.
        /// - Throws: ``PKIMessageError`` with `malformed` when the file is cut, changed or continued.
        package mutating func next() throws -> Entry? {
            guard !self.isAtEnd else { return nil }
            guard let record = try KeyContainer.next(self.read) else {
                throw PKIMessageError.malformed(KeyContainer.what, "its end is missing")
            }
            switch try StrictDER.parse(Record.self, record, what: KeyContainer.what) {
            case .entry(let entry):
                record.withUnsafeBytes { self.digest.update($0) }
                self.count += 1
                return entry
            case .end(let count, let digest):
                guard count == self.count, digest == self.digest.finalize() else {
                    throw PKIMessageError.malformed(KeyContainer.what, "it is not what was written")
                }
                guard try self.read(1).isEmpty else {
                    throw PKIMessageError.malformed(KeyContainer.what, "bytes follow after its end")
                }
                self.isAtEnd = true
                return nil
            }
        }
    }

    private static func record(_ body: (inout DER.Serializer) throws -> Void) throws -> [UInt8] {
        var coder = DER.Serializer()
        try coder.appendConstructedNode(identifier: .sequence) { try body(&$0) }
        return coder.serializedBytes
    }

    /// One DER SEQUENCE; `nil` at the end of the file.
    private static func next(_ read: (Int) throws -> [UInt8]) throws -> [UInt8]? {
        var head = try read(2)
        if head.isEmpty { return nil }
        guard head.count == 2, head[0] == 0x30 else { throw PKIMessageError.malformed(self.what, "it is not DER") }
        var length = Int(head[1])
        if head[1] >= 0x80 {
            let more = Int(head[1] & 0x7F)
            guard (1...3).contains(more) else { throw PKIMessageError.malformed(self.what, "a record is too large") }
            let bytes = try read(more)
            guard bytes.count == more else { throw PKIMessageError.malformed(self.what, "it is truncated") }
            head += bytes
            length = bytes.reduce(0) { $0 << 8 | Int($1) }
        }
        guard length <= self.maximumRecordBytes else {
            throw PKIMessageError.tooLarge(self.what, bytes: length, limit: self.maximumRecordBytes)
        }
        let content = try read(length)
        guard content.count == length else { throw PKIMessageError.malformed(self.what, "it is truncated") }
        return head + content
    }
}

private struct Header: DERParseable {
    let name: String
    let version: Int
    let recipient: [UInt8]

    private init(name: String, version: Int, recipient: [UInt8]) {
        self.name = name
        self.version = version
        self.recipient = recipient
    }

    init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            Header(
                name: String(decoding: try ASN1UTF8String(derEncoded: &nodes).bytes, as: UTF8.self),
                version: try Int(derEncoded: &nodes),
                recipient: Array(try ASN1OctetString(derEncoded: &nodes).bytes))
        }
    }
}

/// Told apart by its first element.
private enum Record: DERParseable {
    case entry(KeyContainer.Entry)
    case end(count: Int, digest: [UInt8])

    init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            guard let first = nodes.next() else { throw ASN1Error.invalidASN1Object(reason: "a record is empty") }
            if first.identifier == .integer {
                return .end(
                    count: try Int(derEncoded: first), digest: Array(try ASN1OctetString(derEncoded: &nodes).bytes))
            }
            guard let second = nodes.next() else { throw ASN1Error.invalidASN1Object(reason: "a record is cut") }
            return .entry(
                KeyContainer.Entry(certificateDER: StrictDER.raw(first), encryptedKeyDER: StrictDER.raw(second)))
        }
    }
}
