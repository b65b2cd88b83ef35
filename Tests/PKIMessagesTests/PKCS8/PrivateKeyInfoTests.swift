import SecretMemory
import TestSupport
import Testing

@testable import PKIMessages

@Suite struct PrivateKeyInfoTests {
    /// RFC 8410, section 10.3: an Ed25519 key as version 1, and as version 2 with an attribute and the public key.
    static let version1 = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC"
    static let version2 =
        "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhCoB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJz"
        + "gSEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
    static let publicKey = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="

    private func key(_ text: String) throws -> SecretBytes {
        try SecretBytes(copying: TextEncoding.decode(text, what: "key"))
    }

    @Test("Both versions of RFC 8410 give the same key and its public half", arguments: [version1, version2])
    func versions(_ text: String) throws {
        let info = try PrivateKeyInfo(derEncoded: self.key(text))
        #expect(info.algorithm == OID.ed25519)
        #expect(try info.derBytes.exposed == TextEncoding.decode(Self.version1, what: "key"))
        #expect(try info.subjectPublicKeyInfo().derBytes == TextEncoding.decode(Self.publicKey, what: "key"))
    }

    @Test("Up to seven zero bytes behind the key are cut off where they are expected, and nothing else is")
    func zeroPadding() throws {
        let der = try TextEncoding.decode(Self.version1, what: "key")
        for count in 0...8 {
            let padded = try SecretBytes(copying: der + [UInt8](repeating: 0, count: count))
            if count <= 7 {
                #expect(try PrivateKeyInfo(derEncoded: padded, allowingZeroPadding: true).derBytes.exposed == der)
            } else {
                #expect(throws: PKIMessageError.trailingBytes("", count: 0)) {
                    try PrivateKeyInfo(derEncoded: padded, allowingZeroPadding: true)
                }
            }
            if count > 0 {
                #expect(throws: PKIMessageError.trailingBytes("", count: 0)) { try PrivateKeyInfo(derEncoded: padded) }
            }
        }
        #expect(throws: PKIMessageError.trailingBytes("", count: 0)) {
            try PrivateKeyInfo(derEncoded: SecretBytes(copying: der + [0, 1]), allowingZeroPadding: true)
        }
    }

    @Test(
        "A private key matches its public key by an operation, and no other key",
        arguments: [
            SoftwareKeys.Kind.rsa(bits: 1024), .rsa(bits: 2048), .p256, .p384, .ed25519,
        ])
    func matching(_ kind: SoftwareKeys.Kind) throws {
        let info = try PrivateKeyInfo(derEncoded: SoftwareKeys.generate(kind))
        let other = try PrivateKeyInfo(derEncoded: SoftwareKeys.generate(kind)).subjectPublicKeyInfo()
        let ed25519 = try SubjectPublicKeyInfo(derEncoded: TextEncoding.decode(Self.publicKey, what: "key"))
        #expect(try info.matches(info.subjectPublicKeyInfo()))
        #expect(try !info.matches(other))
        #expect(try !info.matches(ed25519))
    }

    @Test("Keys that openssl made are read, and what is written is what openssl writes")
    func opensslKeys() async throws {
        let directory = try TemporaryDirectory()
        let (pem, key) = (directory.path("pem"), directory.path("key"))
        try await judge("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", pem)
        try await judge("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", pem, "-outform", "DER", "-out", key)
        let der = try directory.read("key")
        let info = try PrivateKeyInfo(derEncoded: SecretBytes(copying: der))
        #expect(info.derBytes.exposed == der)
        let text = try await judge(
            "openssl", "pkey", "-inform", "DER", "-pubout", input: info.derBytes.exposed)
        #expect(try TextEncoding.decode(text, what: "key") == info.subjectPublicKeyInfo().derBytes)
    }

    @Test("No truncation and no flipped bit of a private key crashes; every error is the module's own")
    func damage() throws {
        let der = try SoftwareKeys.generate(.rsa(bits: 1024)).exposed
        let other = try TextEncoding.decode(Self.version2, what: "key")
        for (index, damaged) in (der.damaged + other.damaged).enumerated() {
            do {
                let info = try PrivateKeyInfo(derEncoded: SecretBytes(copying: damaged))
                // A key takes long to read; every seventh shows that libcrypto's errors become ours.
                if index.isMultiple(of: 7) { _ = try info.subjectPublicKeyInfo() }
            } catch {
                #expect(error is PKIMessageError)
            }
        }
    }

    @Test("An encrypted key opens in openssl and here with its password, and with no other")
    func encryptedPEM() async throws {
        let key = try SoftwareKeys.generate(.p256)
        let pem = try SoftwareKeys.encryptedPEM(key, password: secret("correct horse"), rounds: 1000)
        let directory = try TemporaryDirectory()
        try directory.write("key", pem)
        try await judge(
            "openssl", "pkcs8", "-in", directory.path("key"), "-passin", "pass:correct horse", "-outform", "DER",
            "-topk8",
            "-nocrypt", "-out", directory.path("opened"))
        #expect(try directory.read("opened") == key.exposed)
        #expect(try SoftwareKeys.open(encryptedPEM: pem, password: secret("correct horse")).exposed == key.exposed)
        #expect(throws: PKIMessageError.wrongPassword("")) {
            try SoftwareKeys.open(encryptedPEM: pem, password: secret("wrong"))
        }
        let text = try await judge("openssl", "asn1parse", "-in", directory.path("key"))
        #expect(text.contains("hmacWithSHA256") && text.contains("aes-256-cbc") && text.contains(":03E8"))
    }
}
