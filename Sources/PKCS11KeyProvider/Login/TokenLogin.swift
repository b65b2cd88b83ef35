internal import Diagnostics
internal import KeyProvider
internal import PKCS11
internal import SecretMemory

/// The one owner of the logins to a token. A PIN is given to the token once for each login, and a refusal is remembered:
/// no PIN is tried after it without a word from the operator.
actor TokenLogin {
    private let pin: PINSource
    nonisolated private let policy: PINPolicy
    private let clock: @Sendable () -> Int64
    private(set) var refusal: KeyProviderError?
    private var isAllowedOnce = false

    init(pin: @escaping PINSource, policy: PINPolicy, clock: @escaping @Sendable () -> Int64) {
        self.pin = pin
        self.policy = policy
        self.clock = clock
    }

    /// - Parameters:
    ///   - again: true for a login that no person has asked for, after the loss of an earlier one.
    /// - Throws: ``PKCS11Error`` for a failure that the ladder may mend, ``KeyProviderError`` for one that an operator
    ///   has to.
    func logIn(to token: Token, again: Bool) async throws {
        if let refusal = self.refusal { throw refusal }
        let operation = "log in to the token \(token.identification)"
        let flags = try await token.currentInfo().flags
        guard flags.contains(.loginRequired) else { return }
        if again && !self.isAllowedOnce { try self.requireRepeatable(token.identification) }
        self.isAllowedOnce = false
        do {
            try self.refuseDangerousTry(flags, token.identification, operation)
            if flags.contains(.protectedAuthenticationPath) {
                try await self.logInAtDevice(token, operation)
            } else {
                try await self.logInByPIN(token, operation)
            }
        } catch let error as KeyProviderError where error.code != .pinUnavailable {
            self.refusal = error
            throw error
        }
    }

    /// A person asks for the next login: the PIN may be asked for although the source needs him.
    func allowOnce() { self.isAllowedOnce = true }

    nonisolated var isRepeatable: Bool { self.policy.isRepeatable }

    /// - Throws: `pinUnavailable` when the PIN needs a person.
    nonisolated func requireRepeatable(_ token: TokenIdentification) throws(KeyProviderError) {
        guard !self.policy.isRepeatable else { return }
        throw .needsPerson(operation: "log in again to the token \(token)")
    }

    /// The PIN for one use of a key that wants it each time (`CKA_ALWAYS_AUTHENTICATE`).
    func pinForUse(_ token: Token, operation: String) async throws -> SecretBytes? {
        if let refusal = self.refusal { throw refusal }
        let flags = try await token.currentInfo().flags
        do {
            try self.refuseDangerousTry(flags, token.identification, operation)
            guard !flags.contains(.protectedAuthenticationPath) else { return nil }
            try self.refuseKnownRefusal(token.identification, operation)
        } catch let error as KeyProviderError {
            self.refusal = error
            throw error
        }
        return try await self.ask(operation)
    }

    /// Remembers that the token refused the PIN of ``pinForUse(_:operation:)``.
    func refused(_ error: KeyProviderError, on token: TokenIdentification) throws {
        guard error.failureClass == .authBlocked else { return }
        self.refusal = error
        try self.policy.refusals?.record(token, at: self.clock())
    }

    /// The person at the device's PIN pad is asked once. After a wrong entry, or when he has declined, the pad does not
    /// ask him anew for each request that comes: every wrong entry uses up a try.
    private func logInAtDevice(_ token: Token, _ operation: String) async throws {
        do {
            try await token.login(.user) { use in use(nil) }
        } catch let error as PKCS11Error where error.function == "C_Login" {
            let isDeclined = [.functionCanceled, .functionRejected, .cancel].contains(error.returnValue)
            guard isDeclined || FailureClass.of(error.returnValue, function: "C_Login") == .authBlocked else {
                throw error
            }
            var refused = KeyProviderError.token(error, operation: operation)
            refused.failureClass = .authBlocked
            refused.advice.append("Start the program again when somebody is at the device to enter its PIN.")
            throw refused
        }
    }

    private func logInByPIN(_ token: Token, _ operation: String) async throws {
        guard let refusals = self.policy.refusals else { return try await self.tryPIN(token, operation) }
        try self.refuseKnownRefusal(token.identification, operation)
        // A person may take his time; a program that waits for the lock does not have to wait for him.
        let secret = try await self.ask(operation)
        try await refusals.exclusively {
            try await self.refuseKnownRefusal(token.identification, operation)
            try await self.tryPIN(token, operation, secret)
        }
    }

    private func tryPIN(_ token: Token, _ operation: String, _ given: SecretBytes? = nil) async throws {
        let secret: SecretBytes
        if let given { secret = given } else { secret = try await self.ask(operation) }
        do {
            try await token.login(.user) { use in secret.withUnsafeBytes { use($0) } }
            try self.policy.refusals?.clear(token.identification)
        } catch let error as PKCS11Error {
            guard let refused = self.refused(error, operation) else { throw error }
            try self.policy.refusals?.record(token.identification, at: self.clock())
            throw refused
        }
    }

    /// The error for a PIN that was refused; `nil` when the failure tells nothing of the PIN.
    private func refused(_ error: PKCS11Error, _ operation: String) -> KeyProviderError? {
        guard error.function == "C_Login", FailureClass.of(error.returnValue, function: "C_Login") == .authBlocked
        else {
            return nil
        }
        var refused = KeyProviderError.token(error, operation: operation)
        refused.failureClass = .authBlocked
        if self.policy.refusals != nil { refused.advice.append(KeyProviderError.unblockAdvice) }
        return refused
    }

    private func ask(_ operation: String) async throws -> SecretBytes {
        do {
            return try await self.pin()
        } catch let error as any DiagnosableError {
            throw KeyProviderError(
                code: .pinUnavailable, operation: operation, reason: "there is no PIN: \(error.headline.trimmedStop)",
                hresult: error.hresult, facts: error.facts, advice: error.advice)
        } catch {
            throw KeyProviderError(
                code: .pinUnavailable, operation: operation, reason: "there is no PIN", hresult: .notAuthenticated,
                advice: ["Check where the PIN of this token comes from."])
        }
    }

    /// A person who enters the PIN now is the word from the operator; a file is not.
    private func refuseKnownRefusal(_ token: TokenIdentification, _ operation: String) throws {
        guard self.policy.isRepeatable, let known = try self.policy.refusals?.refusal(for: token) else { return }
        throw KeyProviderError.refusedBefore(known, operation: operation)
    }

    /// A program must not use up the last try of a PIN, nor try one by itself after a wrong one, and need not ask for
    /// one that is locked.
    private func refuseDangerousTry(
        _ flags: TokenFlags, _ token: TokenIdentification, _ operation: String
    ) throws(KeyProviderError) {
        if flags.contains(.userPINLocked) {
            let failure = PKCS11Error(returnValue: .pinLocked, function: "C_GetTokenInfo", token: token)
            var locked = KeyProviderError.token(failure, operation: operation)
            locked.failureClass = .authBlocked
            throw locked
        }
        if flags.contains(.userPINFinalTry) {
            throw .loginStopped(
                operation: operation, reason: "one more wrong PIN would lock the token", advice: .clearByVendor)
        }
        guard flags.contains(.userPINCountLow), self.policy.isRepeatable else { return }
        throw .loginStopped(
            operation: operation, reason: "a wrong PIN was entered since the last right one",
            advice: KeyProviderError.unblockAdvice)
    }
}

