import DeviceProfiles
import Diagnostics
import KeyProvider
import PKCS11KeyProvider
import Synchronization

extension TokenOpener {
    /// How often a person who is waited for is told so again.
    private static let reminder = Duration.seconds(10)

    /// Where a person is at the terminal, asks for a token that is not there, and waits for it: it names the one that is
    /// wanted and every other one that comes. Ends with the program, by Control-C.
    func askForCard(_ configuration: TokenConfiguration) async throws {
        guard let tell = self.secrets.tell else { return }
        // Loaded here, with the environment that it reads.
        _ = try await self.module(of: configuration)
        let waiting = TokenWaiting(
            PKCS11KeyProvider.TokenConfiguration(
                modulePath: configuration.module, initializationString: configuration.moduleArguments,
                profile: DeviceProfile(name: "unknown", summary: "not known before it is there"),
                reference: try KeyReference(configuration.token)),
            modules: self.modules)
        let wanted = try waiting.wanted
        let wasAsked = Asked()
        let reminding = Task {
            for count in 1... {
                try await Task.sleep(for: TokenOpener.reminder)
                if wasAsked.value { tell("Still waiting for \(wanted), \(count * 10) s. Control-C ends it.") }
            }
        }
        defer { reminding.cancel() }
        _ = try await waiting.wait { progress in
            switch progress {
            case .waiting(let wanted): tell("Insert the token \(wanted). Control-C ends the waiting.")
            case .wrongToken(let other, let wanted): tell("Not this one: \(other). Insert the token \(wanted).")
            case .found(let token): if wasAsked.value { tell("Found \(token).") }
            }
            wasAsked.value = true
        }
    }
}

/// Whether a person was asked for something.
private final class Asked: Sendable {
    private let flag = Mutex(false)

    var value: Bool {
        get { self.flag.withLock { $0 } }
        set { self.flag.withLock { $0 = newValue } }
    }
}
