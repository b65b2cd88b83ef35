import TestSupport
import Testing

@testable import PKIMessages

@Suite struct SignatureVerificationTests {
    /// A key that `openssl genpkey` makes, and how `openssl dgst` signs with it.
    struct Sample: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let generation: [String]
        let signing: [String]
        let algorithm: SignatureAlgorithmIdentifier
        let bits: Int
    }

    static let samples: [Sample] = [
        Sample(
            testDescription: "P-256 with SHA-256", generation: ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            signing: ["-sha256"], algorithm: .ecdsaWithSHA256, bits: 256),
        Sample(
            testDescription: "P-384 with SHA-384", generation: ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            signing: ["-sha384"], algorithm: .ecdsaWithSHA384, bits: 384),
        Sample(
            testDescription: "P-521 with SHA-512", generation: ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
            signing: ["-sha512"], algorithm: .ecdsaWithSHA512, bits: 521),
        Sample(
            testDescription: "secp256k1 with SHA-256, by libcrypto",
            generation: ["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"], signing: ["-sha256"],
            algorithm: .ecdsaWithSHA256, bits: 256),
        Sample(
            testDescription: "brainpoolP384r1 with SHA-384, by libcrypto",
            generation: ["EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP384r1"], signing: ["-sha384"],
            algorithm: .ecdsaWithSHA384, bits: 384),
        Sample(
            testDescription: "RSA-2048 with SHA-256", generation: ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            signing: ["-sha256"], algorithm: .sha256WithRSA, bits: 2048),
        Sample(
            testDescription: "RSA-2048 with SHA-512", generation: ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            signing: ["-sha512"], algorithm: .sha512WithRSA, bits: 2048),
        Sample(
            testDescription: "RSA-1024 with SHA-256, by libcrypto",
            generation: ["RSA", "-pkeyopt", "rsa_keygen_bits:1024"], signing: ["-sha256"], algorithm: .sha256WithRSA,
            bits: 1024),
        Sample(
            testDescription: "RSA-1024 with SHA-1, by libcrypto",
            generation: ["RSA", "-pkeyopt", "rsa_keygen_bits:1024"], signing: ["-sha1"], algorithm: .sha1WithRSA,
            bits: 1024),
    ]

    @Test("A signature that openssl made verifies, and no longer after a bit is flipped", arguments: samples)
    func verification(_ sample: Sample) async throws {
        let directory = try TemporaryDirectory()
        let (key, publicKey, message) = (directory.path("key"), directory.path("pub"), directory.path("message"))
        let bytes = Array("to be signed".utf8)
        try directory.write("message", bytes)
        try await judge(
            "openssl", "genpkey", "-out", key, "-algorithm", sample.generation[0], sample.generation[1],
            sample.generation[2])
        try await judge("openssl", "pkey", "-in", key, "-pubout", "-outform", "DER", "-out", publicKey)
        try await judge(
            "openssl", "dgst", sample.signing[0], "-sign", key, "-out", directory.path("signature"), message)
        let info = try SubjectPublicKeyInfo(derEncoded: directory.read("pub"))
        let signature = try directory.read("signature")

        #expect(info.keySizeBits == sample.bits)
        #expect(try info.isValidSignature(signature, over: bytes, algorithm: sample.algorithm))
        #expect(try !info.isValidSignature(signature, over: bytes + [0], algorithm: sample.algorithm))
        for index in [0, 3, signature.count / 2, signature.count - 1] {
            var damaged = signature
            damaged[index] ^= 1
            #expect(try !info.isValidSignature(damaged, over: bytes, algorithm: sample.algorithm))
        }
        #expect(try !info.isValidSignature([], over: bytes, algorithm: sample.algorithm))
        #expect(throws: PKIMessageError.unsupportedAlgorithm("", "")) {
            try info.isValidSignature(signature, over: bytes, algorithm: .ed25519)
        }
    }

    @Test("RSASSA-PSS verifies by its parameters, and is refused without them")
    func pss() async throws {
        let directory = try TemporaryDirectory()
        let key = directory.path("key")
        try directory.write("message", [1, 2, 3])
        try await judge("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
        try await judge("openssl", "pkey", "-in", key, "-pubout", "-outform", "DER", "-out", directory.path("pub"))
        try await judge(
            "openssl", "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32", "-sign",
            key, "-out", directory.path("signature"), directory.path("message"))
        // RFC 4055: SHA-256, MGF1 with SHA-256, 32 bytes of salt.
        let parameters = try #require(
            bytes(
                hex: "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108"
                    + "300d06096086480165030402010500a203020120"))
        let algorithm = try SignatureAlgorithmIdentifier(derEncoded: parameters)
        #expect(algorithm.digest == .sha256)
        let info = try SubjectPublicKeyInfo(derEncoded: directory.read("pub"))
        let signature = try directory.read("signature")
        #expect(try info.isValidSignature(signature, over: [1, 2, 3], algorithm: algorithm))
        #expect(try !info.isValidSignature(signature, over: [1, 2, 4], algorithm: algorithm))
        #expect(try !info.isValidSignature(signature, over: [1, 2, 3], algorithm: .sha256WithRSA))
        let bare = try SignatureAlgorithmIdentifier(
            derEncoded: [0x30, 0x0B, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A])
        #expect(throws: PKIMessageError.malformed("", "")) {
            try info.isValidSignature(signature, over: [1, 2, 3], algorithm: bare)
        }
    }

    @Test("Ed25519 verifies the vector of RFC 8032, section 7.1, test 2")
    func ed25519() throws {
        let key = try #require(
            bytes(hex: "302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
        let signature = try #require(
            bytes(
                hex: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                    + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"))
        let info = try SubjectPublicKeyInfo(derEncoded: key)
        #expect(info.keySizeBits == 256)
        #expect(try info.isValidSignature(signature, over: [0x72], algorithm: .ed25519))
        #expect(try !info.isValidSignature(signature, over: [0x73], algorithm: .ed25519))
    }

    @Test("An ECDSA signature is read in its one DER form, and nothing else is")
    func rawSignature() {
        func numbers(_ r: [UInt8], _ s: [UInt8]) -> [UInt8] {
            let content = [0x02, UInt8(r.count)] + r + [0x02, UInt8(s.count)] + s
            return [0x30, UInt8(content.count)] + content
        }
        let whole = [UInt8](repeating: 0x7F, count: 32)
        let high = [0] + [UInt8](repeating: 0x80, count: 32)
        let padded = [UInt8](repeating: 0, count: 31)
        let read = { SignatureVerifier.rawSignature($0, fieldBytes: 32).map { Array($0) } }
        #expect(read(numbers(whole, high)) == whole + high[1...])
        #expect(read(numbers([1], [0])) == padded + [1] + padded + [0])
        for (r, s): ([UInt8], [UInt8]) in [
            ([0x81], [1]), ([1], [0xFF]), ([0, 1], [1]), ([], [1]), ([1], []), ([1] + whole, [1]), (high + [1], [1]),
        ] { #expect(read(numbers(r, s)) == nil) }
        let signature = numbers(whole, high)
        for length in 0..<signature.count { #expect(read(Array(signature.prefix(length))) == nil) }
        #expect(read(signature + [0]) == nil)
        // A third number, and one that is not in the sequence.
        #expect(read([0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1]) == nil)
        #expect(read([0x30, 3, 2, 1, 1, 2, 1, 1]) == nil)
        for (index, mask) in signature.indices.flatMap({ index in [UInt8(1), 0x80, 0xFF].map { (index, $0) } }) {
            var damaged = signature
            damaged[index] ^= mask
            // Whatever is read differs from what was written, so that it does not verify.
            #expect(read(damaged) != whole + high[1...])
        }
    }

    @Test("One verifier checks any number of signatures, each as if it were the first")
    func verifierIsReusable() throws {
        let key = try SoftwareKeys.generate(.p256)
        let info = try PrivateKeyInfo(derEncoded: key).subjectPublicKeyInfo()
        let verifier = try SignatureVerifier(info, algorithm: .ecdsaWithSHA256)
        for number in UInt8(0)..<8 {
            let signature = try SoftwareKeys.sign([number], with: key, digest: .sha256)
            #expect(try verifier.isValidSignature(signature, over: [number]))
            #expect(try !verifier.isValidSignature(signature, over: [number + 1]))
        }
    }

    @Test("The named algorithms are encoded as the standards say")
    func identifiers() throws {
        let named: [SignatureAlgorithmIdentifier] = [
            .ecdsaWithSHA256, .ecdsaWithSHA384, .ecdsaWithSHA512, .sha1WithRSA, .sha256WithRSA, .sha384WithRSA,
            .sha512WithRSA, .rsaEncryption, .ed25519,
        ]
        for algorithm in named {
            let read = try SignatureAlgorithmIdentifier(derEncoded: algorithm.derBytes)
            #expect(read == algorithm)
            #expect(read.algorithm == algorithm.algorithm)
            #expect(try StrictDER.serialize(algorithm) == algorithm.derBytes)
        }
    }
}
