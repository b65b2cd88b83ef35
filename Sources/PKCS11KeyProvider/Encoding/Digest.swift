internal import CLibCrypto
internal import KeyProvider

/// Hashes on the host: the token signs the digest.
enum Digest {
    /// - Returns: `nil` when libcrypto refuses the hash, which a restricted provider configuration can do.
    static func hash(_ message: [UInt8], _ algorithm: HashAlgorithm) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard EVP_Digest(message, message.count, &digest, &count, self.fetched.method(algorithm), nil) == 1 else {
            return nil
        }
        digest.removeLast(digest.count - Int(count))
        return digest
    }

    /// The hashes as libcrypto's providers have them: looked up once, because looking costs as much as hashing a message.
    private static let fetched = Fetched()

    /// `@unchecked Sendable`: fetched methods are constant and never freed here.
    private struct Fetched: @unchecked Sendable {
        private let methods = HashAlgorithm.allCases.map { EVP_MD_fetch(nil, $0.rawValue, nil) }

        /// The method that is looked up at each use where none was found, so that libcrypto says so.
        func method(_ algorithm: HashAlgorithm) -> OpaquePointer? {
            HashAlgorithm.allCases.firstIndex(of: algorithm).flatMap { self.methods[$0] } ?? Digest.method(algorithm)
        }
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
