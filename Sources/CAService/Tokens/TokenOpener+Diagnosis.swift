package import DeviceProfiles
package import Foundation
package import PKCS11KeyProvider
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
        _ configuration: TokenConfiguration, roles: [DoctorRole], objects: TokenDoctor.ObjectKind?,
        isThorough: Bool, when: Date
    ) async throws -> Diagnosis {
        let (store, profile) = try await self.openForDiagnosis(configuration)
        let start = ContinuousClock.now
        let doctor = TokenDoctor(
            token: store.token, profile: profile, objects: objects, isThorough: isThorough,
            // Whoever looks for keys and sees none finds out that the login is lost, and renews it.
            logIn: { _ = try await store.keyPairs() },
            randomBytes: { count in
                var generator = SystemRandomNumberGenerator()
                return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            },
            milliseconds: { (ContinuousClock.now - start) / .milliseconds(1) })
        let examination = try await doctor.examine(roles, when: when.formatted(.iso8601.year().month().day()))
        return Diagnosis(examination: examination, profile: profile)
    }

    /// Counts what is on a token.
    package func stock(of configuration: TokenConfiguration) async throws -> TokenStock {
        try await self.openForDiagnosis(configuration).0.stock()
    }
}
