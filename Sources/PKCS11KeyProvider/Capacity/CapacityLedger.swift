internal import DeviceProfiles
internal import Diagnostics
internal import KeyProvider
internal import PKCS11

/// Something that is about to be written to a token.
enum CapacityNeed: Sendable {
    /// A key pair, with room for its certificate kept free.
    case keyPair(KeyPairSpecification)
    case certificate(bytes: Int)
}

/// Why something does not fit.
struct CapacityShortage: Hashable, Sendable {
    let reason: String
    let facts: [Fact]
}

/// Compares what is to be written with what a token has left, by the profile's cost model and by the token's own word
/// where the profile says that it can be believed. A limit that nobody knows refuses nothing: a failure is rolled back.
struct CapacityLedger: Sendable {
    let capacity: DeviceProfile.Capacity
    let census: TokenCensus
    /// Total and free bytes by `CK_TOKEN_INFO`, where they mean something.
    let reported: (total: Int, free: Int)?

    /// Of the bytes of a token this much may be used: free bytes are not allocatable bytes, because resized files
    /// fragment the memory of a card.
    static let usablePercent = 90

    init(capacity: DeviceProfile.Capacity, census: TokenCensus, info: TokenInfo? = nil) {
        self.capacity = capacity
        self.census = census
        guard capacity.memoryReported.value == .actual, let info,
            let total = info.totalPrivateMemory ?? info.totalPublicMemory,
            let free = info.freePrivateMemory ?? info.freePublicMemory
        else {
            self.reported = nil
            return
        }
        self.reported = (Int(clamping: total), Int(clamping: free))
    }

    /// What is left, for a reader.
    var summary: TokenCapacity {
        let used = self.census.usedBytes(self.capacity)
        let total = self.reported?.total ?? self.capacity.usableBytes
        let free = self.reported?.free ?? (used.isComplete ? total.map { max(0, $0 - used.bytes) } : nil)
        var maximumObjects: Int?
        if case .atMost(let maximum)? = self.capacity.maximumObjects.value { maximumObjects = maximum }
        return TokenCapacity(
            objects: self.census.objects, maximumObjects: maximumObjects, usedBytes: used.bytes, totalBytes: total,
            freeBytes: free)
    }

    /// The first reason why `need` does not fit, `nil` when nothing is known against it.
    func shortage(for need: CapacityNeed) -> CapacityShortage? {
        self.shortageOfBytes(need) ?? self.shortageOfObjects(need) ?? self.shortageOfEntries(need)
            ?? self.shortageOfPairs(need)
    }

    private func shortageOfBytes(_ need: CapacityNeed) -> CapacityShortage? {
        guard let needed = self.bytes(need) else { return nil }
        for (total, limit, used, source) in self.budgets {
            guard used + needed > limit else { continue }
            return CapacityShortage(
                reason: "it needs \(needed) bytes and the token has \(max(0, limit - used)) to give",
                facts: [
                    Fact("bytes needed", String(needed)), Fact("bytes in use", String(used)),
                    Fact(
                        "bytes in all", "\(total), of which \(CapacityLedger.usablePercent) % may be used, by \(source)"
                    ),
                ])
        }
        return nil
    }

    private func bytes(_ need: CapacityNeed) -> Int? {
        switch need {
        case .certificate(let bytes): return self.capacity.cost(ofCertificate: bytes)
        case .keyPair(let specification):
            guard let algorithm = KeyPairAlgorithm(specification.algorithm),
                let pair = self.capacity.cost(ofKeyPair: algorithm)
            else { return nil }
            guard specification.certificateBytes > 0 else { return pair }
            // Without a cost for the certificate the pair alone is a lower bound.
            return pair + (self.capacity.cost(ofCertificate: specification.certificateBytes) ?? 0)
        }
    }

    private func shortageOfObjects(_ need: CapacityNeed) -> CapacityShortage? {
        guard case .atMost(let maximum)? = self.capacity.maximumObjects.value else { return nil }
        let needed = need.entries.values.reduce(0, +)
        guard self.census.objects + needed > maximum else { return nil }
        return CapacityShortage(
            reason: "it needs \(needed) objects and the token takes \(maximum) in all",
            facts: [Fact("objects on the token", String(self.census.objects))])
    }

    private func shortageOfEntries(_ need: CapacityNeed) -> CapacityShortage? {
        for directory in DeviceProfile.Capacity.Directory.allCases {
            guard let needed = need.entries[directory],
                case .atMost(let maximum)? = self.capacity.entries(in: directory)
            else { continue }
            let used = self.census.entries(in: directory)
            guard used + needed > maximum else { continue }
            return CapacityShortage(
                reason: "the directory file \(directory.rawValue) of the card holds \(maximum) entries",
                facts: [Fact("entries in use", String(used))])
        }
        return nil
    }

