@testable import PKIMessages

/// A key and its certificate made by `openssl`, kept as bytes.
struct TestIdentity: Sendable {
    /// PKCS #8, PEM.
    let keyPEM: [UInt8]
    /// PKCS #8, DER.
    let keyDER: [UInt8]
    let certificateDER: [UInt8]
    let certificate: CertificateFields

    /// - Parameter generation: arguments of `openssl genpkey`.
    init(name: String, generation: [String]) throws {
        let openssl = try OpenSSLJudge()
        switch generation.count {
        case 4:
            try openssl.run("genpkey", generation[0], generation[1], generation[2], generation[3], "-out", "key.pem")
        default: preconditionFailure("four arguments are expected")
        }
        try openssl.run("pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-outform", "DER", "-out", "key.der")
        try openssl.run(
            "req", "-x509", "-key", "key.pem", "-subj", "/O=Test/CN=\(name)", "-days", "30", "-outform", "DER", "-out",
            "certificate.der")
        self.keyPEM = try openssl.read("key.pem")
        self.keyDER = try openssl.read("key.der")
        self.certificateDER = try openssl.read("certificate.der")
        self.certificate = try CertificateFields(derEncoded: self.certificateDER)
    }

    static func rsa(_ name: String, bits: Int) throws -> TestIdentity {
        try TestIdentity(
            name: name, generation: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:\(bits)"])
    }

    static func p256(_ name: String) throws -> TestIdentity {
        try TestIdentity(name: name, generation: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
    }

    var publicKey: SubjectPublicKeyInfo { self.certificate.subjectPublicKeyInfo }
    var name: IssuerAndSerialNumber { IssuerAndSerialNumber(self.certificate) }

    /// Puts `key.pem`, `certificate.pem` into the judge's directory.
    func place(in openssl: OpenSSLJudge) throws {
        try openssl.write(self.keyPEM, to: "key.pem")
        try openssl.write(self.certificateDER, to: "certificate.der")
        try openssl.run("x509", "-inform", "DER", "-in", "certificate.der", "-out", "certificate.pem")
    }

    /// Signs as a token would: PKCS #1 1.5 or DER ECDSA-Sig-Value.
    func sign(_ bytes: [UInt8], _ digest: Digest = .sha256) throws -> [UInt8] {
        let openssl = try OpenSSLJudge()
        try openssl.write(self.keyPEM, to: "key.pem")
        try openssl.write(bytes, to: "message")
        let option = "-" + digest.rawValue.lowercased().replacing("-", with: "")
        try openssl.run("dgst", option, "-sign", "key.pem", "-out", "signature", "message")
        return try openssl.read("signature")
    }

    /// Decrypts a content-encryption key.
    func decrypt(_ encryptedKey: [UInt8], _ padding: TransportPadding) throws -> [UInt8] {
        let openssl = try OpenSSLJudge()
        try openssl.write(self.keyPEM, to: "key.pem")
        try openssl.write(encryptedKey, to: "encrypted")
        switch padding {
        case .pkcs1v15:
            try openssl.run("pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "encrypted", "-out", "decrypted")
        case .oaep(let digest):
            let hash = "rsa_oaep_md:" + digest.rawValue.lowercased().replacing("-", with: "")
            try openssl.run(
                "pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "encrypted", "-out", "decrypted", "-pkeyopt",
                "rsa_padding_mode:oaep", "-pkeyopt", hash)
        }
        return try openssl.read("decrypted")
    }
}

/// Identities that all suites share, made once.
enum TestIdentities {
    static let rsa = Result { try TestIdentity.rsa("RSA signer", bits: 2048) }
    static let ec = Result { try TestIdentity.p256("EC signer") }
    static let recipient = Result { try TestIdentity.rsa("Recipient", bits: 2048) }
    static let user = Result { try TestIdentity.rsa("User", bits: 1024) }
}
