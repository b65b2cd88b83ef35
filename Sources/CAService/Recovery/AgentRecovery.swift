import Diagnostics
import Dispatch
package import KeyArchival
package import KeyProvider
import PKIMessages
import Synchronization

/// Recovery blobs in an agent's hands: checked, shown, and only then opened with the card. Needs no instance.
///
/// A blob is read when it is checked and once more when it is opened, and a key is given away as soon as it is open: of each
/// blob some 200 bytes are kept, however many there are.
package struct AgentRecovery: Sendable {
    /// Where a blob is, and what it is called in messages.
    package struct Source: Sendable {
        let name: String
        /// Named by errors of what is in it.
        private var file: String?
        let read: @Sendable () throws -> [UInt8]

        /// - Parameter read: called twice, and gives the same bytes then.
        package init(name: String, read: @escaping @Sendable () throws -> [UInt8]) {
            self.name = name
            self.read = read
        }

        package init(file path: String) {
            self.init(name: path) { try FilePaths.read(path, limit: 1 << 22) }
            self.file = path
        }

        /// - Throws: what `body` throws, with the name of the file.
        func naming<R>(_ body: ([UInt8]) throws -> R) throws -> R {
            let bytes = try self.read()
            do { return try body(bytes) } catch let error as any DiagnosableError {
                throw self.file.map { ErrorInFile($0, error) } ?? error
            }
        }
    }

    /// A blob and what it is called.
    package struct Blob: Sendable {
        package let name: String
        package let recovery: KeyRecovery

        package var subject: String { "\(self.recovery.certificate.subject)" }
        package var serialNumber: String { self.recovery.certificate.serialHex }
        package var recipients: [String] { self.recovery.recipients.map(\.description) }
    }

    /// A key that was opened.
    package struct Opened: Sendable {
        package let blob: Blob
        package let key: RecoveredKey
        /// The place of its blob among all.
        package let index: Int
    }

    /// What is kept of a blob.
    private struct Entry {
        let checked: KeyRecovery.Checked
        /// Whether several agents have to act together.
        let isSealed: Bool
        /// An index of ``samples``.
        let sample: Int
    }

    private let sources: [Source]
    private var entries: [Entry] = []
    /// The first blob of each group of agents.
    private var samples: [Blob] = []

    package var count: Int { self.entries.count }

    /// - Parameters:
    ///   - sources: where the blobs are.
    ///   - authorityPEM: the certificates of the CAs that may have signed them.
    ///   - show: lent each blob that is as it should be, in their order, before the next ones are read.
    /// - Throws: `ArchivalError` with code `untrustedBlob`, `PKIMessageError`; what a source and `show` throw.
    package init(_ sources: [Source], authorityPEM: [UInt8], show: (Blob) throws -> Void = { _ in }) throws {
        let trusted = try CertificateBundle.parse(authorityPEM)
        guard !trusted.isEmpty else { throw ServiceError.noTrustedCertificate() }
        self.sources = sources
        var groups: [[[UInt8]]: Int] = [:]
        let shared = SharedCertificates()
        for start in stride(from: 0, to: sources.count, by: Self.blobsAtATime) {
            let portion = sources[start..<min(start + Self.blobsAtATime, sources.count)]
            for (blob, bytes) in try Self.check(portion, trusting: trusted, shared) {
                try show(blob)
                let group = [blob.recovery.threshold == nil ? [] : [1]] + blob.recovery.agentKeys
                let sample = groups[group] ?? self.samples.count
                if groups.updateValue(sample, forKey: group) == nil { self.samples.append(blob) }
                self.entries.append(
                    Entry(
                        checked: KeyRecovery.Checked(blob.recovery, blobDER: bytes),
                        isSealed: blob.recovery.threshold != nil, sample: sample))
            }
        }
    }

    /// One blob.
    package init(blob: [UInt8], authorityPEM: [UInt8]) throws {
        try self.init([Source(name: "blob") { blob }], authorityPEM: authorityPEM)
    }

    private static let blobsAtATime = 64

    /// Side by side.
    private static func check(
        _ sources: ArraySlice<Source>, trusting trusted: [CertificateFields], _ shared: SharedCertificates
    ) throws -> [(Blob, [UInt8])] {
        let checked = Mutex<[Int: Result<(Blob, [UInt8]), any Error>]>([:])
        DispatchQueue.concurrentPerform(iterations: sources.count) { offset in
            let source = sources[sources.startIndex + offset]
            let result = Result {
                try source.naming { bytes in
                    let recovery = try KeyRecovery(blobDER: bytes, trusting: trusted, shared: shared)
                    return (Blob(name: source.name, recovery: recovery), bytes)
                }
            }
            checked.withLock { $0[offset] = result }
        }
        let results = checked.withLock { $0 }
        return try (0..<sources.count).compactMap { try results[$0]?.get() }
    }

    /// A blob that was checked, read again.
    ///
    /// - Throws: `ArchivalError` with code `untrustedBlob` when it is not the same any more.
    package func blob(at index: Int) throws -> Blob {
        let source = self.sources[index]
        return try source.naming { bytes in
            Blob(name: source.name, recovery: try KeyRecovery(blobDER: bytes, checked: self.entries[index].checked))
        }
    }

    /// Opens every blob, asking for one card after another until all are open. Those that several agents open together come
    /// first, one after another.
    ///
    /// - Parameters:
    ///   - shared: the shares of other agents.
    ///   - nextCard: gives a token that can open one of the blobs, of which it sees one for each group of agents; see
    ///     ``TokenOpener/openCard(among:for:)``.
    ///   - progress: told after each share.
    ///   - take: gets each key as soon as it is open, in any order.
    package func open(
        shared: SharedRecovery = SharedRecovery(), nextCard: ([Blob]) async throws -> any KeyToken,
        progress: (String) -> Void = { _ in }, take: (Opened) async throws -> Void
    ) async throws {
        var cards: [any KeyToken] = []
        for index in self.entries.indices where self.entries[index].isSealed {
            let blob = try await shared.combine(self.blob(at: index), &cards, nextCard, progress)
            try await take(Opened(blob: blob, key: blob.recovery.recover(with: cards), index: index))
        }
        var rest = self.entries.indices.filter { !self.entries[$0].isSealed }
        while !rest.isEmpty {
            let wanted = Set(rest.map { self.entries[$0].sample }).sorted().map { self.samples[$0] }
            let left = try await self.open(rest, with: self.card(among: cards, for: wanted, nextCard), take)
            guard left.count < rest.count else { throw wanted[0].recovery.noRecoveryKey }
            rest = left
        }
    }

    private func card(
        among cards: [any KeyToken], for blobs: [Blob], _ nextCard: ([Blob]) async throws -> any KeyToken
    ) async throws -> RecoveryCard {
        for card in cards where try await blobs.containOne(openedBy: card) { return try await RecoveryCard(card) }
        return try await RecoveryCard(nextCard(blobs))
    }

    /// So many at a time that the card has work while an opened key is looked at.
    private static let concurrentKeys = 4

    /// Opens those of the blobs that the card opens.
    ///
    /// - Returns: the others.
    private func open(
        _ indices: [Int], with card: RecoveryCard, _ take: (Opened) async throws -> Void
    ) async throws -> [Int] {
        var left: [Int] = []
        try await withThrowingTaskGroup(of: (Int, Opened?).self) { group in
            var rest = indices[...]
            func addNext() {
                guard let index = rest.popFirst() else { return }
                group.addTask {
                    let blob = try self.blob(at: index)
                    do {
                        return (
                            index, Opened(blob: blob, key: try await blob.recovery.recover(with: card), index: index)
                        )
                    } catch let error as ArchivalError where error.code == .noRecoveryKey {
                        // Another card's.
                        return (index, nil)
                    }
                }
            }
            for _ in 0..<Self.concurrentKeys { addNext() }
            while let (index, opened) = try await group.next() {
                addNext()
                if let opened { try await take(opened) } else { left.append(index) }
            }
        }
        return left.sorted()
    }
}
