internal import DeviceProfiles
internal import Diagnostics
internal import KeyProvider
internal import PKCS11

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
        /// By the limits that are known; `nil` when there is none.
        package var count: Int?
        /// What limits it to ``count``.
        package var limit: String?
        /// The limits that nobody knows of, which may allow less. Writing begins nevertheless, and is taken back when
        /// the token turns out to be full.
        package var unknown: [String]
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
    /// True where objects are files of the host, whose disk is the limit.
    package var isOnDisk: Bool
    /// `nil` when neither the cost model nor the token tells.
    package var freeBytes: Int?
    package var directories: [Directory]
    package var openSessions: UInt?
    package var maximumSessions: String
    package var pin: String
    package var fits: [Fit]

    /// A certificate that each key pair is given room for, in bytes.
    private static let certificateBytes = 1_400

    init(_ ledger: CapacityLedger, profile: DeviceProfile, info: TokenInfo) {
        let census = ledger.census
        let capacity = profile.capacity
        self.objects = census.objects
        self.objectsByClass = census.classes
        self.maximumObjects = TokenStock.number(capacity.maximumObjects.value)
        let used = census.usedBytes(capacity)
        self.usedBytes = used.bytes
        self.usedBytesAreComplete = used.isComplete
        let summary = ledger.summary
        self.totalBytes = summary.totalBytes
        self.isOnDisk = capacity.bytes.value == .disk
        self.freeBytes = summary.freeBytes
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
        .map { algorithm in
            let room = ledger.room(for: algorithm, certificateBytes: TokenStock.certificateBytes)
            return Fit(
                what: "\(TokenStock.name(algorithm)) key pairs with certificate", count: room?.count,
                limit: room?.limit, unknown: ledger.unknownLimits(for: algorithm))
        }
    }

    private static func name(_ algorithm: KeyPairAlgorithm) -> String {
        switch algorithm {
        case .rsa(let bits): "RSA-\(bits)"
        case .p256: "P-256"
        case .p384: "P-384"
        case .p521: "P-521"
        }
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

extension TokenKeyStore {
    /// Counts what is on the token.
    package func stock() async throws -> TokenStock {
        let operation = "count what is on the token \(self.identification)"
        let ledger = try await self.ledger(operation: operation)
        let info = try await self.translating(operation) { try await self.connection.live.token.currentInfo() }
        return TokenStock(ledger, profile: self.profile, info: info)
    }
}
