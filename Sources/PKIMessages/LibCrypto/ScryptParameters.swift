import CLibCrypto
package import SecretMemory
package import SwiftASN1

/// What turns a password into a key so that each guess costs memory (RFC 7914).
///
///     scrypt-params ::= SEQUENCE {
///         salt OCTET STRING,
///         costParameter INTEGER (1..MAX),
///         blockSize INTEGER (1..MAX),
///         parallelizationParameter INTEGER (1..MAX),
///         keyLength INTEGER (1..MAX) OPTIONAL }
package struct ScryptParameters: Hashable, Sendable {
    package let salt: [UInt8]
    /// N: a power of two. One guess takes 128 × N × r bytes of memory.
    package let cost: Int
    /// r
    package let blockSize: Int
    /// p
    package let parallelization: Int

    private static let what = "scrypt parameters"
    /// What is read of a file that somebody else may have written must not take all memory or all day.
    private static let costs = 1 << 14...1 << 20
    private static let maximumMemory = 1 << 30

    /// - Parameters:
    ///   - salt: 16 to 64 random bytes.
    ///   - cost: 2^17 by default: 128 MiB a guess.
    /// - Throws: ``PKIMessageError`` with `invalidValue` for a cost out of 2^14 ... 2^20, or more than 1 GiB of memory.
    package init(salt: [UInt8], cost: Int = 1 << 17, blockSize: Int = 8, parallelization: Int = 1) throws {
        guard (16...64).contains(salt.count), Self.costs.contains(cost), cost.nonzeroBitCount == 1,
            (1...64).contains(blockSize), (1...16).contains(parallelization),
            128 * cost * blockSize <= Self.maximumMemory
        else { throw PKIMessageError.invalidValue(Self.what, "cost, sizes or salt are out of their bounds") }
        self.salt = salt
        self.cost = cost
        self.blockSize = blockSize
        self.parallelization = parallelization
    }

    /// - Throws: ``PKIMessageError`` with `libcryptoFailed` when there is not enough memory.
    package func key(from password: SecretBytes, bytes count: Int) throws -> SecretBytes {
        try ScryptParameters.derive(
            password, salt: self.salt, cost: self.cost, blockSize: self.blockSize,
            parallelization: self.parallelization, count: count)
    }

    /// Without the bounds, for the vectors of RFC 7914.
    static func derive(
        _ password: SecretBytes, salt: [UInt8], cost: Int, blockSize: Int, parallelization: Int, count: Int
    ) throws -> SecretBytes {
        try SecretBytes(capacity: count) { buffer in
            let result = password.withUnsafeBytes { bytes in
                EVP_PBE_scrypt(
                    // Without an address libcrypto would only check the parameters.
                    bytes.bindMemory(to: CChar.self).baseAddress, bytes.count, salt, salt.count, UInt64(cost),
                    UInt64(blockSize), UInt64(parallelization), UInt64(2 * Self.maximumMemory),
                    buffer.bindMemory(to: UInt8.self).baseAddress, count)
            }
            try LibCrypto.check(result, "scrypt")
            return count
        }
    }
}

extension ScryptParameters: DERParseable, DERSerializable {
    package init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            let salt = try ASN1OctetString(derEncoded: &nodes)
            let (cost, blockSize) = (try Int(derEncoded: &nodes), try Int(derEncoded: &nodes))
            return try ScryptParameters(
                salt: Array(salt.bytes), cost: cost, blockSize: blockSize, parallelization: Int(derEncoded: &nodes))
        }
    }

    package func serialize(into coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(ASN1OctetString(contentBytes: self.salt[...]))
            try coder.serialize(self.cost)
            try coder.serialize(self.blockSize)
            try coder.serialize(self.parallelization)
        }
    }
}
