package import DeviceProfiles
import Diagnostics
package import Foundation
import KeyProvider
import PKCS11
package import TokenDoctor

/// What the doctor found, and the profile it was compared with.
package struct Diagnosis: Sendable {
    package let examination: Examination
    /// `nil` when no profile is named and none matches.
    package let profile: DeviceProfile?
}

extension TokenOpener {
    /// Logs in to a token, which may be one that no profile fits, and tries what the roles need.
    package func diagnose(
        _ configuration: TokenConfiguration, roles: [DoctorRole], objects: TokenDoctor.ObjectKind?, when: Date
    ) async throws -> Diagnosis {
        let (token, profile) = try await self.loggedIn(configuration)
        let start = ContinuousClock.now
        let doctor = TokenDoctor(
            token: token, profile: profile, objects: objects,
            randomBytes: { count in
                var generator = SystemRandomNumberGenerator()
                return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            },
            milliseconds: { (ContinuousClock.now - start) / .milliseconds(1) })
        do {
            let examination = try await doctor.examine(roles, when: when.formatted(.iso8601.year().month().day()))
            await token.close()
            return Diagnosis(examination: examination, profile: profile)
        } catch {
            await token.close()
            throw error
        }
    }

    /// Counts what is on a token.
    package func stock(of configuration: TokenConfiguration) async throws -> TokenStock {
        let (token, profile) = try await self.loggedIn(configuration)
        do {
            let stock = try await TokenStock(
                of: token, profile: profile ?? DeviceProfile(name: "unknown", summary: "no profile"))
            await token.close()
            return stock
        } catch {
            await token.close()
            throw error
        }
    }

    /// Sessions of their own on a token whose one login the key store owns.
    private func loggedIn(_ configuration: TokenConfiguration) async throws -> (Token, DeviceProfile?) {
        let (store, profile) = try await self.openForDiagnosis(configuration)
        let module = try self.module(of: configuration)
        let wanted = store.identification
        for slot in try module.slots() {
            let found = try slot.tokenInfo().identification
            guard found.serialNumber == wanted.serialNumber, found.label == wanted.label else { continue }
            return (try Token(slot: slot, maximumSessions: 1), profile)
        }
        throw PKCS11Error(returnValue: .tokenNotPresent, function: "C_GetSlotList", token: wanted)
    }
}
