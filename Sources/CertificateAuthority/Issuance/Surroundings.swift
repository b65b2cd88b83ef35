package import Foundation

/// The clock and the random source, passed in so that tests can hold them.
package struct Surroundings: Sendable {
    /// The time now.
    package var now: @Sendable () -> Date
    /// That many bytes from a cryptographically secure generator.
    package var randomBytes: @Sendable (Int) throws -> [UInt8]

    package init(now: @escaping @Sendable () -> Date, randomBytes: @escaping @Sendable (Int) throws -> [UInt8]) {
        self.now = now
        self.randomBytes = randomBytes
    }
}
