package import CertificateAuthority
import Foundation
import PKIMessages
package import SecretMemory

/// Checks passwords against the users of an instance.
///
/// Whether users, groups or roles have changed is asked for every request, so that what the operator changes holds at
/// once; the record of a user whose password was right is read again only then.
/// The slow hash is computed on threads of its own, also for a name that does not exist, with the same number of
/// rounds: the time of the answer does not tell which names there are. See ``VerifiedCredentials`` for what spares
/// the slow hash, ``FailedAttempts`` for what slows guessing.
package actor PasswordAuthenticator: PrincipalAuthenticating {
    private let storage: any CAStorage
    private let surroundings: Surroundings
    private let lanes: BlockingLanes
    /// Of a password that nobody knows, for names that do not exist.
    private let decoyHash: String
    private let salt: [UInt8]
    private var verified = VerifiedCredentials()
    /// Requests that come together share one read.
    private let version: SharedRead<Int64>
    /// Only of users whose password was right: whether a name is known must not tell by the time of the answer.
    private var accounts: [String: Account] = [:]
    private static let maximumAccounts = 1024
    private var failures = FailedAttempts()
    /// Checks that are under way: the same credentials from many connections are checked once.
    private var checks: [[UInt8]: Task<Bool, any Error>] = [:]

    /// - Parameters:
    ///   - lanes: how many passwords are checked at the same time.
    ///   - rounds: those of the stored hashes, for names that do not exist.
    /// - Throws: what the random source or the password hash throws.
    package init(
        storage: any CAStorage, surroundings: Surroundings, lanes: Int = 2,
        rounds: Int = PasswordHash.defaultRounds
    ) throws {
        self.storage = storage
        self.version = SharedRead { try await storage.read { try $0.principalVersion() } }
        self.surroundings = surroundings
        self.lanes = BlockingLanes(label: "signet.passwords", count: lanes, maximumWaiting: 64)
        self.salt = try surroundings.randomBytes(32)
        var unknown = try surroundings.randomBytes(32)
        self.decoyHash = try PasswordHash.make(
            password: SecretBytes(moving: &unknown), salt: surroundings.randomBytes(16), rounds: rounds)
    }

    package func authenticate(user: String, password: SecretBytes) async throws -> Principal? {
        let found = try await self.account(named: user)
        let account = found?.user.hasPassword == true ? found : nil
        let stored = account?.user.passwordHash
        let digest = self.digest(user: user, passwordHash: stored ?? "", password: password)
        if let account, self.verified.contains(digest, at: self.surroundings.now()) {
            self.remember(account, as: user)
            return account.principal
        }
        let isRight = try await self.check(digest, user: user, password: password, stored: stored)
        guard let account, isRight else { return nil }
        self.failures.succeeded(user)
        self.verified.insert(digest, at: self.surroundings.now())
        self.remember(account, as: user)
        return account.principal
    }

    /// A user as the database had it at some version of its users and groups.
    private struct Account {
        let version: Int64
        let user: UserRecord
        let principal: Principal
    }

    private func account(named name: String) async throws -> Account? {
        let version = try await self.version.value()
        if let known = self.accounts[name], known.version == version { return known }
        return try await self.storage.read { db in
            try db.user(named: name).map {
                Account(version: try db.principalVersion(), user: $0, principal: try db.principal(of: $0))
            }
        }
    }

    private func remember(_ account: Account, as name: String) {
        guard self.accounts[name]?.version != account.version else { return }
        if self.accounts.count >= PasswordAuthenticator.maximumAccounts { self.accounts.removeAll() }
        self.accounts[name] = account
    }

    /// Subject, names and thumbprint are looked up among the instance's identities. A certificate that this CA issued
    /// and revoked stands for nobody; those of other CAs are as valid as TLS found them.
    package func authenticate(certificateDER: [UInt8]) async throws -> Principal? {
        let fields = try CertificateFields(derEncoded: certificateDER)
        return try await self.storage.read { try $0.principal(of: fields) }
    }

    private func check(
        _ digest: [UInt8], user: String, password: SecretBytes, stored: String?
    ) async throws -> Bool {
        if let running = self.checks[digest] { return try await running.value }
        let now = self.surroundings.now()
        let wait = self.failures.wait(for: user, at: now)
        guard wait == 0 else { throw EnrollmentWebError.tooManyAttempts(retryAfter: wait) }
        self.failures.begin(user, at: now)
        let hash = stored ?? self.decoyHash
        let task = Task { [lanes] in
            try await lanes.run { try PasswordHash.verify(password, against: hash) }
        }
        self.checks[digest] = task
        defer { self.checks[digest] = nil }
        return try await task.value
    }

    /// Every part with its length before it, so that no two combinations give the same bytes.
    private func digest(user: String, passwordHash: String, password: SecretBytes) -> [UInt8] {
        var bytes = self.salt
        defer { SecretBytes.wipe(&bytes) }
        for part in [Array(user.utf8), Array(passwordHash.utf8)] {
            withUnsafeBytes(of: UInt64(part.count).bigEndian) { bytes.append(contentsOf: $0) }
            bytes += part
        }
        password.withUnsafeBytes { bytes.append(contentsOf: $0) }
        return Digest.sha256.hash(bytes)
    }
}
