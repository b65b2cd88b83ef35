import Diagnostics
package import KeyProvider
import Synchronization

/// A token that is opened when it is first asked to do something: an operation that only reads or changes the
/// database needs neither the token nor its PIN.
///
/// One that is open stays open until the program ends; what happens to it meanwhile is the provider's to mend.
package final class LazyToken: DigestSigning, HandleKeeping {
    private let open: @Sendable () async throws -> any KeyToken
    private let opened = Mutex<(any KeyToken)?>(nil)

    package init(open: @escaping @Sendable () async throws -> any KeyToken) {
        self.open = open
    }

    package func token() async throws -> any KeyToken {
        if let token = self.opened.withLock({ $0 }) { return token }
        let token = try await self.open()
        self.opened.withLock { $0 = token }
        return token
    }

    package func sign(
        _ message: [UInt8], with key: KeyLocator, algorithm: SignatureAlgorithm
    ) async throws -> [UInt8] {
        try await self.token().sign(message, with: key, algorithm: algorithm)
    }

    package func sign(
        digest: [UInt8], with key: KeyLocator, algorithm: SignatureAlgorithm
    ) async throws -> [UInt8] {
        try await self.token().sign(digest: digest, with: key, algorithm: algorithm)
    }

    package func distrustHandles(afterUseOf key: KeyLocator) async -> DoubtedHandle {
        do { return try await self.token().distrustHandles(afterUseOf: key) } catch {
            return .keyNotFound(ErrorReport(error).headline)
        }
    }
}
