package import SwiftASN1

/// What a message may cost before it is read.
package enum DERLimits {
    /// The longest message: 1 MiB. Requests, certificates and archived keys are a few kilobytes.
    package static let maximumMessageBytes = 1 << 20
    /// The longest certificate revocation list: 256 MiB, some six million entries.
    package static let maximumCertificateListBytes = 1 << 28
    /// The deepest nesting of constructed elements, the outermost being level 1.
    package static let maximumDepth = 32
}

/// DER (X.690, section 10 and 11) read in one way only: definite minimal lengths, sorted sets, minimal integers,
/// nothing after the end, and every failure a ``PKIMessageError``.
package enum StrictDER {
    /// Reads one element that fills `bytes`.
    ///
    /// - Parameters:
    ///   - what: the structure's name for the error, as "certificate".
    ///   - maximumBytes: the limit on `bytes`.
    /// - Throws: ``PKIMessageError`` with `malformed`, `trailingBytes`, `tooLarge` or `tooDeep`.
    package static func parse<T: DERParseable>(
        _ type: T.Type, _ bytes: [UInt8], what: String,
        maximumBytes: Int = DERLimits.maximumMessageBytes
    ) throws -> T {
        let node = try self.node(bytes, what: what, maximumBytes: maximumBytes)
        return try self.wrapping(what) { try T(derEncoded: node) }
    }

    /// Reads the outermost element without interpreting it.
    package static func node(
        _ bytes: [UInt8], what: String, maximumBytes: Int = DERLimits.maximumMessageBytes
    ) throws -> ASN1Node {
        guard bytes.count <= maximumBytes else {
            throw PKIMessageError.tooLarge(what, bytes: bytes.count, limit: maximumBytes)
        }
        try bytes.withUnsafeBytes { try DERHeader.checkShape($0, what: what, maximumDepth: DERLimits.maximumDepth) }
        return try self.wrapping(what) { try DER.parse(bytes) }
    }

    /// Checks that `bytes` are one element, whole, with nothing after it, and not too deep, without interpreting it.
    ///
    /// - Parameter identifier: the first octet that the element must have.
    /// - Returns: the first octet of the first element within; `nil` when there is none.
    /// - Throws: as ``parse(_:_:what:maximumBytes:)``.
    @discardableResult
    static func checkShape(_ bytes: [UInt8], identifier: UInt8, what: String) throws -> UInt8? {
        guard bytes.count <= DERLimits.maximumMessageBytes else {
            throw PKIMessageError.tooLarge(what, bytes: bytes.count, limit: DERLimits.maximumMessageBytes)
        }
        return try bytes.withUnsafeBytes { bytes in
            try DERHeader.checkShape(bytes, what: what, maximumDepth: DERLimits.maximumDepth)
            guard let header = DERHeader(bytes, at: 0, end: bytes.count), header.identifier == identifier else {
                throw PKIMessageError.malformed(what, "it is another ASN.1 type")
            }
            return DERHeader(bytes, at: header.headerBytes, end: bytes.count)?.identifier
        }
    }

    /// Checks the same of any element that somebody else interprets.
    static func checkShape(_ bytes: ArraySlice<UInt8>, what: String) throws {
        guard bytes.count <= DERLimits.maximumMessageBytes else {
            throw PKIMessageError.tooLarge(what, bytes: bytes.count, limit: DERLimits.maximumMessageBytes)
        }
        try bytes.withUnsafeBytes {
            try DERHeader.checkShape($0, what: what, maximumDepth: DERLimits.maximumDepth)
        }
    }

    /// Runs `body` and turns a SwiftASN1 or X509 error into a ``PKIMessageError`` with code `malformed`.
    package static func wrapping<R>(_ what: String, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as PKIMessageError {
            throw error
        } catch let error as ASN1Error {
            throw PKIMessageError.malformed(what, "\(error.code)")
        } catch {
            throw PKIMessageError.malformed(what, "\(error)")
        }
    }

    /// - Throws: ``PKIMessageError`` with code `invalidValue` when a field of `value` has no encoding.
    package static func serialize(_ value: some DERSerializable) throws -> [UInt8] {
        try self.serialize { try $0.serialize(value) }
    }

    /// Runs `body` on a serializer and gives what it wrote.
    package static func serialize(_ body: (inout DER.Serializer) throws -> Void) throws -> [UInt8] {
        do {
            var coder = DER.Serializer()
            try body(&coder)
            return coder.serializedBytes
        } catch let error as ASN1Error {
            throw PKIMessageError.invalidValue("DER encoding", "a value cannot be encoded (\(error.code))")
        }
    }

    /// The exact bytes of an element as received.
    package static func raw(_ node: ASN1Node) -> [UInt8] {
        Array(node.encodedBytes)
    }

    /// The content octets of a primitive element, or `nil` for a constructed one.
    package static func content(_ node: ASN1Node) -> ArraySlice<UInt8>? {
        if case .primitive(let bytes) = node.content { bytes } else { nil }
    }

    /// Takes the next element, which must be there.
    package static func next(_ nodes: inout ASN1NodeCollection.Iterator, _ field: String) throws -> ASN1Node {
        guard let node = nodes.next() else { throw ASN1Error.invalidASN1Object(reason: "\(field) is missing") }
        return node
    }
}

/// Bytes that are DER already, put into an encoding as they are.
package struct RawDER: DERSerializable, DERParseable, Hashable, Sendable {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    package init(derEncoded node: ASN1Node) throws {
        self.bytes = StrictDER.raw(node)
    }

    package func serialize(into coder: inout DER.Serializer) throws {
        coder.serializeRawBytes(self.bytes)
    }
}
