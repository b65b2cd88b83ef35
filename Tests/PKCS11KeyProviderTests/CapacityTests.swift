import DeviceProfiles
import Diagnostics
import KeyProvider
import PKCS11
import TestSupport
import Testing

@testable import PKCS11KeyProvider

/// The ledger by itself: profile and census in, shortage out.
@Suite struct CapacityLedgerTests {
    private func ledger(_ name: String, _ census: TokenCensus = TokenCensus()) throws -> CapacityLedger {
        CapacityLedger(capacity: try profile(name).capacity, census: census)
    }

    private func pair(_ algorithm: KeyAlgorithm, certificateBytes: Int = 0) -> CapacityNeed {
        .keyPair(
            KeyPairSpecification(
                algorithm: algorithm, role: .keyRecoveryAgent, label: "k", certificateBytes: certificateBytes))
    }

    @Test("An RSA-4096 key pair does not fit a new 8 KB card")
    func rsa4096() throws {
        let shortage = try #require(
            try self.ledger("generic-8k-smartcard").shortage(for: self.pair(.rsa(modulusBits: 4096))))
        #expect(shortage.facts.contains(Fact("bytes needed", "4600")))
    }

    @Test("An RSA-2048 key pair with its certificate fits a 32 KB card, and a P-256 pair an 8 KB card")
    func fits() throws {
        #expect(
            try self.ledger("generic-32k-smartcard")
                .shortage(for: self.pair(.rsa(modulusBits: 2048), certificateBytes: 1600)) == nil)
        #expect(try self.ledger("generic-8k-smartcard").shortage(for: self.pair(.p256, certificateBytes: 800)) == nil)
    }

    @Test("What nobody knows of is told beside what is known, and what is known to have no limit is not")
    func unknownLimits() throws {
        #expect(try self.ledger("softhsm2").unknownLimits(for: .p256).isEmpty)
        #expect(try self.ledger("generic-32k-smartcard").unknownLimits(for: .p256).isEmpty)
        let overrides = [
            "capacity.bytes": "unknown", "capacity.max_objects": "unknown", "capacity.dir.cdf": "unknown",
        ]
        let capacity = try profile("generic-32k-smartcard", overrides: overrides).capacity
        let ledger = CapacityLedger(capacity: capacity, census: TokenCensus())
        #expect(ledger.unknownLimits(for: .p256) == ["bytes", "objects", "directory file cdf"])
        // The other directory files still limit it.
        #expect(ledger.room(for: .p256, certificateBytes: 1400)?.limit.contains("directory file") == true)
    }

    @Test("Algorithms have the article that a sentence needs")
    func articles() {
        let algorithms: [KeyAlgorithm] = [.p256, .rsa(modulusBits: 2048), .ed25519]
        #expect(algorithms.map(\.withArticle) == ["a p-256", "an rsa-2048", "an ed25519"])
    }

    @Test("What would take more than 90 % of the usable bytes is refused, and what takes exactly 90 % is not")
    func ninetyPercent() throws {
        // 4436 usable bytes: 3992 may be used. A certificate has a header of 32 bytes.
        let ledger = try self.ledger("generic-8k-smartcard")
        #expect(ledger.shortage(for: .certificate(bytes: 3992 - 32)) == nil)
        #expect(ledger.shortage(for: .certificate(bytes: 3992 - 31)) != nil)
    }

    @Test("Full directory files, object slots and pair limits refuse what the bytes would allow")
    func otherLimits() throws {
        var capacity = try profile("generic-32k-smartcard", overrides: ["capacity.bytes": "1000000"]).capacity
        var census = TokenCensus()
        census.privateKeys = [.rsa(modulusBits: 2048): 9]
        census.objects = 18
        #expect(
            CapacityLedger(capacity: capacity, census: census).shortage(for: self.pair(.rsa(modulusBits: 2048)))?
                .reason.contains("9 rsa-2048 key pairs") == true)
        census.privateKeys = [.p384: 32]
        #expect(
            CapacityLedger(capacity: capacity, census: census).shortage(for: self.pair(.p384))?
                .reason.contains("prkdf") == true)
        census.privateKeys = [:]
        census.certificates = Array(repeating: 10, count: 32)
        #expect(CapacityLedger(capacity: capacity, census: census).shortage(for: self.pair(.p384)) == nil)
        #expect(
            CapacityLedger(capacity: capacity, census: census).shortage(for: self.pair(.p384, certificateBytes: 9))?
                .reason.contains("cdf") == true)
        census.objects = 127
        #expect(
            CapacityLedger(capacity: capacity, census: census).shortage(for: self.pair(.p384))?
                .reason.contains("128 in all") == true)
        capacity.maximumObjects = .unknown
        #expect(CapacityLedger(capacity: capacity, census: census).shortage(for: self.pair(.p384)) == nil)
    }

    @Test("Unknown capacity, and the disk of the host, refuse nothing", arguments: ["softhsm2", "nss-softokn", ""])
    func unknown(name: String) throws {
        let capacity = name.isEmpty ? DeviceProfile.Capacity() : try profile(name).capacity
        var census = TokenCensus()
        census.objects = 5000
        census.privateKeys = [.rsa(modulusBits: 4096): 2500]
        let ledger = CapacityLedger(capacity: capacity, census: census)
        #expect(ledger.shortage(for: self.pair(.rsa(modulusBits: 4096), certificateBytes: 4000)) == nil)
        #expect(ledger.summary.freeBytes == nil)
    }

    @Test("An object of unknown cost makes the free bytes unknown, and what is known in use still refuses")
    func lowerBound() throws {
        var census = TokenCensus()
        census.objects = 2
        census.others = 1
        census.privateKeys = [.rsa(modulusBits: 2048): 1]
        let ledger = try self.ledger("generic-8k-smartcard", census)
        #expect(ledger.summary.freeBytes == nil)
        #expect(ledger.summary.usedBytes == 2300 - 294)
        #expect(ledger.shortage(for: self.pair(.rsa(modulusBits: 2048))) != nil)
    }
}

@Suite struct FullTokenTests {
    private func meansFull(_ name: String, _ function: String, _ value: ReturnValue) throws -> Bool {
        try profile(name).capacity.meansFull(PKCS11Error(returnValue: value, function: function))
    }

    @Test(
        "A failure means a full token by operation and profile, not by the code alone",
        arguments: [
            ("generic-8k-smartcard", "C_GenerateKeyPair", .deviceMemory, true),
            ("generic-8k-smartcard", "C_GenerateKeyPair", .generalError, true),
            ("generic-8k-smartcard", "C_Sign", .deviceMemory, false),
            ("generic-8k-smartcard", "C_FindObjects", .generalError, false),
            ("generic-8k-smartcard", "C_CreateObject", .deviceError, false),
            ("softhsm2", "C_CreateObject", .generalError, true),
            ("softhsm2", "C_GenerateKeyPair", .functionFailed, true),
            ("softhsm2", "C_GenerateKeyPair", .generalError, false),
            ("nss-softokn", "C_CreateObject", .deviceMemory, true),
            ("nss-softokn", "C_CreateObject", .generalError, false),
        ] as [(String, String, ReturnValue, Bool)])
    func classification(name: String, function: String, value: ReturnValue, full: Bool) throws {
        #expect(try self.meansFull(name, function, value) == full)
    }
}
