package import KeyProvider

/// A token that is opened when it is first asked to do something: an operation that only reads or changes the
/// database needs neither the token nor its PIN.
package struct LazyToken: DigestSigning, HandleKeeping {
    private let open: @Sendable () async throws -> any KeyToken

    package init(open: @escaping @Sendable () async throws -> any KeyToken) {
        self.open = open
    }

    package func token() async throws -> any KeyToken {
        try await self.open()
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

    package func distrustHandles() async {
        // A token that cannot be opened has no handles.
        try? await self.token().distrustHandles()
    }
}
