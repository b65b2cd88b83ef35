import DeviceProfiles
import TestSupport
import Testing

@Suite("The cost model of the shipped cards")
struct CapacityCostTests {
    func capacity(_ name: String) throws -> DeviceProfile.Capacity {
        try ProfileCatalog(directories: [SimulatorLibrary.profiles]).profile(named: name).capacity
    }

    @Test(
        "The halves of a key pair cost together what the pair costs",
        arguments: [
            KeyPairAlgorithm.rsa(modulusBits: 2048), .rsa(modulusBits: 4096), .p256, .p384, .p521,
        ])
    func halves(_ algorithm: KeyPairAlgorithm) throws {
        let card = try self.capacity("generic-8k-smartcard")
        let publicHalf = try #require(card.cost(ofPublicKey: algorithm))
        let privateHalf = try #require(card.cost(ofPrivateKey: algorithm))
        #expect(publicHalf == algorithm.subjectPublicKeyInfoBytes)
        #expect(privateHalf > 0)
        #expect(publicHalf + privateHalf == card.cost(ofKeyPair: algorithm))
    }

    @Test("An 8 KB card holds ten P-256 pairs, by bytes and by its directory")
    func tenPairs() throws {
        let card = try self.capacity("generic-8k-smartcard")
        let usable = try #require(card.usableBytes)
        let pair = try #require(card.cost(ofKeyPair: .p256))
        #expect(usable / pair == 10)
        #expect(card.entries(in: .prkdf) == .atMost(10))
        #expect(card.maximumPairs[.p256]?.value == .atMost(10))
    }

    @Test("An RSA-4096 pair with its certificate does not fit on 90 % of an 8 KB card, its private half would")
    func rsa4096() throws {
        let card = try self.capacity("generic-8k-smartcard")
        let reserved = try #require(card.reserved.value)
        let pair = try #require(card.cost(ofKeyPair: .rsa(modulusBits: 4096)))
        let certificate = try #require(card.cost(ofCertificate: 1000))
        #expect(certificate == 1032)
        #expect(reserved + pair + certificate > 7936 * 9 / 10)
        let usable = try #require(card.usableBytes)
        #expect(pair > usable)
        #expect(try #require(card.cost(ofPrivateKey: .rsa(modulusBits: 4096))) <= usable)
    }

    @Test("A 32 KB card holds nine RSA-2048 pairs and 32 P-256 pairs")
    func card32k() throws {
        let card = try self.capacity("generic-32k-smartcard")
        let usable = try #require(card.usableBytes)
        let pair = try #require(card.cost(ofKeyPair: .rsa(modulusBits: 2048)))
        #expect(9 * pair <= usable)
        #expect(card.maximumPairs[.rsa(modulusBits: 2048)]?.value == .atMost(9))
        #expect(card.entries(in: .prkdf) == .atMost(32))
        // As it was measured, with larger directory files: nine fit and ten do not.
        #expect((32512 - 10000 - 1800) / pair == 9)
    }

    @Test("Costs of other sizes are in proportion to the measured one")
    func proportion() throws {
        for name in ["generic-8k-smartcard", "generic-32k-smartcard"] {
            let card = try self.capacity(name)
            for bits in [1024, 2048, 3072, 4096] {
                #expect(card.cost(ofKeyPair: .rsa(modulusBits: bits)) == 2300 * bits / 2048)
                #expect(card.pairCosts[.rsa(modulusBits: bits)]?.provenance?.evidence == .derived)
            }
            #expect(card.cost(ofKeyPair: .p384) == 440 * 48 / 32)
            #expect(card.cost(ofKeyPair: .p521) == (440 * 66 + 16) / 32)
        }
    }

    @Test("What a profile does not know has no cost, and a device on a disk no number of bytes")
    func unknown() throws {
        let card = try self.capacity("generic-8k-smartcard")
        #expect(card.cost(ofKeyPair: .rsa(modulusBits: 8192)) == nil)
        let disk = try self.capacity("softhsm2")
        #expect(disk.usableBytes == nil)
        #expect(disk.bytes.value == .disk)
        #expect(disk.entries(in: .cdf) == .unlimited)
        #expect(disk.cost(ofCertificate: 1000) == nil)
    }

    @Test(
        "The length of a SubjectPublicKeyInfo is that of the encoding",
        arguments: [
            (["rsa", "2048"], KeyPairAlgorithm.rsa(modulusBits: 2048)), (["rsa", "4096"], .rsa(modulusBits: 4096)),
            (["P-256"], .p256), (["P-384"], .p384), (["P-521"], .p521),
        ])
    func publicKeyLength(_ words: [String], _ algorithm: KeyPairAlgorithm) async throws {
        let options =
            words[0] == "rsa"
            ? ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:\(words[1])"]
            : ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:\(words[0])"]
        let key = try await run(["openssl", "genpkey", "-outform", "DER"] + options)
        let encoded = try await run(
            ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"], input: key.stdout)
        #expect(encoded.stdout.count == algorithm.subjectPublicKeyInfoBytes)
    }
}
