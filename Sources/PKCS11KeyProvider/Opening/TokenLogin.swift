internal import Diagnostics
internal import KeyProvider
internal import PKCS11
public import SecretMemory

/// Where a PIN comes from: a file, a variable, a prompt. Asked once in the life of a ``TokenKeyStore``.
public typealias PINSource = @Sendable () async throws -> SecretBytes

/// The one owner of the login to a token. The PIN is asked for at the first use, given to the token once, and what
/// came of it is remembered: a refused PIN is never tried again.
actor TokenLogin {
    private let token: Token
    private let pin: PINSource
    private var attempt: Task<Void, any Error>?

    init(token: Token, pin: @escaping PINSource) {
        self.token = token
        self.pin = pin
    }

    /// Returns when the user is logged in, or throws what the first attempt threw.
    func ensure() async throws {
        let attempt =
            self.attempt ?? Task { [token, pin] in try await TokenLogin.logIn(to: token, pin: pin) }
        self.attempt = attempt
        try await attempt.value
    }

    private static func logIn(to token: Token, pin: PINSource) async throws {
        let operation = "log in to the token \(token.identification)"
        do {
            let flags = try token.slot.tokenInfo().flags
            guard flags.contains(.loginRequired) else { return }
            try self.refuseDangerousTry(flags, token, operation)
            guard !flags.contains(.protectedAuthenticationPath) else {
                return try await token.login(.user) { use in use(nil) }
            }
            let secret = try await self.ask(pin, operation)
            try await token.login(.user) { use in secret.withUnsafeBytes { use($0) } }
        } catch {
            throw KeyProviderError.of(error, operation: operation)
        }
    }

    private static func ask(_ pin: PINSource, _ operation: String) async throws -> SecretBytes {
        do {
            return try await pin()
        } catch let error as any DiagnosableError {
            throw KeyProviderError(
                code: .pinUnavailable, operation: operation, reason: "there is no PIN: \(error.headline)",
                hresult: error.hresult, facts: error.facts, advice: error.advice)
        } catch {
            throw KeyProviderError(
                code: .pinUnavailable, operation: operation, reason: "there is no PIN", hresult: .notAuthenticated,
                advice: ["Check where the PIN of this token comes from."])
        }
    }

    /// A program must not use up the last try of a PIN, and need not ask for one that is locked.
    private static func refuseDangerousTry(_ flags: TokenFlags, _ token: Token, _ operation: String) throws {
        if flags.contains(.userPINLocked) {
            let failure = PKCS11Error(returnValue: .pinLocked, function: "C_GetTokenInfo", token: token.identification)
            throw KeyProviderError.token(failure, operation: operation)
        }
        guard flags.contains(.userPINFinalTry) else { return }
        throw KeyProviderError(
            code: .wrongPIN, operation: operation, reason: "one more wrong PIN would lock the token",
            hresult: .wrongPIN,
            advice: ["Log in once with the right PIN and the tool of the token's vendor, which resets the counter."])
    }
}