extension KeyProviderError {
    static let unblockAdvice: Advice =
        "Correct where the PIN comes from, then run `signet token unblock` to allow the next login."

    /// True when nothing but an operator can help.
    var isForOperator: Bool {
        [.wrongPIN, .pinLocked, .loginStopped, .pinUnavailable].contains(self.code)
    }

    static func needsPerson(operation: String) -> KeyProviderError {
        KeyProviderError(
            code: .pinUnavailable, operation: operation,
            reason: "the login was lost and the PIN has to be entered by a person", hresult: .notAuthenticated,
            failureClass: .authLost,
            advice: ["Log in again, or take the PIN from a file or a variable so that a program can."])
    }

    /// - Parameter advice: how the operator says that the PIN may be tried.
    static func loginStopped(operation: String, reason: String, advice: Advice) -> KeyProviderError {
        KeyProviderError(
            code: .loginStopped, operation: operation, reason: reason, hresult: .wrongPIN, failureClass: .authBlocked,
            advice: [advice])
    }

    static func refusedBefore(_ known: PINRefusal, operation: String) -> KeyProviderError {
        KeyProviderError(
            code: .loginStopped, operation: operation,
            reason: "the token refused the PIN before, and it was not cleared",
            hresult: .wrongPIN, failureClass: .authBlocked,
            facts: [
                Fact("PINs refused", String(known.count)), Fact("last refusal", "\(known.time) seconds since 1970"),
            ], advice: [unblockAdvice])
    }
}

extension Advice {
    /// The last try is left to a person at the token itself.
    fileprivate static let clearByVendor: Advice =
        "Log in once with the right PIN, by hand or with the tool of the token's vendor: that resets its counter."
}
