import SwiftASN1

/// The three-part shape that certificates, revocation lists and certification requests share (RFC 5280, section 4.1.1):
///
///     SEQUENCE { toBeSigned ANY, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
package enum SignedObject {
    /// Puts a signature to the bytes that were signed.
    ///
    /// - Parameters:
    ///   - tbs: DER of the to-be-signed part, taken over as it is.
    ///   - signature: for ECDSA the DER `ECDSA-Sig-Value`, as it stands in the BIT STRING.
    package static func assemble(
        tbs: [UInt8], algorithm: SignatureAlgorithmIdentifier, signature: [UInt8]
    ) -> [UInt8] {
        // A BIT STRING begins with the number of its unused bits.
        let bits = DERHeader.encoded(identifier: 0x03, contentBytes: signature.count + 1) + [0]
        let count = tbs.count + algorithm.derBytes.count + bits.count + signature.count
        var bytes = DERHeader.encoded(identifier: 0x30, contentBytes: count)
        bytes.reserveCapacity(bytes.count + count)
        bytes += tbs
        bytes += algorithm.derBytes
        bytes += bits
        bytes += signature
        return bytes
    }

    /// The parts of a signed object as received.
    struct Parts: DERParseable {
        let tbs: ASN1Node
        let algorithm: SignatureAlgorithmIdentifier
        let signature: [UInt8]

        init(derEncoded node: ASN1Node) throws {
            (self.tbs, self.algorithm, self.signature) = try DER.sequence(node, identifier: .sequence) { nodes in
                let tbs = try StrictDER.next(&nodes, "the signed part")
                let algorithm = try SignatureAlgorithmIdentifier(derEncoded: &nodes)
                let signature = try ASN1BitString(derEncoded: &nodes)
                guard signature.paddingBits == 0 else {
                    throw ASN1Error.invalidASN1Object(reason: "a signature has unused bits")
                }
                return (tbs, algorithm, Array(signature.bytes))
            }
        }

        var tbsBytes: [UInt8] { StrictDER.raw(self.tbs) }
    }
}
