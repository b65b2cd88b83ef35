import Diagnostics
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import SecretMemory

/// Initialises an empty token. One that is initialised already is never touched.
///
/// Every call into the module is given up after its deadline: what an empty device does is known least of all.
struct TokenInitialization {
    let module: Module
    /// Has to name a label; that becomes the token's.
    let uri: PKCS11URI
    let deadlines: TokenDeadlines
    private let calls = DetachedCalls()

    init(module: Module, uri: PKCS11URI, deadlines: TokenDeadlines) {
        self.module = module
        self.uri = uri
        self.deadlines = deadlines
    }

    /// - Throws: ``ServiceError``, `PKCS11Error`, and `TokenWaitError` for a call that hangs: what it did is not known then.
    func run(securityOfficerPIN: SecretBytes, userPIN: SecretBytes) async throws -> TokenIdentification {
        guard let label = self.uri.token else { throw ServiceError.tokenWithoutLabel() }
        let wanted = TokenIdentification(
            label: label, manufacturer: "", model: "", serialNumber: "?", firmware: "?", slotID: 0)
        let module = self.module
        let empty = try await self.calls.run(limit: self.deadlines.rescan, for: wanted) {
            try TokenInitialization.emptySlot(in: module, for: label)
        }
        // Devices format their memory now: as slow as making a key.
        try await self.calls.run(limit: self.deadlines.generate, for: wanted) {
            try securityOfficerPIN.withUnsafeBytes { try empty.initializeToken(securityOfficerPIN: $0, label: label) }
        }
        let limits = TokenLimits(
            call: self.deadlines.use, login: self.deadlines.login, queue: self.deadlines.queue)
        let token = try await self.calls.run(limit: self.deadlines.rescan, for: wanted) {
            try Token(slot: TokenInitialization.slot(in: module, labelled: label), maximumSessions: 1, limits: limits)
        }
        do {
            try await self.setUserPIN(of: token, securityOfficerPIN: securityOfficerPIN, userPIN: userPIN)
            // Anew: its flags are others now.
            let identification = try await token.currentInfo().identification
            await token.close()
            return identification
        } catch {
            await token.close()
            throw error
        }
    }

    private func setUserPIN(of token: Token, securityOfficerPIN: SecretBytes, userPIN: SecretBytes) async throws {
        try await token.withSession(.readWrite, limit: self.deadlines.login) { session in
            try securityOfficerPIN.withUnsafeBytes { try session.login(.securityOfficer, pin: $0) }
            try userPIN.withUnsafeBytes { try session.initializeUserPIN($0) }
            try session.logout()
        }
    }

    private static func emptySlot(in module: Module, for label: String) throws -> Slot {
        var empty: Slot?
        for slot in try module.slots() {
            let info = try slot.tokenInfo()
            if !info.flags.contains(.tokenInitialized) {
                empty = empty ?? slot
            } else if info.identification.label == label {
                throw ServiceError.tokenExists(info.identification)
            }
        }
        guard let empty else { throw ServiceError.noEmptyToken() }
        return empty
    }

    /// Some modules move a token to another slot when it is initialised, so it is looked for by its label.
    private static func slot(in module: Module, labelled label: String) throws -> Slot {
        for slot in try module.slots() where try slot.tokenInfo().identification.label == label { return slot }
        throw ServiceError.noEmptyToken()
    }
}
