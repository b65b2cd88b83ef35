import CLibCrypto
package import SecretMemory

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Stored passwords of service users: PBKDF2 with HMAC-SHA-256 (RFC 8018, section 5.2), as
/// `$pbkdf2-sha256$ROUNDS$SALT$HASH`, salt and hash in base64.
package enum PasswordHash {
    /// OWASP's figure of 2023 for PBKDF2 with HMAC-SHA-256.
    package static let defaultRounds = 600_000
    private static let hashBytes = 32
    /// More rounds than this in a stored hash would stop the service instead of protecting it.
    private static let maximumRounds = 10_000_000
    private static let what = "stored password"

    /// - Parameter salt: at least 16 random bytes; `nil` takes them from libcrypto's generator.
    /// - Throws: ``PKIMessageError`` with `invalidValue` for a short salt or less than 1000 rounds.
    package static func make(
        password: SecretBytes, salt: [UInt8]? = nil, rounds: Int = defaultRounds
    ) throws -> String {
        let salt = try salt ?? LibCrypto.randomBytes(16)
        guard salt.count >= 16, (1000...self.maximumRounds).contains(rounds) else {
            throw PKIMessageError.invalidValue(self.what, "the salt is short, or there are too few or many rounds")
        }
        let hash = try self.derive(password, salt: salt, rounds: rounds, count: self.hashBytes)
        let text = hash.withUnsafeBytes { Data($0).base64EncodedString() }
        return "$pbkdf2-sha256$\(rounds)$\(Data(salt).base64EncodedString())$\(text)"
    }

    /// Compares in a time that does not depend on where the hashes differ.
    ///
    /// - Throws: ``PKIMessageError`` with `malformed` when `stored` is not a text that ``make(password:salt:rounds:)`` makes.
    package static func verify(_ password: SecretBytes, against stored: String) throws -> Bool {
        let fields = stored.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count == 5, fields[0].isEmpty, fields[1] == "pbkdf2-sha256", let rounds = Int(fields[2]),
            (1000...self.maximumRounds).contains(rounds), let salt = Data(base64Encoded: String(fields[3])),
            let hash = Data(base64Encoded: String(fields[4])), hash.count == self.hashBytes
        else { throw PKIMessageError.malformed(self.what, "it is not $pbkdf2-sha256$ROUNDS$SALT$HASH") }
        let expected = try SecretBytes(copying: hash)
        return try self.derive(password, salt: Array(salt), rounds: rounds, count: hash.count).matches(expected)
    }

    static func derive(_ password: SecretBytes, salt: [UInt8], rounds: Int, count: Int) throws -> SecretBytes {
        try SecretBytes(capacity: count) { buffer in
            let result = password.withUnsafeBytes { bytes in
                PKCS5_PBKDF2_HMAC(
                    bytes.bindMemory(to: CChar.self).baseAddress, Int32(bytes.count), salt, Int32(salt.count),
                    Int32(rounds), EVP_sha256(), Int32(count), buffer.bindMemory(to: UInt8.self).baseAddress)
            }
            try LibCrypto.check(result, "PBKDF2")
            return count
        }
    }
}
