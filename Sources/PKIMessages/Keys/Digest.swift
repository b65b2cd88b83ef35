import Crypto
package import SwiftASN1

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The hash functions of the messages. SHA-1 is here for what the protocols of 2003 fix: key identifiers,
/// thumbprints, the hash of an archived key, and the signatures of old clients over their own requests.
package enum Digest: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    case sha1 = "SHA-1"
    case sha256 = "SHA-256"
    case sha384 = "SHA-384"
    case sha512 = "SHA-512"

    /// - Returns: `nil` for any other hash, MD5 included.
    package init?(oid: ASN1ObjectIdentifier) {
        guard let known = Digest.allCases.first(where: { $0.oid == oid }) else { return nil }
        self = known
    }

    package var oid: ASN1ObjectIdentifier {
        switch self {
        case .sha1: OID.sha1
        case .sha256: OID.sha256
        case .sha384: OID.sha384
        case .sha512: OID.sha512
        }
    }

    /// The digest's length in bytes.
    package var byteCount: Int {
        switch self {
        case .sha1: 20
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    package func hash(_ bytes: [UInt8]) -> [UInt8] {
        switch self {
        // By its bytes: as a sequence a digest makes an array of its own first.
        case .sha1: Insecure.SHA1.hash(data: bytes).withUnsafeBytes { Array($0) }
        case .sha256: SHA256.hash(data: bytes).withUnsafeBytes { Array($0) }
        case .sha384: SHA384.hash(data: bytes).withUnsafeBytes { Array($0) }
        case .sha512: SHA512.hash(data: bytes).withUnsafeBytes { Array($0) }
        }
    }

    package var description: String { self.rawValue }
}
