import Foundation

/// Remembers for a short time that a password was verified.
///
/// Basic authentication sends the password with every request, and its hash is slow on purpose: without this, a
/// client that fetches ten certificates pays ten times and a server checks a few passwords a second. What is kept is
/// a SHA-256 over a random salt of this process, the user, the stored password hash and the password; so a changed
/// password or a removed user is forgotten by itself, and nothing of it is of use after the process has ended.
/// Weaker than the stored hash only against somebody who reads this process' memory, where he would also find the
/// password itself in the next request.
struct VerifiedCredentials {
    static let lifetime: TimeInterval = 300
    static let maximumEntries = 1024

    /// Digest to the end of its validity.
    private var entries: [[UInt8]: Date] = [:]

    var count: Int { self.entries.count }

    func contains(_ digest: [UInt8], at now: Date) -> Bool {
        self.entries[digest].map { now < $0 } ?? false
    }

    mutating func insert(_ digest: [UInt8], at now: Date) {
        if self.entries.count >= Self.maximumEntries {
            self.entries = self.entries.filter { now < $0.value }
        }
        if self.entries.count >= Self.maximumEntries { self.entries.removeAll(keepingCapacity: true) }
        self.entries[digest] = now.addingTimeInterval(Self.lifetime)
    }
}
