import DeviceProfiles
import KeyProvider
import PKCS11
import PKCS11KeyProvider
import SecretMemory
import Synchronization
import TestSupport

/// A PIN source that counts how often it is asked.
final class CountedPIN: Sendable {
    private let pin: String
    private let count = Mutex(0)

    init(_ pin: String) { self.pin = pin }

    var timesAsked: Int { self.count.withLock { $0 } }

    var source: PINSource {
        {
            self.count.withLock { $0 += 1 }
            return try SecretBytes(copying: self.pin.utf8)
        }
    }
}

/// A profile that ships.
func profile(_ name: String, overrides: [String: String] = [:]) throws -> DeviceProfile {
    try ProfileCatalog(directories: [SimulatorLibrary.profiles]).profile(named: name, overrides: overrides)
}

extension SoftwareToken {
    func configuration(reference: String? = nil, profile: DeviceProfile? = nil) throws -> TokenConfiguration {
        TokenConfiguration(
            modulePath: self.modulePath, initializationString: self.initializationString,
            profile: try profile ?? PKCS11KeyProviderTests.profile(self.kind.profileName),
            reference: try KeyReference(reference ?? "pkcs11:token=signet%20test"), maximumSessions: 2)
    }

    func store(pin: CountedPIN? = nil) async throws -> TokenKeyStore {
        try await TokenKeyStore.open(
            self.configuration(), modules: ModuleRegistry(), pin: (pin ?? CountedPIN(self.userPIN)).source)
    }
}

extension SimulatedCard {
    /// - Parameters:
    ///   - profile: what the product believes of the card; not what the card is.
    ///   - isRepeatable: the PIN may be asked for again without a person.
    func store(
        profile: DeviceProfile, pin: CountedPIN? = nil, isRepeatable: Bool = false,
        refusals: (any PINRefusalStore)? = nil, modules: ModuleRegistry? = nil, trace: CallTrace? = nil,
        deadlines: TokenDeadlines? = nil, sessions: Int = 2, clock: TokenClock = .system
    ) async throws -> TokenKeyStore {
        var configuration = TokenConfiguration(
            modulePath: self.modulePath, initializationString: self.initializationString, profile: profile,
            reference: try KeyReference("pkcs11:token=signet%20test"), maximumSessions: sessions, deadlines: deadlines)
        configuration.tokenClock = clock
        let pin = pin ?? CountedPIN(self.token.userPIN)
        let modules = modules ?? ModuleRegistry(trace: trace)
        return try await TokenKeyStore.open(
            configuration, modules: modules, pinPolicy: PINPolicy(isRepeatable: isRepeatable, refusals: refusals),
            pin: pin.source)
    }

    /// The objects of the token, past the simulator, in a stable order.
    func objects() async throws -> [Substring] {
        try await self.bareTool("-O").text.split(separator: "\n").sorted()
    }
}
