package import SwiftASN1

/// INTEGER content octets (X.690, section 8.3) carried as bytes: a serial number, a hash, a modulus.
package enum DERInteger {
    /// The minimal two's complement content octets of a positive number given big-endian.
    ///
    /// - Parameter magnitude: unsigned big-endian, leading zeros allowed; empty is zero.
    package static func content(magnitude: some Collection<UInt8>) -> [UInt8] {
        let significant = Array(magnitude.drop { $0 == 0 })
        guard let first = significant.first else { return [0] }
        return first & 0x80 == 0 ? significant : [0] + significant
    }

    /// The unsigned big-endian bytes of positive content octets, without the sign octet.
    package static func magnitude(content: some Collection<UInt8>) -> [UInt8] {
        Array(content.drop { $0 == 0 })
    }

    /// True for content octets that are minimal and not negative.
    package static func isMinimalNonNegative(_ content: some Collection<UInt8>) -> Bool {
        guard let first = content.first, first & 0x80 == 0 else { return false }
        guard first == 0, let second = content.dropFirst().first else { return true }
        return second & 0x80 != 0
    }

    /// Reads an INTEGER and gives its content octets, which SwiftASN1 has checked to be minimal.
    package static func content(_ node: ASN1Node) throws -> [UInt8] {
        // SwiftASN1 checks the encoding but drops the sign octet, which belongs to the content.
        _ = try ArraySlice<UInt8>(derEncoded: node)
        guard let content = StrictDER.content(node) else { throw ASN1Error.unexpectedFieldType(node.identifier) }
        return Array(content)
    }

    /// Writes an INTEGER of the given content octets.
    package static func write(
        content: [UInt8], into coder: inout DER.Serializer, identifier: ASN1Identifier = .integer
    ) {
        coder.appendPrimitiveNode(identifier: identifier) { $0.append(contentsOf: content) }
    }
}
