package import SecretMemory
package import SwiftASN1

/// A private key of any algorithm in locked memory (PKCS #8; RFC 5958, section 2). It is read in place: no part of it is
/// copied to memory that is not wiped.
///
///     OneAsymmetricKey ::= SEQUENCE { version INTEGER { v1(0), v2(1) }, privateKeyAlgorithm AlgorithmIdentifier,
///         privateKey OCTET STRING, attributes [0] SET OF Attribute OPTIONAL, publicKey [1] BIT STRING OPTIONAL }
package struct PrivateKeyInfo: Sendable {
    /// DER PrivateKeyInfo, version 0, without attributes and public key, and without padding.
    package let derBytes: SecretBytes
    package let algorithm: ASN1ObjectIdentifier

    private static let what = "private key"
    /// A token pads to a multiple of 8.
    private static let maximumPadding = 7

    /// - Parameters:
    ///   - bytes: the key and nothing after it.
    ///   - allowingZeroPadding: takes up to 7 zero bytes after the key, which SoftHSM adds before it wraps a key with
    ///     AES key wrap, RFC 5649 included: the padded length is what the wrap then protects. Any other byte is refused.
    /// - Throws: ``PKIMessageError``: `malformed`, `trailingBytes`, `tooLarge`, `tooDeep`.
    package init(derEncoded bytes: SecretBytes, allowingZeroPadding: Bool = false) throws {
        guard bytes.count <= DERLimits.maximumMessageBytes else {
            throw PKIMessageError.tooLarge(
                Self.what, bytes: bytes.count, limit: DERLimits.maximumMessageBytes)
        }
        (self.derBytes, self.algorithm) = try bytes.withUnsafeBytes { buffer in
            guard let outer = DERHeader(buffer, at: 0, end: buffer.count) else {
                throw PKIMessageError.malformed(Self.what, "it is truncated, or it is not DER")
            }
            let padding = buffer[outer.totalBytes...]
            let isPadding =
                allowingZeroPadding && padding.count <= Self.maximumPadding && padding.allSatisfy { $0 == 0 }
            guard padding.isEmpty || isPadding else {
                throw PKIMessageError.trailingBytes(Self.what, count: padding.count)
            }
            return try Self.read(UnsafeRawBufferPointer(rebasing: buffer[..<outer.totalBytes]))
        }
    }

    /// The public half: computed from the private one, or, of an RSA key, the numbers of it that stand in the key.
    ///
    /// - Throws: ``PKIMessageError`` with `malformed` when libcrypto cannot read the key.
    package func subjectPublicKeyInfo() throws -> SubjectPublicKeyInfo {
        if self.algorithm == OID.rsaEncryption {
            do {
                return try RSAPrivateKeyDER.withNumbers(of: self) {
                    try SubjectPublicKeyInfo(
                        rsa: RSAPublicKey(
                            modulus: $0.modulus.magnitude, publicExponent: $0.publicExponent.magnitude))
                }
            } catch let error as PKIMessageError where error.code == .malformed {
                // More than two primes: libcrypto knows such keys.
            }
        }
        return try SubjectPublicKeyInfo(derEncoded: self.key().publicKeyDER())
    }

    /// Proves by an operation that this is the private half of `publicKey`: a random challenge is encrypted with the
    /// one and decrypted with the other (RSA), or signed with the one and verified with the other.
    ///
    /// - Parameter random: gives as many random bytes as it is asked for.
    /// - Throws: ``PKIMessageError`` with `malformed` when the private key is none.
    package func matches(
        _ publicKey: SubjectPublicKeyInfo, random: @Sendable (Int) throws -> [UInt8] = LibCrypto.randomBytes
    ) throws -> Bool {
        guard publicKey.algorithm == self.algorithm else { return false }
        let challenge = try random(32)
        if publicKey.isRSA {
            let key = try self.key()
            let encrypted = try KeyTransport.encrypt(challenge, to: publicKey, transport: .pkcs1v15)
            do {
                return try key.decrypt(encrypted, transport: .pkcs1v15).matches(SecretBytes(copying: challenge))
            } catch let error as PKIMessageError where error.code == .decryptionFailed {
                return false
            }
        }
        guard let algorithm = publicKey.defaultSignatureAlgorithm else {
            throw PKIMessageError.unsupportedAlgorithm(Self.what, self.algorithm)
        }
        let key = try self.signingKey(of: publicKey)
        let signature = try key.sign(challenge, digest: algorithm.digest)
        return try publicKey.isValidSignature(signature, over: challenge, algorithm: algorithm)
    }

    /// For a proof: a key on the NIST curve of `publicKey` by its number alone, any other as libcrypto decodes it.
    ///
    ///     ECPrivateKey ::= SEQUENCE { version INTEGER { 1 }, privateKey OCTET STRING, ... }     -- RFC 5915, section 3
    private func signingKey(of publicKey: SubjectPublicKeyInfo) throws -> LibCrypto.PrivateKey {
        let curve: (name: StaticString, orderBytes: Int)
        switch publicKey.namedCurve {
        case OID.secp256r1: curve = ("P-256", 32)
        case OID.secp384r1: curve = ("P-384", 48)
        case OID.secp521r1: curve = ("P-521", 66)
        default: return try self.key()
        }
        let known = try self.derBytes.withUnsafeBytes { bytes -> LibCrypto.PrivateKey? in
            var outer = DERFields(bytes)
            var info = DERFields(outer.next(0x30)?.content ?? bytes)
            _ = info.next(0x02)
            guard let algorithm = info.next(0x30), let octets = info.next(0x04) else { return nil }
            var identifier = DERFields(algorithm.content)
            var inner = DERFields(octets.content)
            var fields = DERFields(inner.next(0x30)?.content ?? octets.content)
            guard identifier.next(0x06) != nil, let parameters = identifier.next(0x06),
                parameters.element.elementsEqual(publicKey.parametersDER ?? []), fields.next(0x02) != nil,
                let number = fields.next(0x04)?.content, number.count == curve.orderBytes
            else { return nil }
            return try LibCrypto.PrivateKey(curve: curve.name, privateKey: number)
        }
        return try known ?? self.key()
    }

    /// True when this is the private half of `publicKey`, of a pair that has proven itself before: its numbers are those of
    /// the public key and belong together. Whoever may have chosen the numbers so that they seem to, is asked by
    /// ``matches(_:random:)``, which takes ten times as long for an RSA key; other keys are asked by that here, too.
    ///
    /// - Throws: ``PKIMessageError`` with `malformed` when the private key is none.
    package func isStill(keyOf publicKey: SubjectPublicKeyInfo) throws -> Bool {
        guard let wanted = publicKey.rsaPublicKey, publicKey.algorithm == self.algorithm else {
            return try self.matches(publicKey)
        }
        do {
            return try RSAPrivateKeyDER.withNumbers(of: self) { numbers in
                guard numbers.modulus.magnitude == wanted.modulus,
                    numbers.publicExponent.magnitude == wanted.publicExponent
                else { return false }
                return try numbers.areConsistent()
            }
        } catch let error as PKIMessageError where error.code == .malformed {
            // More than two primes: libcrypto knows such keys.
            return try self.matches(publicKey)
        }
    }

    /// - Throws: ``PKIMessageError``: `signatureOnlyKey` for a key that is not RSA, `decryptionFailed`.
    package func decrypt(_ ciphertext: [UInt8], transport: TransportPadding) throws -> SecretBytes {
        guard self.algorithm == OID.rsaEncryption else { throw PKIMessageError.signatureOnlyKey(Self.what) }
        return try self.key().decrypt(ciphertext, transport: transport)
    }

    func key() throws -> LibCrypto.PrivateKey {
        try LibCrypto.PrivateKey(pkcs8: self.derBytes)
    }

    /// Checks the structure and gives the three fields of version 0, which is all that libcrypto 3.0 reads.
    private static func read(_ bytes: UnsafeRawBufferPointer) throws -> (SecretBytes, ASN1ObjectIdentifier) {
        try DERHeader.checkShape(bytes, what: self.what, maximumDepth: DERLimits.maximumDepth)
        var fields = DERFields(bytes)
        guard let outer = fields.next(0x30), fields.isAtEnd else { throw self.malformed("it is not a SEQUENCE") }
        fields = DERFields(outer.content)
        guard let version = fields.next(0x02)?.content, version.count == 1, version[0] <= 1 else {
            throw self.malformed("its version is unknown")
        }
        guard let algorithm = fields.next(0x30), let privateKey = fields.next(0x04) else {
            throw self.malformed("its algorithm or key is missing")
        }
        _ = fields.next(0xA0)
        if version[0] == 1 { _ = fields.next(0x81) }
        guard fields.isAtEnd else { throw self.malformed("it has unknown fields") }
        let identifier = try SignatureAlgorithmIdentifier(derEncoded: Array(algorithm.element))
        // Every algorithm here has one DER element in the OCTET STRING.
        try DERHeader.checkShape(privateKey.content, what: self.what, maximumDepth: DERLimits.maximumDepth)
        return (try self.version0(algorithm.element, privateKey.element), identifier.algorithm)
    }

    private static func version0(
        _ algorithm: UnsafeRawBufferPointer, _ privateKey: UnsafeRawBufferPointer
    ) throws -> SecretBytes {
        let version: [UInt8] = [0x02, 0x01, 0x00]
        let header = DERHeader.encoded(
            identifier: 0x30, contentBytes: version.count + algorithm.count + privateKey.count)
        return try SecretBytes(
            capacity: header.count + version.count + algorithm.count + privateKey.count
        ) { buffer in
            var offset = 0
            for part in [header, version] {
                UnsafeMutableRawBufferPointer(rebasing: buffer[offset...]).copyBytes(from: part)
                offset += part.count
            }
            for part in [algorithm, privateKey] {
                UnsafeMutableRawBufferPointer(rebasing: buffer[offset...]).copyMemory(from: part)
                offset += part.count
            }
            return offset
        }
    }

    private static func malformed(_ why: String) -> PKIMessageError {
        .malformed(self.what, why)
    }
}

/// Walks over the elements inside a constructed one, in place.
struct DERFields {
    struct Field {
        /// Identifier, length and content.
        let element: UnsafeRawBufferPointer
        let content: UnsafeRawBufferPointer
    }

    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { self.offset == self.bytes.count }

    /// Takes the next element when its identifier octet is `identifier`.
    mutating func next(_ identifier: UInt8) -> Field? {
        guard let header = DERHeader(self.bytes, at: self.offset, end: self.bytes.count),
            header.identifier == identifier
        else { return nil }
        let end = self.offset + header.totalBytes
        let field = Field(
            element: UnsafeRawBufferPointer(rebasing: self.bytes[self.offset..<end]),
            content: UnsafeRawBufferPointer(rebasing: self.bytes[(self.offset + header.headerBytes)..<end]))
        self.offset = end
        return field
    }
}
