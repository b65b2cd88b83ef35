import Crypto
import SwiftASN1
import X509

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A public key with a signature algorithm that fits it, decoded once and ready to check any number of signatures.
///
/// P-256, P-384, P-521, Ed25519, and RSA of 2048 bits and more with SHA-2, are checked by swift-crypto, which is
/// about three times as fast; the rest (shorter RSA keys, SHA-1, RSASSA-PSS, other curves, Ed448) by libcrypto.
/// SHA-1 is accepted here, for requests that old clients sign with their own keys; who checks a certificate
/// or a CRL uses ``CertificateFields/isSigned(by:)`` and its like, which refuse it.
package struct SignatureVerifier: Sendable {
    private enum Key {
        case p256(P256.Signing.PublicKey, Digest)
        case swiftCrypto(Certificate.PublicKey, Certificate.SignatureAlgorithm)
        case libcrypto(SubjectPublicKeyInfo, SignatureScheme)
    }

    private let key: Key

    /// - Throws: ``PKIMessageError`` with `unsupportedAlgorithm` when the algorithm is unknown, does not fit the key, or
    ///   has parameters that it must not have.
    package init(_ info: SubjectPublicKeyInfo, algorithm: SignatureAlgorithmIdentifier) throws {
        let scheme = try SignatureScheme(algorithm, key: info)
        // `try?` twice: a key that swift-crypto does not take is libcrypto's.
        if case .ecdsa(let digest) = scheme, info.namedCurve == OID.secp256r1,
            let key = try? P256.Signing.PublicKey(x963Representation: info.keyBits)
        {
            self.key = .p256(key, digest)
        } else if let fast = scheme.swiftCryptoAlgorithm, !(info.isRSA && info.keySizeBits < 2048),
            let key = try? Certificate.PublicKey(derEncoded: info.derBytes)
        {
            self.key = .swiftCrypto(key, fast)
        } else {
            self.key = .libcrypto(info, scheme)
        }
    }

    /// - Parameter signature: for ECDSA the DER `ECDSA-Sig-Value` (RFC 3279, section 2.2.3).
    /// - Returns: false for a signature that is not this key's over these bytes.
    /// - Throws: ``PKIMessageError`` with `unsupportedAlgorithm` when libcrypto does not know the key.
    package func isValidSignature(_ signature: [UInt8], over bytes: [UInt8]) throws -> Bool {
        switch self.key {
        case .p256(let key, let digest):
            // `try?`: what is no signature is none of this key.
            guard let raw = Self.rawSignature(signature, fieldBytes: 32),
                let found = try? P256.Signing.ECDSASignature(rawRepresentation: raw)
            else { return false }
            return switch digest {
            case .sha256: key.isValidSignature(found, for: SHA256.hash(data: bytes))
            case .sha384: key.isValidSignature(found, for: SHA384.hash(data: bytes))
            case .sha512: key.isValidSignature(found, for: SHA512.hash(data: bytes))
            case .sha1: false
            }
        case .swiftCrypto(let key, let algorithm):
            return key.isValidSignature(signature, for: bytes, signatureAlgorithm: algorithm)
        case .libcrypto(let info, let scheme):
            return try LibCrypto.PublicKey(info).isValidSignature(signature, over: bytes, scheme: scheme)
        }
    }

    /// `ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }` as two numbers of `fieldBytes` each, one after the other;
    /// `nil` for anything else, and for numbers that are negative, not minimal or too long.
    static func rawSignature(_ signature: [UInt8], fieldBytes: Int) -> Data? {
        signature.withUnsafeBytes { bytes -> Data? in
            guard let outer = DERHeader(bytes, at: 0, end: bytes.count), outer.identifier == 0x30,
                outer.totalBytes == bytes.count
            else { return nil }
            var raw = Data(capacity: 2 * fieldBytes)
            var offset = outer.headerBytes
            for _ in 0..<2 {
                guard let number = DERHeader(bytes, at: offset, end: bytes.count), number.identifier == 0x02
                else { return nil }
                let content = bytes[offset + number.headerBytes..<offset + number.totalBytes]
                guard DERInteger.isMinimalNonNegative(content) else { return nil }
                let magnitude = content.first == 0 ? content.dropFirst() : content
                guard magnitude.count <= fieldBytes else { return nil }
                raw.append(contentsOf: repeatElement(0, count: fieldBytes - magnitude.count))
                raw.append(contentsOf: magnitude)
                offset += number.totalBytes
            }
            return offset == bytes.count ? raw : nil
        }
    }
}
