import SwiftASN1
import X509

extension SubjectPublicKeyInfo {
    /// Checks a signature with this key, as ``SignatureVerifier`` does, which who checks several takes.
    ///
    /// - Parameter signature: for ECDSA the DER `ECDSA-Sig-Value` (RFC 3279, section 2.2.3).
    /// - Returns: false for a signature that is not this key's over these bytes.
    /// - Throws: ``PKIMessageError`` with `unsupportedAlgorithm` when the algorithm is unknown, does not fit the key, or
    ///   has parameters that it must not have.
    package func isValidSignature(
        _ signature: [UInt8], over bytes: [UInt8], algorithm: SignatureAlgorithmIdentifier
    ) throws -> Bool {
        try SignatureVerifier(self, algorithm: algorithm).isValidSignature(signature, over: bytes)
    }

    /// The same for bytes of which only the hash is at hand.
    ///
    /// - Parameter digest: the hash that `algorithm` names, of the bytes that were signed.
    /// - Throws: ``PKIMessageError`` with `unsupportedAlgorithm`, also for EdDSA, which does not hash first.
    package func isValidSignature(
        _ signature: [UInt8], overDigest digest: [UInt8], algorithm: SignatureAlgorithmIdentifier
    ) throws -> Bool {
        let scheme = try SignatureScheme(algorithm, key: self)
        guard let hash = scheme.digest, hash.byteCount == digest.count else {
            throw PKIMessageError.unsupportedAlgorithm("signature over a hash", algorithm.algorithm)
        }
        return try LibCrypto.PublicKey(self).isValidSignature(signature, overDigest: digest, hash: hash, scheme: scheme)
    }
}

/// A signature algorithm together with the kind of key that it needs.
enum SignatureScheme: Hashable {
    case rsaPKCS1v15(Digest)
    case rsaPSS(PSSParameters)
    case ecdsa(Digest)
    /// Ed25519 and Ed448 (RFC 8032): the key says which.
    case edDSA

    /// - Throws: ``PKIMessageError`` with `unsupportedAlgorithm` when key and algorithm do not fit.
    init(_ identifier: SignatureAlgorithmIdentifier, key: SubjectPublicKeyInfo) throws {
        switch (identifier.algorithm, key.algorithm) {
        case (OID.sha1WithRSA, OID.rsaEncryption), (OID.sha256WithRSA, OID.rsaEncryption),
            (OID.sha384WithRSA, OID.rsaEncryption), (OID.sha512WithRSA, OID.rsaEncryption):
            guard identifier.hasNoParameters, let digest = identifier.digest else { break }
            self = .rsaPKCS1v15(digest)
            return
        case (OID.rsaPSS, OID.rsaEncryption), (OID.rsaPSS, OID.rsaPSS):
            self = .rsaPSS(try PSSParameters(identifier))
            return
        case (OID.ecdsaWithSHA256, OID.ecPublicKey), (OID.ecdsaWithSHA384, OID.ecPublicKey),
            (OID.ecdsaWithSHA512, OID.ecPublicKey):
            guard identifier.parametersDER == nil, let digest = identifier.digest else { break }
            self = .ecdsa(digest)
            return
        case (OID.ed25519, OID.ed25519), (OID.ed448, OID.ed448):
            guard identifier.parametersDER == nil else { break }
            self = .edDSA
            return
        default: break
        }
        throw PKIMessageError.unsupportedAlgorithm(
            "signature", "\(identifier.algorithm) with a key of \(key.algorithm)")
    }

    /// The same in swift-certificates' terms, where swift-crypto has it.
    var swiftCryptoAlgorithm: Certificate.SignatureAlgorithm? {
        switch self {
        case .rsaPKCS1v15(.sha256): .sha256WithRSAEncryption
        case .rsaPKCS1v15(.sha384): .sha384WithRSAEncryption
        case .rsaPKCS1v15(.sha512): .sha512WithRSAEncryption
        case .ecdsa(.sha256): .ecdsaWithSHA256
        case .ecdsa(.sha384): .ecdsaWithSHA384
        case .ecdsa(.sha512): .ecdsaWithSHA512
        case .edDSA: .ed25519
        case .rsaPKCS1v15(.sha1), .ecdsa(.sha1), .rsaPSS: nil
        }
    }

    /// The hash that libcrypto takes beside the key; EdDSA has its own.
    var digest: Digest? {
        switch self {
        case .rsaPKCS1v15(let digest), .ecdsa(let digest): digest
        case .rsaPSS(let parameters): parameters.digest
        case .edDSA: nil
        }
    }
}
