package import Foundation
package import KeyProvider
import PKIMessages

/// Why a key is out of use until an operator releases it.
package struct KeyStop: Equatable, Sendable {
    package enum Cause: String, Sendable {
        /// Its token returned a signature that did not fit it.
        case wrongSignature = "wrong-signature"
        /// It did not work when the authority was restored: absent, perhaps, with its token.
        case notProven = "not-proven"
    }

    /// `nil` where a version that did not know the second cause has stored the stop.
    package let cause: Cause?
    /// `nil` where it was not stored.
    package let when: Date?
    /// What there was to see: where the key was found afterwards, or why it did not work.
    package var finding: String?

    package init(_ cause: Cause?, when: Date?, finding: String? = nil) {
        self.cause = cause
        self.when = when
        self.finding = finding
    }

    /// The text of the setting: `stopped`, and then time, cause and finding.
    fileprivate init?(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 3).map(String.init)
        guard words.first == "stopped" else { return nil }
        // `try?`: a stop whose time cannot be read is one all the same.
        self.when = words.count > 1 ? (try? Date(words[1], strategy: .iso8601)) : nil
        self.cause = words.count > 2 ? Cause(rawValue: words[2]) : nil
        self.finding = words.count > 3 ? words[3] : nil
    }

    fileprivate var text: String {
        guard let when = self.when, let cause = self.cause else { return "stopped" }
        return (["stopped", when.ISO8601Format(), cause.rawValue] + [self.finding].compactMap(\.self))
            .joined(separator: " ")
    }
}

/// Remembers which keys are out of use, across restarts.
package protocol KeyStopping: Sendable {
    func stop(of key: KeyLocator) async throws -> KeyStop?
    /// Stops the key now, unless it is stopped already, and gives the stop as it is stored.
    func stop(_ key: KeyLocator, _ cause: KeyStop.Cause, finding: String?) async throws -> KeyStop
    /// Adds what was found afterwards to a stop, unless it was taken away meanwhile.
    func explain(_ stop: KeyStop, of key: KeyLocator) async throws
}

/// The stops among an instance's settings. Only an operator takes one away (`signet ca release-key`).
package struct StoredKeyStops: KeyStopping {
    private let storage: any CAStorage
    private let now: @Sendable () -> Date

    package init(storage: any CAStorage, now: @escaping @Sendable () -> Date) {
        self.storage = storage
        self.now = now
    }

    package func stop(of key: KeyLocator) async throws -> KeyStop? {
        try await self.storage.read { try $0.setting(StoredKeyStops.name(of: key)).flatMap(KeyStop.init) }
    }

    package func stop(_ key: KeyLocator, _ cause: KeyStop.Cause, finding: String?) async throws -> KeyStop {
        let stop = KeyStop(cause, when: self.now(), finding: finding)
        return try await self.storage.write { db in
            let name = StoredKeyStops.name(of: key)
            if let earlier = try db.setting(name).flatMap(KeyStop.init) { return earlier }
            try db.setSetting(name, to: stop.text)
            return stop
        }
    }

    package func explain(_ stop: KeyStop, of key: KeyLocator) async throws {
        try await self.storage.write { db in
            let name = StoredKeyStops.name(of: key)
            guard try db.setting(name).flatMap(KeyStop.init) != nil else { return }
            try db.setSetting(name, to: stop.text)
        }
    }

    /// For the transaction in which an operator releases the key.
    ///
    /// - Returns: what is released; `nil` when the key was not stopped.
    package static func release(_ key: KeyLocator, in db: any StorageWriting) throws -> KeyStop? {
        guard let stop = try db.setting(StoredKeyStops.name(of: key)).flatMap(KeyStop.init) else { return nil }
        try db.setSetting(StoredKeyStops.name(of: key), to: "")
        return stop
    }

    private static func name(of key: KeyLocator) -> String {
        "key-stopped." + Hexadecimal.lower(key.publicKeySHA256)
    }
}
