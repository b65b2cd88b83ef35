import Diagnostics
import KeyProvider
import PKCS11
import SecretMemory

/// Initialises an empty token. One that is initialised already is never touched.
struct TokenInitialization {
    let module: Module
    /// Has to name a label; that becomes the token's.
    let uri: PKCS11URI

    func run(securityOfficerPIN: SecretBytes, userPIN: SecretBytes) async throws -> TokenIdentification {
        guard let label = self.uri.token else { throw ServiceError.tokenWithoutLabel() }
        let slots = try self.module.slots()
        for slot in slots {
            let info = try slot.tokenInfo()
            if info.flags.contains(.tokenInitialized), info.identification.label == label {
                throw ServiceError.tokenExists(info.identification)
            }
        }
        guard let empty = try slots.first(where: { try !$0.tokenInfo().flags.contains(.tokenInitialized) }) else {
            throw ServiceError.noEmptyToken()
        }
        try securityOfficerPIN.withUnsafeBytes { try empty.initializeToken(securityOfficerPIN: $0, label: label) }
        try await self.setUserPIN(label: label, securityOfficerPIN: securityOfficerPIN, userPIN: userPIN)
        return try self.slot(labelled: label).tokenInfo().identification
    }

    private func setUserPIN(label: String, securityOfficerPIN: SecretBytes, userPIN: SecretBytes) async throws {
        let token = try Token(slot: self.slot(labelled: label), maximumSessions: 1)
        try await token.withSession(.readWrite) { session in
            try securityOfficerPIN.withUnsafeBytes { try session.login(.securityOfficer, pin: $0) }
            try userPIN.withUnsafeBytes { try session.initializeUserPIN($0) }
            try session.logout()
        }
        await token.close()
    }

    /// Some modules move a token to another slot when it is initialised, so it is looked for by its label.
    private func slot(labelled label: String) throws -> Slot {
        for slot in try self.module.slots() where try slot.tokenInfo().identification.label == label { return slot }
        throw ServiceError.noEmptyToken()
    }
}
