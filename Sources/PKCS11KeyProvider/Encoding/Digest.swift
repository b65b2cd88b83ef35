internal import CLibCrypto
internal import KeyProvider

/// Hashes on the host: the token signs the digest.
enum Digest {
    /// - Returns: `nil` when libcrypto refuses the hash, which a restricted provider configuration can do.
    static func hash(_ message: [UInt8], _ algorithm: HashAlgorithm) -> [UInt8]? {
        var isMade = false
        let digest = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { digest, count in
            var length: UInt32 = 0
            let method = self.fetched.method(algorithm)
            isMade = EVP_Digest(message, message.count, digest.baseAddress, &length, method, nil) == 1
            count = isMade ? Int(length) : 0
        }
        return isMade ? digest : nil
    }

    /// The hashes as libcrypto's providers have them: looked up once, because looking costs as much as hashing a message.
    private static let fetched = Fetched()

    /// `@unchecked Sendable`: fetched methods are constant and never freed here.
    private struct Fetched: @unchecked Sendable {
        private let sha1 = EVP_MD_fetch(nil, HashAlgorithm.sha1.rawValue, nil)
        private let sha256 = EVP_MD_fetch(nil, HashAlgorithm.sha256.rawValue, nil)
        private let sha384 = EVP_MD_fetch(nil, HashAlgorithm.sha384.rawValue, nil)
        private let sha512 = EVP_MD_fetch(nil, HashAlgorithm.sha512.rawValue, nil)

        /// The method that is looked up at each use where none was found, so that libcrypto says so.
        func method(_ algorithm: HashAlgorithm) -> OpaquePointer? {
            let fetched =
                switch algorithm {
                case .sha1: self.sha1
                case .sha256: self.sha256
                case .sha384: self.sha384
                case .sha512: self.sha512
                }
            return fetched ?? Digest.method(algorithm)
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

    /// The DER DigestInfo (RFC 8017, section 9.2, note 1): as given there, up to the digest.
    static func digestInfo(_ digest: [UInt8], _ algorithm: HashAlgorithm) -> [UInt8] {
        switch algorithm {
        case .sha1:
            [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04, 0x14] + digest
        case .sha256: self.digestInfo(digest, length: 0x31, 0x01, 0x20)
        case .sha384: self.digestInfo(digest, length: 0x41, 0x02, 0x30)
        case .sha512: self.digestInfo(digest, length: 0x51, 0x03, 0x40)
        }
    }

    /// - Parameters:
    ///   - length: of what follows.
    ///   - last: arc of the hash below 2.16.840.1.101.3.4.2.
    private static func digestInfo(_ digest: [UInt8], length: UInt8, _ last: UInt8, _ digestLength: UInt8) -> [UInt8] {
        [
            0x30, length, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last, 0x05, 0x00,
            0x04,
            digestLength,
        ] + digest
    }
}
