import KeyProvider
import TestSupport
import Testing

/// `openssl` as the judge of what a token made.
enum OpenSSL {
    static func verify(
        _ signature: [UInt8], of message: [UInt8], hash: String, subjectPublicKeyInfo: [UInt8], isPSS: Bool = false
    ) async throws -> Bool {
        let directory = try TemporaryDirectory()
        let key = try directory.write("key.der", subjectPublicKeyInfo)
        let file = try directory.write("signature", signature)
        let pss = isPSS ? ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] : []
        let result = try await run(
            ["openssl", "dgst", "-\(hash)", "-verify", key, "-keyform", "DER"] + pss + ["-signature", file],
            input: message)
        return result.status == 0
    }

    /// A signature scheme that hashes by itself, such as Ed25519.
    static func verifyRaw(
        _ signature: [UInt8], of message: [UInt8], subjectPublicKeyInfo: [UInt8]
    ) async throws -> Bool {
        let directory = try TemporaryDirectory()
        let key = try directory.write("key.der", subjectPublicKeyInfo)
        let file = try directory.write("signature", signature)
        let input = try directory.write("message", message)
        let result = try await run([
            "openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", key, "-sigfile", file,
            "-in", input,
        ])
        return result.status == 0
    }

    /// Encrypts to an RSA key: PKCS #1 v1.5, or OAEP with this hash.
    static func encrypt(
        _ plaintext: [UInt8], to subjectPublicKeyInfo: [UInt8], oaep hash: String? = nil
    ) async throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        let key = try directory.write("key.der", subjectPublicKeyInfo)
        let oaep = hash.map { ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:\($0)"] } ?? []
        return try await self.output(
            ["openssl", "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", key] + oaep, input: plaintext)
    }

    /// Decrypts with a PKCS #8 private key, by OAEP with this hash.
    static func decrypt(_ ciphertext: [UInt8], with privateKey: [UInt8], oaep hash: String) async throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        let key = try directory.write("key.der", privateKey)
        return try await self.output(
            [
                "openssl", "pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", key, "-pkeyopt",
                "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:\(hash)",
            ], input: ciphertext)
    }

    /// AES key wrap with padding, RFC 5649.
    static func keyWrap(_ bytes: [UInt8], under key: [UInt8], unwrap: Bool = false) async throws -> [UInt8] {
        try await self.output(
            ["openssl", "enc", "-id-aes256-wrap-pad", "-K", key.hex, "-iv", "A65959A6"] + (unwrap ? ["-d"] : []),
            input: bytes)
    }

    /// An RSA-2048 key, as PKCS #8 and as SubjectPublicKeyInfo.
    static func rsaKey() async throws -> (privateKey: [UInt8], subjectPublicKeyInfo: [UInt8]) {
        let pem = try await self.output(
            ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        // `genpkey -outform DER` would be PKCS #1.
        let key = try await self.output(
            ["openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], input: pem)
        let publicKey = try await self.output(
            ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"], input: key)
        return (key, publicKey)
    }

    /// A certificate for somebody's public key, signed by a throw-away key.
    static func certificate(for subjectPublicKeyInfo: [UInt8]) async throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        let key = directory.path("ca.pem")
        let issuer = directory.path("ca.crt")
        let made = try await run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
            "-subj", "/CN=Throw-away CA", "-out", issuer,
        ])
        try #require(made.status == 0, "\(made.stderr)")
        let subject = try directory.write("subject.der", subjectPublicKeyInfo)
        let pem = directory.path("subject.pem")
        _ = try await self.output(["openssl", "pkey", "-pubin", "-inform", "DER", "-in", subject, "-out", pem])
        return try await self.output([
            "openssl", "x509", "-new", "-force_pubkey", pem, "-subj", "/O=Signet/CN=Subject", "-CA", issuer, "-CAkey",
            key, "-outform", "DER", "-days", "30",
        ])
    }

    /// A certificate for a throw-away P-256 key, into which the key of another can be put.
    static func p256Certificate() async throws -> CertificateModel {
        let pem = try await self.output(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"])
        let key = try await self.output(["openssl", "pkey", "-pubout", "-outform", "DER"], input: pem)
        return CertificateModel(certificate: try await self.certificate(for: key), subjectPublicKeyInfo: key)
    }

    static func output(_ command: [String], input: [UInt8] = []) async throws -> [UInt8] {
        let result = try await run(command, input: input)
        try #require(result.status == 0, "\(command.joined(separator: " ")): \(result.stderr)")
        return result.stdout
    }
}

/// A certificate in which the public key can be replaced by another of the same length. Its signature is wrong then.
struct CertificateModel: Sendable {
    let certificate: [UInt8]
    let subjectPublicKeyInfo: [UInt8]

    func certificate(for key: [UInt8]) throws -> [UInt8] {
        try #require(key.count == self.subjectPublicKeyInfo.count)
        let last = self.certificate.count - key.count
        let place = try #require((0...last).first { self.certificate[$0...].starts(with: self.subjectPublicKeyInfo) })
        return self.certificate[..<place] + key + self.certificate[(place + key.count)...]
    }
}
