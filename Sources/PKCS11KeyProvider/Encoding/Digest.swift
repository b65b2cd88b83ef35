internal import CLibCrypto
internal import Glibc
internal import KeyProvider

/// Hashes on the host: the token signs the digest.
enum Digest {
    /// - Returns: `nil` when libcrypto refuses the hash, which a restricted provider configuration can do.
    static func hash(_ message: [UInt8], _ algorithm: HashAlgorithm) -> [UInt8]? {
        guard let context = DigestContexts.ofThisThread[algorithm] else { return nil }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(EVP_MAX_MD_SIZE)) { digest in
            var length: UInt32 = 0
            // Begins anew with the hash that the context is for.
            guard EVP_DigestInit_ex(context, nil, nil) == 1,
                EVP_DigestUpdate(context, message, message.count) == 1,
                EVP_DigestFinal_ex(context, digest.baseAddress, &length) == 1
            else { return nil }
            return Array(UnsafeBufferPointer(rebasing: digest.prefix(Int(length))))
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

/// A context for each hash that a thread has used, to be used again: to look a hash up, and to make a context for it, costs
/// as much as to hash a message of a kilobyte, and all threads count the references to a hash in one place.
private final class DigestContexts {
    private var (sha1, sha256, sha384, sha512): (OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?)

    deinit { for context in [self.sha1, self.sha256, self.sha384, self.sha512] { EVP_MD_CTX_free(context) } }

    /// - Returns: `nil` when libcrypto refuses the hash; it is asked again at the next use.
    subscript(_ algorithm: HashAlgorithm) -> OpaquePointer? {
        switch algorithm {
        case .sha1: DigestContexts.begun(&self.sha1, algorithm)
        case .sha256: DigestContexts.begun(&self.sha256, algorithm)
        case .sha384: DigestContexts.begun(&self.sha384, algorithm)
        case .sha512: DigestContexts.begun(&self.sha512, algorithm)
        }
    }

    private static func begun(_ known: inout OpaquePointer?, _ algorithm: HashAlgorithm) -> OpaquePointer? {
        if let known { return known }
        guard let new = EVP_MD_CTX_new() else { return nil }
        guard EVP_DigestInit_ex(new, Digest.method(algorithm), nil) == 1 else {
            EVP_MD_CTX_free(new)
            return nil
        }
        known = new
        return new
    }

    /// Those of the calling thread, which end with it.
    static var ofThisThread: DigestContexts {
        if let known = pthread_getspecific(self.key) {
            return Unmanaged<DigestContexts>.fromOpaque(known).takeUnretainedValue()
        }
        let new = DigestContexts()
        pthread_setspecific(self.key, Unmanaged.passRetained(new).toOpaque())
        return new
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { contexts in
            if let contexts { Unmanaged<DigestContexts>.fromOpaque(contexts).release() }
        }
        return key
    }()
}