    private func shortageOfPairs(_ need: CapacityNeed) -> CapacityShortage? {
        guard case .keyPair(let specification) = need, let algorithm = KeyPairAlgorithm(specification.algorithm),
            case .atMost(let maximum)? = self.capacity.maximumPairs[algorithm]?.value
        else { return nil }
        let present = self.census.privateKeys[algorithm] ?? 0
        guard present + 1 > maximum else { return nil }
        return CapacityShortage(
            reason: "the token takes \(maximum) \(specification.algorithm) key pairs",
            facts: [Fact("key pairs of this kind", String(present))])
    }
}

extension CapacityLedger {
    /// How many key pairs of an algorithm, each with a certificate of this many bytes, still fit, and what limits them;
    /// `nil` when nothing that is known does.
    func room(for algorithm: KeyPairAlgorithm, certificateBytes: Int) -> (count: Int, limit: String)? {
        var rooms: [(count: Int, limit: String)] = []
        if let pair = self.capacity.cost(ofKeyPair: algorithm), pair > 0 {
            let each = pair + (self.capacity.cost(ofCertificate: certificateBytes) ?? certificateBytes)
            for budget in self.budgets { rooms.append(((budget.limit - budget.used) / each, "bytes")) }
        }
        if case .atMost(let maximum)? = self.capacity.maximumObjects.value {
            rooms.append(((maximum - self.census.objects) / 3, "objects"))
        }
        for directory in CapacityLedger.pairDirectories {
            guard case .atMost(let maximum)? = self.capacity.entries(in: directory) else { continue }
            rooms.append((maximum - self.census.entries(in: directory), "directory file \(directory.rawValue)"))
        }
        if case .atMost(let maximum)? = self.capacity.maximumPairs[algorithm]?.value {
            rooms.append((maximum - (self.census.privateKeys[algorithm] ?? 0), "key pairs of this kind"))
        }
        return rooms.min { $0.count < $1.count }.map { (max(0, $0.count), $0.limit) }
    }

    /// The limits that nobody knows of: each may stop the writing of such a key pair before what ``room(for:certificateBytes:)``
    /// tells is used up.
    func unknownLimits(for algorithm: KeyPairAlgorithm) -> [String] {
        var unknown: [String] = []
        if self.capacity.bytes.value == nil || self.capacity.bytes.value != .disk && self.budgets.isEmpty {
            unknown.append("bytes")
        } else if !self.budgets.isEmpty, self.capacity.cost(ofKeyPair: algorithm) == nil {
            unknown.append("bytes of a key pair")
        }
        if self.capacity.maximumObjects.value == nil { unknown.append("objects") }
        for directory in CapacityLedger.pairDirectories where self.capacity.entries(in: directory) == nil {
            unknown.append("directory file \(directory.rawValue)")
        }
        return unknown
    }

    /// Where a key pair with its certificate has an entry each.
    private static let pairDirectories: [DeviceProfile.Capacity.Directory] = [.prkdf, .pukdf, .cdf]

    /// Bytes that may be used, by each source that tells how many there are, and those in use. An incomplete sum is a
    /// lower bound: what exceeds the limit even so does not fit.
    private var budgets: [(total: Int, limit: Int, used: Int, source: String)] {
        var budgets: [(total: Int, used: Int, source: String)] = []
        if let total = self.capacity.usableBytes {
            budgets.append((total, self.census.usedBytes(self.capacity).bytes, "device profile"))
        }
        if let reported = self.reported {
            budgets.append((reported.total, max(0, reported.total - reported.free), "CK_TOKEN_INFO"))
        }
        return budgets.map { ($0.total, $0.total * CapacityLedger.usablePercent / 100, $0.used, $0.source) }
    }
}

extension CapacityNeed {
    /// The directory entries, one an object, that it takes.
    var entries: [DeviceProfile.Capacity.Directory: Int] {
        switch self {
        case .certificate: [.cdf: 1]
        case .keyPair(let specification):
            [.prkdf: 1, .pukdf: 1, .cdf: specification.certificateBytes > 0 ? 1 : 0]
        }
    }
}

extension TokenKeyStore {
    /// Refuses before anything is written.
    func requireRoom(for need: CapacityNeed, operation: String) async throws {
        let ledger = try await self.ledger(operation: operation)
        guard let shortage = ledger.shortage(for: need) else { return }
        throw KeyProviderError.tokenFull(shortage, operation: operation, token: self.identification)
    }

    func ledger(operation: String) async throws -> CapacityLedger {
        let capacity = self.profile.capacity
        return try await self.withSessionRetried(operation: operation) { session, live in
            CapacityLedger(
                capacity: capacity, census: try TokenCensus(scanning: session),
                info: try live.token.slot.tokenInfo())
        }
    }
}
