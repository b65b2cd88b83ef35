/// An asymmetric key's algorithm and size.
public enum KeyAlgorithm: Hashable, Sendable, Codable {
    /// RSA with the modulus length in bits and the public exponent 65537.
    case rsa(modulusBits: Int)
    /// NIST P-256, P-384 and P-521 (FIPS 186-4, appendix D.1.2).
    case p256, p384, p521
    /// Ed25519 (RFC 8032), where the device has it.
    case ed25519
}

extension KeyAlgorithm: CustomStringConvertible, LosslessStringConvertible {
    /// `rsa-2048`, `p-256` and so on: the form used in configuration and on the command line.
    public var description: String {
        switch self {
        case .rsa(let bits): "rsa-\(bits)"
        case .p256: "p-256"
        case .p384: "p-384"
        case .p521: "p-521"
        case .ed25519: "ed25519"
        }
    }

    public init?(_ description: String) {
        switch description.lowercased() {
        case "p-256", "p256": self = .p256
        case "p-384", "p384": self = .p384
        case "p-521", "p521": self = .p521
        case "ed25519": self = .ed25519
        case let text where text.hasPrefix("rsa-"):
            guard let bits = Int(text.dropFirst(4)), (1024...16384).contains(bits), bits % 256 == 0 else { return nil }
            self = .rsa(modulusBits: bits)
        default: return nil
        }
    }

    /// True for RSA keys, the only ones that can transport a content-encryption key.
    public var isRSA: Bool {
        if case .rsa = self { true } else { false }
    }
}

/// A hash function.
public enum HashAlgorithm: String, Hashable, Sendable, Codable, CaseIterable {
    case sha1 = "SHA-1"
    case sha256 = "SHA-256"
    case sha384 = "SHA-384"
    case sha512 = "SHA-512"
}

/// A signature algorithm over a whole message: hash and scheme.
public enum SignatureAlgorithm: Hashable, Sendable, Codable {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
    case rsaPKCS1v15(HashAlgorithm)
    /// ECDSA; the signature is the DER `ECDSA-Sig-Value` (RFC 3279, section 2.2.3).
    case ecdsa(HashAlgorithm)
    /// RSASSA-PSS with MGF1 of the same hash and a salt as long as the hash (RFC 8017, section 8.1).
    case rsaPSS(HashAlgorithm)
    /// Ed25519, which hashes the message itself (RFC 8032, section 5.1).
    case ed25519
}

/// How an RSA key transports a content-encryption key.
public enum KeyTransportAlgorithm: Hashable, Sendable, Codable {
    /// RSAES-PKCS1-v1_5 (RFC 8017, section 7.2).
    case rsaPKCS1v15
    /// RSAES-OAEP with MGF1 of the same hash and an empty label (RFC 8017, section 7.1).
    case rsaOAEP(HashAlgorithm)
}

/// How a symmetric key wraps a key.
public enum KeyWrapAlgorithm: String, Hashable, Sendable, Codable {
    /// AES key wrap with padding (RFC 5649), for keys of any length.
    case aesKeyWrapPadded
    /// AES key wrap without padding (RFC 3394), for keys of a multiple of 8 bytes.
    case aesKeyWrap
}

/// A symmetric key that a token can make.
public enum SecretKeyAlgorithm: String, Hashable, Sendable, Codable {
    case aes256
    case tripleDES

    /// The length of the key in bytes.
    public var keyBytes: Int {
        switch self {
        case .aes256: 32
        case .tripleDES: 24
        }
    }
}

/// A block cipher and its mode.
public struct ContentCipher: Hashable, Sendable {
    public enum Mode: Hashable, Sendable {
        /// CBC with the padding of RFC 5652, section 6.3.
        case cbc
        /// GCM with a tag of 128 bits after the ciphertext (NIST SP 800-38D); AES only.
        case gcm(additionalData: [UInt8])
    }

    public var algorithm: SecretKeyAlgorithm
    public var mode: Mode
    /// For CBC 16 bytes for AES, 8 for triple DES; for GCM 12 bytes, never used twice with one key.
    public var initializationVector: [UInt8]

    public init(algorithm: SecretKeyAlgorithm, mode: Mode = .cbc, initializationVector: [UInt8]) {
        self.algorithm = algorithm
        self.mode = mode
        self.initializationVector = initializationVector
    }
}

/// What a key on a token is for. A role decides which operations the token is told to allow: a signing key cannot
/// decrypt, an exchange key cannot sign.
public enum KeyRole: String, Hashable, Sendable, Codable {
    /// Signs certificates, CRLs, responses and recovery blobs.
    case caSigning
    /// Unwraps the keys that requesters send for archival.
    case exchange
    /// Opens archived keys, and signs the request for its own certificate.
    case keyRecoveryAgent
    /// Signs the TLS handshakes of the enrolment service.
    case tlsServer
    /// A requester's own key, signature and key transport.
    case subscriber
}
