import CRawPKCS11
import Foundation

/// The token calls that an archival on the token cannot do without, in a loop on threads of its own, with nothing of
/// Signet in between: unwrap, unwrap, decrypt, generate, wrap, wrap to the agent, attributes, sign, sign. All RSA keys have
/// 2048 bits. The second signature is that of the full CMC response, by whose hash the client sees that its key was
/// archived; the attributes of the unwrapped key stand in the evidence.
///
/// The module is initialised and logged in by somebody else in this process. As with a CA, exchange key and signing key are
/// stored on the token; all others are session objects.
package struct RawArchival: @unchecked Sendable {
    // `@unchecked`: the function list is constant memory of a module that stays mapped; the rest is not changed.
    private let token: RawToken
    private let exchangeKey, authorityKey, agentKey: CK_OBJECT_HANDLE
    private let wrappedSecretKey, wrappedPrivateKey, challenge: [UInt8]
    /// Whose session objects the keys are.
    private let session: CK_SESSION_HANDLE

    package init(module: String, label: String) throws {
        self.token = try RawToken(module: module, label: label)
        self.session = try self.token.openSession()
        let token = self.token
        let exchange = try token.generatePair(self.session)
        self.exchangeKey = exchange.privateKey
        self.authorityKey = try token.generatePair(self.session).privateKey
        self.agentKey = try token.generatePair(self.session).publicKey
        let user = try token.generatePair(self.session)
        let secret = try token.generateSecretKey(self.session)
        self.wrappedSecretKey = try token.wrap(self.session, .oaep, secret, with: exchange.publicKey)
        self.wrappedPrivateKey = try token.wrap(self.session, .aesKeyWrapPadded, user.privateKey, with: secret)
        self.challenge = try token.encrypt(self.session, [UInt8](repeating: 7, count: 32), with: user.publicKey)
    }

    /// The whole sequence, for `seconds` on as many threads.
    ///
    /// - Parameter signing: false leaves the signatures of certificate and response out.
    package func rate(threads: Int, seconds: Double, signing: Bool = true) throws -> Rate {
        try RawLoop.rate(threads: threads, seconds: seconds, self.token) { try self.once($0, signing: signing) }
    }

    /// RSA-2048 decryptions alone.
    package func decryptionRate(threads: Int, seconds: Double) throws -> Rate {
        let (token, exchangeKey, ciphertext) = (self.token, self.exchangeKey, self.wrappedSecretKey)
        return try RawLoop.rate(threads: threads, seconds: seconds, token) {
            try token.decrypt($0, ciphertext, with: exchangeKey)
        }
    }

    private func once(_ session: CK_SESSION_HANDLE, signing: Bool) throws {
        let token = self.token
        let secret = try token.unwrap(
            session, .oaep, self.wrappedSecretKey, with: self.exchangeKey, RawTemplate.secretKey)
        let privateKey = try token.unwrap(
            session, .aesKeyWrapPadded, self.wrappedPrivateKey, with: secret, RawTemplate.privateKey)
        try token.decrypt(session, self.challenge, with: privateKey)
        let fresh = try token.generateSecretKey(session)
        _ = try token.wrap(session, .aesKeyWrapPadded, privateKey, with: fresh)
        _ = try token.wrap(session, .oaep, fresh, with: self.agentKey)
        try token.readAttributes(session, of: privateKey)
        if signing { for _ in 0..<2 { try token.sign(session, with: self.authorityKey) } }
        for object in [secret, privateKey, fresh] { try token.destroy(session, object) }
    }
}

/// Threads that do one thing until the time is over.
enum RawLoop {
    static func rate(
        threads: Int, seconds: Double, _ token: RawToken,
        _ once: @escaping @Sendable (CK_SESSION_HANDLE) throws -> Void
    ) throws -> Rate {
        let sessions = try (0..<threads).map { _ in try token.openSession() }
        defer { for session in sessions { token.close(session) } }
        let stopwatch = Stopwatch()
        let end = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9)
        let runs = sessions.map { Run($0, until: end, once) }
        for run in runs { run.thread.start() }
        for run in runs { run.done.wait() }
        guard runs.allSatisfy({ $0.failure == nil }) else { throw BenchmarkFailure.callFailed }
        return stopwatch.rate(of: runs.reduce(0) { $0 + $1.count })
    }

    private final class Run: @unchecked Sendable {
        // `@unchecked`: its thread writes, and who reads has waited for the thread.
        let done = DispatchSemaphore(value: 0)
        private(set) var count = 0
        private(set) var failure: (any Error)?
        private(set) var thread = Thread()

        init(
            _ session: CK_SESSION_HANDLE, until end: UInt64,
            _ once: @escaping @Sendable (CK_SESSION_HANDLE) throws -> Void
        ) {
            self.thread = Thread { [unowned self] in
                do {
                    while DispatchTime.now().uptimeNanoseconds < end {
                        try once(session)
                        self.count += 1
                    }
                } catch {
                    self.failure = error
                }
                self.done.signal()
            }
        }
    }
}
