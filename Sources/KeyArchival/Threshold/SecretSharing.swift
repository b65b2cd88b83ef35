import SecretMemory

/// Shamir's scheme (A. Shamir, "How to share a secret", Communications of the ACM 22, 1979), byte by byte over
/// ``GaloisField``: each byte of the secret is the value at 0 of a polynomial of its own, of degree m − 1 with random
/// coefficients, and share x holds the values at x. Any m shares give the secret; fewer say nothing about it.
enum SecretSharing {
    /// Share x of n is at index x − 1 of the result.
    ///
    /// - Parameters:
    ///   - threshold: m, at least 1.
    ///   - count: n, from m to 255.
    ///   - random: gives as many random bytes as it is asked for.
    static func split(
        _ secret: SecretBytes, threshold: Int, count: Int, random: (Int) throws -> [UInt8]
    ) throws -> [SecretBytes] {
        precondition((1...count).contains(threshold) && count <= 255, "the caller has checked m and n")
        var bytes = try random((threshold - 1) * secret.count)
        let coefficients = try SecretBytes(moving: &bytes)
        return try (1...count).map { try self.share(UInt8($0), of: secret, coefficients) }
    }

    /// Horner's rule, from the highest coefficient down to the secret.
    private static func share(
        _ x: UInt8, of secret: SecretBytes, _ coefficients: SecretBytes
    ) throws -> SecretBytes {
        try secret.withUnsafeBytes { secret in
            try coefficients.withUnsafeBytes { coefficients in
                try SecretBytes(capacity: secret.count) { buffer in
                    for index in secret.indices {
                        var value: UInt8 = 0
                        for position in stride(from: index, to: coefficients.count, by: secret.count) {
                            value = GaloisField.multiply(value ^ coefficients[position], x)
                        }
                        buffer[index] = value ^ secret[index]
                    }
                    return secret.count
                }
            }
        }
    }

    /// The value at 0 of the polynomials through these points (Lagrange).
    ///
    /// - Parameter shares: of distinct indices from 1 to 255 and of one length. With fewer than m, or with a wrong one,
    ///   the result is a wrong secret: the caller authenticates what it opens.
    static func combine(_ shares: [(index: UInt8, value: SecretBytes)]) throws -> SecretBytes {
        precondition(
            Set(shares.map(\.index)).count == shares.count && !shares.contains { $0.index == 0 },
            "the caller has checked the indices")
        let length = shares.map(\.value.count).min() ?? 0
        return try SecretBytes(capacity: length) { buffer in
            for (x, value) in shares {
                let basis = shares.reduce(UInt8(1)) { product, other in
                    other.index == x
                        ? product
                        : GaloisField.multiply(
                            product, GaloisField.multiply(other.index, GaloisField.inverse(other.index ^ x)))
                }
                value.withUnsafeBytes { bytes in
                    for index in 0..<length { buffer[index] ^= GaloisField.multiply(bytes[index], basis) }
                }
            }
            return length
        }
    }
}
