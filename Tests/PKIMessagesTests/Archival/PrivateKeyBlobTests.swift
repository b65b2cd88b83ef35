import Diagnostics
import SecretMemory
import Testing

@testable import PKIMessages

@Suite("RSA PRIVATEKEYBLOB")
struct PrivateKeyBlobTests {
    private let key: TestIdentity
    private let blob: [UInt8]

    init() async throws {
        self.key = try TestIdentities.user.get()
        self.blob = try await Self.blobByOpenSSL(self.key.keyDER)
    }

    private static func blobByOpenSSL(_ keyDER: [UInt8]) async throws -> [UInt8] {
        let openssl = try OpenSSLJudge()
        try openssl.write(keyDER, to: "key.der")
        try await openssl.run("rsa", "-inform", "DER", "-in", "@key.der", "-outform", "MSBLOB", "-out", "@key.blob")
        return try openssl.read("key.blob")
    }

    private static func bytes(_ secret: SecretBytes) -> [UInt8] {
        secret.withUnsafeBytes { Array($0) }
    }

    private func parse(_ bytes: [UInt8]) throws -> PrivateKeyBlob {
        try PrivateKeyBlob(SecretBytes(copying: bytes))
    }

    /// The blob with another byte at `offset`.
    private func blob(_ offset: Int, _ value: UInt8) -> [UInt8] {
        var bytes = self.blob
        bytes[offset] = value
        return bytes
    }

    @Test(
        "A key becomes the same blob as openssl writes, of the known size, and becomes the same key again",
        arguments: [(1024, 596), (2048, 1172), (4096, 2324)])
    func sizes(bits: Int, size: Int) async throws {
        let openssl = try OpenSSLJudge()
        try await openssl.run(
            "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:\(bits)", "-out", "@key.pem")
        try await openssl.run("pkcs8", "-topk8", "-nocrypt", "-in", "@key.pem", "-outform", "DER", "-out", "@key.der")
        try await openssl.run("rsa", "-in", "@key.pem", "-outform", "MSBLOB", "-out", "@key.blob")
        let pkcs8 = try openssl.read("key.der")

        let blob = try PrivateKeyBlob(privateKeyInfo: SecretBytes(copying: pkcs8))
        #expect(blob.bytes.count == size)
        #expect(blob.modulusBits == bits)
        #expect(Self.bytes(blob.bytes) == (try openssl.read("key.blob")))
        #expect(Self.bytes(try blob.privateKeyInfoDER()) == pkcs8)

        let parsed = try self.parse(openssl.read("key.blob"))
        #expect(Self.bytes(try parsed.privateKeyInfo().derBytes) == pkcs8)
        #expect(
            try parsed.publicKey
                == PrivateKeyInfo(derEncoded: SecretBytes(copying: pkcs8)).subjectPublicKeyInfo().rsaPublicKey)
    }

    @Test("openssl reads our blob")
    func readByOpenSSL() async throws {
        let openssl = try OpenSSLJudge()
        let blob = try PrivateKeyBlob(privateKeyInfo: SecretBytes(copying: self.key.keyDER))
        try openssl.write(Self.bytes(blob.bytes), to: "key.blob")
        try await openssl.run("rsa", "-inform", "MSBLOB", "-in", "@key.blob", "-check", "-noout")
    }

    @Test("A signature-only key is refused by its own code")
    func signatureOnlyKey() {
        // CALG_RSA_SIGN, 0x00002400.
        let error = #expect(throws: PKIMessageError.self) { try self.parse(self.blob(5, 0x24)) }
        #expect(error?.code == .signatureOnlyKey)
    }

    @Test("A wrong header field is refused", arguments: [0, 1, 2, 3, 4, 6, 7, 8, 11, 13, 14, 15])
    func header(offset: Int) {
        #expect(throws: PKIMessageError.malformed("", "")) {
            try self.parse(self.blob(offset, self.blob[offset] ^ 0x40))
        }
    }

    @Test(
        "Modulus lengths that are no multiple of 16, too short or too long are refused",
        arguments: [0, 8, 256, 1032, 16400])
    func modulusBits(bits: UInt32) {
        var bytes = self.blob
        for index in 0..<4 { bytes[12 + index] = UInt8(truncatingIfNeeded: bits >> (8 * UInt32(index))) }
        #expect(throws: PKIMessageError.malformed("", "")) { try self.parse(bytes) }
    }

    @Test("One byte more, and any byte less, is refused")
    func length() {
        #expect(throws: PKIMessageError.trailingBytes("", count: 1)) { try self.parse(self.blob + [0]) }
        for count in 0..<self.blob.count {
            #expect(throws: PKIMessageError.malformed("", "")) { try self.parse(Array(self.blob.prefix(count))) }
        }
    }

    @Test("Every number that does not belong to the others is refused")
    func inconsistentNumbers() {
        for offset in 16..<self.blob.count {
            #expect(throws: PKIMessageError.malformed("", ""), "byte \(offset)") {
                try self.parse(self.blob(offset, self.blob[offset] ^ 0x01))
            }
        }
    }

    @Test("A key whose primes are exchanged without its other numbers is refused")
    func exchangedPrimes() {
        let modulus = 20..<148
        let (p, q) = (self.blob[148..<212], self.blob[212..<276])
        #expect(throws: PKIMessageError.malformed("", "")) {
            try self.parse(Array(self.blob[..<modulus.upperBound] + q + p + self.blob[276...]))
        }
    }

    @Test("A key that is not RSA has no such form")
    func ellipticCurveKey() throws {
        let ec = try TestIdentities.ec.get()
        #expect(throws: PKIMessageError.signatureOnlyKey("")) {
            try PrivateKeyBlob(privateKeyInfo: SecretBytes(copying: ec.keyDER))
        }
    }

    @Test("A modulus that is not a multiple of 16 bits long has no such form")
    func unusualModulus() throws {
        let odd = try TestIdentity(.rsa(bits: 1032), name: "Odd length")
        #expect(throws: PKIMessageError.invalidValue("", "")) {
            try PrivateKeyBlob(privateKeyInfo: SecretBytes(copying: odd.keyDER))
        }
    }

    @Test("Damaged PKCS #8 keys are refused, or are another key in the same form")
    func damagedPrivateKeyInfo() throws {
        let der = self.key.keyDER
        Sweep.truncation(der, step: 3) { _ = try PrivateKeyBlob(privateKeyInfo: SecretBytes(copying: $0)) }
        Sweep.byteFlips(der, step: 3) { damaged in
            _ = try PrivateKeyBlob(privateKeyInfo: SecretBytes(copying: damaged))
            return nil
        }
    }
}
