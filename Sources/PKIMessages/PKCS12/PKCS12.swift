import CLibCrypto
package import SecretMemory

/// PKCS #12 files (RFC 7292), made and opened by OpenSSL.
///
/// Keys and certificates are encrypted with AES-256-CBC under PBKDF2 with HMAC-SHA-256; the file is protected by an
/// HMAC-SHA-256. Windows since Server 2016 version 1709, macOS, Java 8u301, NSS and OpenSSL 1.1 read that.
package enum PKCS12 {
    /// Rounds of PBKDF2 and of the MAC's key derivation. As many as readers allow: .NET stops at 300 000 for each and
    /// 1 000 000 together, and a file has three derivations.
    package static let defaultRounds = 300_000
    /// A file that asks for more is refused before it costs the time.
    private static let maximumRounds = 10_000_000
    static let what = "PKCS #12 file"

    /// What a file holds.
    package struct Contents: Sendable {
        /// DER PrivateKeyInfo.
        package let privateKey: SecretBytes
        package let certificate: [UInt8]
        package let chain: [[UInt8]]
        package let friendlyName: String?
    }

    /// What a file holds whose key may still wait for its certificate.
    package struct KeyContents: Sendable {
        /// DER PrivateKeyInfo.
        package let privateKey: SecretBytes
        /// `nil` while the key waits.
        package let certificate: [UInt8]?
        package let chain: [[UInt8]]
        package let friendlyName: String?
    }

    /// A file with a key alone, which waits for its certificate.
    ///
    /// - Throws: ``PKIMessageError``, as ``make(privateKey:certificate:chain:friendlyName:password:rounds:)``.
    package static func makePending(
        privateKey: SecretBytes, friendlyName: String?, password: SecretBytes, rounds: Int = defaultRounds
    ) throws -> SecretBytes {
        let key = try PrivateKeyInfo(derEncoded: privateKey).key()
        let terminated = try self.terminated(password)
        return try terminated.withUnsafeBytes { bytes in
            let characters = bytes.bindMemory(to: CChar.self).baseAddress
            // A MAC round count of -1 makes no MAC: it is made below, with a hash that is named.
            let made = try LibCrypto.require(
                PKCS12_create(
                    characters, friendlyName, key.pointer, nil, nil, NID_aes_256_cbc, NID_aes_256_cbc, Int32(rounds),
                    -1, 0), self.what)
            defer { PKCS12_free(made) }
            try LibCrypto.check(
                PKCS12_set_mac(made, characters, -1, nil, 16, Int32(rounds), EVP_sha256()), self.what)
            return try LibCrypto.secretDER(self.what) { i2d_PKCS12(made, $0) }
        }
    }

    /// - Parameters:
    ///   - privateKey: DER PrivateKeyInfo.
    ///   - certificate: DER; its public key must be that of `privateKey`.
    ///   - chain: DER of the CA certificates, the issuer first.
    ///   - password: UTF-8, without a zero byte.
    /// - Returns: DER PFX.
    /// - Throws: ``PKIMessageError``: `keyMismatch` when key and certificate do not belong together, `malformed`,
    ///   `invalidValue` for a password with a zero byte.
    package static func make(
        privateKey: SecretBytes, certificate: [UInt8], chain: [[UInt8]], friendlyName: String?, password: SecretBytes,
        rounds: Int = defaultRounds
    ) throws -> SecretBytes {
        try self.make(
            [Entry(privateKey: privateKey, certificate: certificate, friendlyName: friendlyName)], chain: chain,
            password: password, protection: .modern(rounds: rounds))
    }

    /// - Throws: ``PKIMessageError``: `malformed` when it is no PKCS #12 file or lacks key or certificate,
    ///   `wrongPassword`.
    package static func open(_ file: SecretBytes, password: SecretBytes) throws -> Contents {
        let opened = try self.openKey(file, password: password)
        guard let certificate = opened.certificate else {
            throw PKIMessageError.malformed(self.what, "it has no certificate for its private key")
        }
        return Contents(
            privateKey: opened.privateKey, certificate: certificate, chain: opened.chain,
            friendlyName: opened.friendlyName)
    }

    /// Opens a file whose key may still wait for its certificate.
    ///
    /// - Throws: ``PKIMessageError``: `malformed` when it is no PKCS #12 file or lacks a key, `wrongPassword`.
    package static func openKey(_ file: SecretBytes, password: SecretBytes) throws -> KeyContents {
        try self.withVerified(file, password: password) { parsed, characters in
            var key: OpaquePointer?
            var certificate: OpaquePointer?
            var others: OpaquePointer?
            let result = PKCS12_parse(parsed, characters, &key, &certificate, &others)
            defer {
                EVP_PKEY_free(key)
                X509_free(certificate)
                signet_sk_X509_pop_free(others)
            }
            try LibCrypto.check(result, self.what)
            guard let key else { throw PKIMessageError.malformed(self.what, "it has no private key") }
            return try self.contents(key, certificate, others)
        }
    }

    private static func contents(
        _ key: OpaquePointer, _ certificate: OpaquePointer?, _ others: OpaquePointer?
    ) throws -> KeyContents {
        let info = try LibCrypto.require(EVP_PKEY2PKCS8(key), self.what)
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        var nameBytes: Int32 = 0
        let name = certificate.flatMap { X509_alias_get0($0, &nameBytes) }.map {
            String(decoding: UnsafeBufferPointer(start: $0, count: Int(nameBytes)), as: UTF8.self)
        }
        return KeyContents(
            privateKey: try LibCrypto.secretDER(self.what) { i2d_PKCS8_PRIV_KEY_INFO(info, $0) },
            certificate: try certificate.map { certificate in
                try LibCrypto.der(self.what) { i2d_X509(certificate, $0) }
            },
            chain: try (0..<max(0, signet_sk_X509_num(others))).map { index in
                let other = signet_sk_X509_value(others, index)
                return try LibCrypto.der(self.what) { i2d_X509(other, $0) }
            }, friendlyName: name)
    }

    /// Lends a file whose MAC is right, and the password as a C string, for the time of `body`.
    ///
    /// - Throws: ``PKIMessageError``: `tooLarge`, `malformed`, `wrongPassword`.
    static func withVerified<R>(
        _ file: SecretBytes, password: SecretBytes,
        _ body: (_ parsed: OpaquePointer, _ characters: UnsafePointer<CChar>?) throws -> R
    ) throws -> R {
        let parsed = try self.parsed(file)
        defer { PKCS12_free(parsed) }
        try self.checkRounds(parsed)
        let terminated = try self.terminated(password)
        return try terminated.withUnsafeBytes { bytes in
            let characters = bytes.bindMemory(to: CChar.self).baseAddress
            guard PKCS12_verify_mac(parsed, characters, -1) == 1 else {
                LibCrypto.drainErrors()
                throw PKIMessageError.wrongPassword(self.what)
            }
            return try body(parsed, characters)
        }
    }

    static func parsed(_ file: SecretBytes) throws -> OpaquePointer {
        guard file.count <= DERLimits.maximumMessageBytes else {
            throw PKIMessageError.tooLarge(self.what, bytes: file.count, limit: DERLimits.maximumMessageBytes)
        }
        return try file.withUnsafeBytes { bytes in
            let start = bytes.bindMemory(to: UInt8.self).baseAddress
            var cursor = start
            guard let parsed = d2i_PKCS12(nil, &cursor, bytes.count) else {
                LibCrypto.drainErrors()
                throw PKIMessageError.malformed(self.what, "it is truncated, or it is something else")
            }
            guard let start, let cursor, cursor - start == bytes.count, PKCS12_mac_present(parsed) == 1 else {
                PKCS12_free(parsed)
                throw PKIMessageError.malformed(self.what, "bytes follow after its end, or it has no MAC")
            }
            return parsed
        }
    }

    static func checkRounds(_ parsed: OpaquePointer) throws {
        var iterations: UnsafePointer<ASN1_INTEGER>?
        PKCS12_get0_mac(nil, nil, nil, &iterations, parsed)
        // Without the field there is one round.
        let rounds = iterations.map { ASN1_INTEGER_get($0) } ?? 1
        guard (1...self.maximumRounds).contains(rounds) else {
            throw PKIMessageError.malformed(self.what, "it asks for \(rounds) rounds")
        }
    }

    /// The password as the C string that `PKCS12_create` takes.
    static func terminated(_ password: SecretBytes) throws -> SecretBytes {
        try password.withUnsafeBytes { bytes in
            guard !bytes.contains(0) else {
                throw PKIMessageError.invalidValue("password", "it has a zero byte")
            }
            return try SecretBytes(capacity: bytes.count + 1) { buffer in
                buffer.copyMemory(from: bytes)
                buffer[bytes.count] = 0
                return bytes.count + 1
            }
        }
    }
}

/// An `X509` that is freed with its owner.
final class X509Pointer {
    let pointer: OpaquePointer

    init(_ der: [UInt8]) throws {
        let parsed = der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return d2i_X509(nil, &cursor, buffer.count)
        }
        self.pointer = try LibCrypto.require(parsed, "certificate")
    }

    deinit {
        X509_free(self.pointer)
    }
}
