package import DeviceProfiles
internal import Diagnostics
package import PKCS11

/// What is on a token, what its limits are by the profile, and what still fits.
package struct TokenStock: Sendable, Codable, Hashable {
    /// A directory file of a PKCS #15 card.
    package struct Directory: Sendable, Codable, Hashable {
        package var name: String
        package var used: Int
        /// `nil` when it is not known; 0 for no limit.
        package var maximum: Int?
    }

    /// How many of something fit beside what is there.
    package struct Fit: Sendable, Codable, Hashable {
        package var what: String
        /// `nil` when nothing that is known limits it.
        package var count: Int?
        /// What limits it.
        package var limit: String
    }

    package var objects: Int
    package var objectsByClass: [String: Int]
    /// `nil` when it is not known; 0 for no limit.
    package var maximumObjects: Int?
    /// By the cost model of the profile.
    package var usedBytes: Int
    /// `false` when some object has no known cost, so that more may be in use.
    package var usedBytesAreComplete: Bool
    package var totalBytes: Int?
    package var directories: [Directory]
    package var openSessions: UInt?
    package var maximumSessions: String
    package var pin: String
    package var fits: [Fit]

    /// - Throws: ``PKCS11Error`` when the objects cannot be read.
    package init(of token: Token, profile: DeviceProfile) async throws {
        let census = try await token.withSession(.readOnly) { try StockCensus(scanning: $0) }
        let info = try token.slot.tokenInfo()
        self.init(census, profile: profile, info: info)
    }

    init(_ census: StockCensus, profile: DeviceProfile, info: TokenInfo) {
        let capacity = profile.capacity
        self.objects = census.objects
        self.objectsByClass = census.byClass
        self.maximumObjects = TokenStock.number(capacity.maximumObjects.value)
        let used = census.usedBytes(capacity)
        self.usedBytes = used.bytes
        self.usedBytesAreComplete = used.isComplete
        self.totalBytes = capacity.usableBytes
        self.directories = DeviceProfile.Capacity.Directory.allCases.compactMap { directory in
            guard capacity.entries(in: directory) != .unlimited else { return nil }
            return Directory(
                name: directory.rawValue, used: census.entries(in: directory),
                maximum: TokenStock.number(capacity.entries(in: directory)))
        }
        self.openSessions = info.sessions
        self.maximumSessions = TokenStock.sessions(profile, info)
        self.pin = TokenStock.pin(profile, info)
        self.fits = [
            KeyPairAlgorithm.p256, .p384, .rsa(modulusBits: 2048), .rsa(modulusBits: 3072), .rsa(modulusBits: 4096),
        ]
        .map { StockRoom(census: census, capacity: capacity).fit($0) }
    }

    private static func number(_ limit: Limit?) -> Int? {
        switch limit {
        case .unlimited?: 0
        case .atMost(let maximum)?: maximum
        case nil: nil
        }
    }

    private static func sessions(_ profile: DeviceProfile, _ info: TokenInfo) -> String {
        switch profile.sessions.maximum.value {
        case .unlimited?: return "no limit"
        case .atMost(let maximum)?:
            return profile.sessions.scope.value.map { "\(maximum) a \($0.rawValue)" } ?? "\(maximum)"
        case nil:
            guard let reported = info.maximumSessions, reported > 0, reported < UInt(Int32.max) else {
                return "unknown"
            }
            return "\(reported), by the token's own word"
        }
    }

    /// PKCS #11 tells no number of tries, only three flags.
    private static func pin(_ profile: DeviceProfile, _ info: TokenInfo) -> String {
        if info.flags.contains(.userPINLocked) { return "locked" }
        if info.flags.contains(.userPINFinalTry) { return "one try left" }
        if info.flags.contains(.userPINCountLow) { return "a wrong PIN was entered; at least two tries left" }
        switch profile.login.tries.value {
        case .unlimited?: return "never locks"
        case .atMost(let tries)?: return "all \(tries) tries left"
        case nil: return "no wrong PIN entered; the number of tries is unknown"
        }
    }
}

/// How much room is left for a key pair with its certificate.
struct StockRoom {
    let census: StockCensus
    let capacity: DeviceProfile.Capacity

    /// Free bytes are not allocatable bytes: of a card's memory the product uses nine tenths.
    private static let usablePercent = 90
    private static let certificateBytes = 1_400

    func fit(_ algorithm: KeyPairAlgorithm) -> TokenStock.Fit {
        let limits = self.byBytes(algorithm) + self.byObjects + self.byDirectories + self.byPairs(algorithm)
        let least = limits.min { $0.count < $1.count }
        return TokenStock.Fit(
            what: "\(StockRoom.name(algorithm)) key pairs with certificate", count: least.map { max(0, $0.count) },
            limit: least?.limit ?? "no limit is known")
    }

    private func byBytes(_ algorithm: KeyPairAlgorithm) -> [(count: Int, limit: String)] {
        guard let total = self.capacity.usableBytes, let pair = self.capacity.cost(ofKeyPair: algorithm), pair > 0
        else {
            return []
        }
        let each = pair + (self.capacity.cost(ofCertificate: StockRoom.certificateBytes) ?? StockRoom.certificateBytes)
        let free = total * StockRoom.usablePercent / 100 - self.census.usedBytes(self.capacity).bytes
        return [(free / each, "bytes")]
    }

    private var byObjects: [(count: Int, limit: String)] {
        guard case .atMost(let maximum)? = self.capacity.maximumObjects.value else { return [] }
        return [((maximum - self.census.objects) / 3, "objects")]
    }

    private var byDirectories: [(count: Int, limit: String)] {
        [DeviceProfile.Capacity.Directory.prkdf, .pukdf, .cdf].compactMap { directory in
            guard case .atMost(let maximum)? = self.capacity.entries(in: directory) else { return nil }
            return (maximum - self.census.entries(in: directory), "directory file \(directory.rawValue)")
        }
    }

    private func byPairs(_ algorithm: KeyPairAlgorithm) -> [(count: Int, limit: String)] {
        guard case .atMost(let maximum)? = self.capacity.maximumPairs[algorithm]?.value else { return [] }
        return [(maximum - (self.census.privateKeys[algorithm] ?? 0), "key pairs of this kind")]
    }

    private static func name(_ algorithm: KeyPairAlgorithm) -> String {
        switch algorithm {
        case .rsa(let bits): "RSA-\(bits)"
        case .p256: "P-256"
        case .p384: "P-384"
        case .p521: "P-521"
        }
    }
}
