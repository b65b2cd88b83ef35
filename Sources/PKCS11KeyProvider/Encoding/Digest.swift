internal import CLibCrypto
internal import KeyProvider

/// Hashes on the host: the token signs the digest.
enum Digest {
    /// - Returns: `nil` when libcrypto refuses the hash, which a restricted provider configuration can do.
    static func hash(_ message: [UInt8], _ algorithm: HashAlgorithm) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard EVP_Digest(message, message.count, &digest, &count, self.method(algorithm), nil) == 1 else { return nil }
        return Array(digest.prefix(Int(count)))
    }

    static func method(_ algorithm: HashAlgorithm) -> OpaquePointer? {
        switch algorithm {
        case .sha1: EVP_sha1()
        case .sha256: EVP_sha256()
        case .sha384: EVP_sha384()
        case .sha512: EVP_sha512()
        }
    }

    /// The DER DigestInfo (RFC 8017, section 9.2, note 1).
    static func digestInfo(_ digest: [UInt8], _ algorithm: HashAlgorithm) -> [UInt8] {
        let identifier: [UInt8] =
            switch algorithm {
            case .sha1: [0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A]
            case .sha256: [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]
            case .sha384: [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02]
            case .sha512: [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03]
            }
        return DERWriter.sequence([DERWriter.sequence([identifier, DERWriter.null]), DERWriter.octetString(digest)])
    }
}
