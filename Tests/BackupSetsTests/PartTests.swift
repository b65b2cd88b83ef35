import BackupSets
import Diagnostics
import PKIMessages
import SecretMemory
import Synchronization
import Testing

/// A part in memory, and how it is read again.
struct MemoryPart {
    static let name = "Test CA.edb"
    static let backupID = [UInt8](repeating: 0xB1, count: 16)

    let bytes: [UInt8]
    let partKey: SecretBytes
    let entries: [BackupEntry]
    let sha256: [UInt8]

    /// - Parameter contents: one entry each, named `0`, `1` ...
    init(_ contents: [[UInt8]], backupID: [UInt8] = MemoryPart.backupID, password: String = "p") throws {
        let recipients = try BackupRecipients(
            certificates: [], password: SecretBytes(copying: Array(password.utf8)), scryptCost: 1 << 14)
        let (header, partKey) = try recipients.makeHeader(backupID: backupID, randomBytes: LibCrypto.randomBytes)
        let output = Bytes()
        let part = try PartWriter(header: header, partKey: partKey) { output.append($0) }
        let writer = EntryWriter(part)
        for (number, content) in contents.enumerated() { try writer.append(.file, "\(number)", content) }
        self.sha256 = try writer.finish().sha256
        self.bytes = output.bytes
        self.partKey = partKey
        self.entries = writer.entries
    }

    final class Bytes: Sendable {
        private let content = Mutex<[UInt8]>([])

        var bytes: [UInt8] {
            get { self.content.withLock { $0 } }
            set { self.content.withLock { $0 = newValue } }
        }

        func append(_ piece: UnsafeRawBufferPointer) { self.content.withLock { $0.append(contentsOf: piece) } }
    }

    /// Reads all entries with the key, and gives their contents.
    static func contents(_ bytes: [UInt8], _ key: SecretBytes) throws -> [[UInt8]] {
        let source = Self.source(bytes)
        let header = try PartHeader(reading: Self.name, from: source)
        return try self.contents(PartReader(Self.name, header: header, partKey: key, source: source)).1
    }

    static func contents(_ part: PartReader) throws -> ([BackupEntry], [[UInt8]]) {
        var reader = EntryReader(Self.name, part)
        var entries: [BackupEntry] = []
        let contents = Bytes()
        var all: [[UInt8]] = []
        while let entry = try reader.next({ _, _ in
            contents.bytes = []
            return { contents.append($0) }
        }) {
            entries.append(entry)
            all.append(contents.bytes)
        }
        return (entries, all)
    }

    static func source(_ bytes: [UInt8]) -> @Sendable (Int) throws -> [UInt8] {
        let position = Atomic(0)
        return { count in Array(bytes.dropFirst(position.add(count, ordering: .relaxed).oldValue).prefix(count)) }
    }
}

@Suite("A part of a backup")
struct PartTests {
    private struct MediumFailure: Error, Equatable {}

    static let chunk = 1 << 20

    @Test(
        "What was written is read again, whatever its length",
        arguments: [[], [0], [1, 0, 5], [chunk - 13], [chunk - 12], [chunk], [2 * chunk + 1, 3]])
    func roundTrip(_ lengths: [Int]) throws {
        let contents = lengths.map { length in (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) } }
        let part = try MemoryPart(contents)
        let source = MemoryPart.source(part.bytes)
        let header = try PartHeader(reading: MemoryPart.name, from: source)
        #expect(header.backupID == MemoryPart.backupID)
        let key = try header.partKey(password: SecretBytes(copying: Array("p".utf8)), part: MemoryPart.name)
        let reader = try PartReader(MemoryPart.name, header: header, partKey: key, source: source)
        let (entries, read) = try MemoryPart.contents(reader)
        #expect(read == contents)
        #expect(entries == part.entries)
        #expect(entries.map(\.sha256) == contents.map { Hexadecimal.lower(Digest.sha256.hash($0)) })
        #expect(part.sha256 == Digest.sha256.hash(part.bytes))
        let file = try reader.file()
        #expect(file.sha256 == part.sha256)
        #expect(file.byteCount == Int64(part.bytes.count))
    }

    @Test("Another password opens nothing, and is told as wrong")
    func wrongPassword() throws {
        let header = try PartHeader(reading: MemoryPart.name, from: MemoryPart.source(MemoryPart([]).bytes))
        let error = #expect(throws: BackupError.self) {
            try header.partKey(password: SecretBytes(copying: Array("q".utf8)), part: MemoryPart.name)
        }
        #expect(error?.code == .notOpened)
        #expect(error?.hresult == .invalidPassword)
    }

    @Test("A part that is cut at any byte is refused")
    func truncation() throws {
        let part = try MemoryPart([[1, 2, 3], Array("content".utf8)])
        for length in 0..<part.bytes.count {
            let error = #expect(throws: BackupError.self, "cut to \(length)") {
                try MemoryPart.contents(Array(part.bytes.prefix(length)), part.partKey)
            }
            #expect(error.map { [.truncated, .changed, .notAPart].contains($0.code) } == true)
        }
    }

    @Test("A part with any bit of any byte flipped is refused")
    func byteFlips() throws {
        let part = try MemoryPart([[1, 2, 3], Array("content".utf8)])
        for index in part.bytes.indices {
            for mask in [UInt8(0x01), 0x80, 0xFF] {
                var damaged = part.bytes
                damaged[index] ^= mask
                #expect(throws: BackupError.self, "byte \(index) flipped by \(mask)") {
                    try MemoryPart.contents(damaged, part.partKey)
                }
            }
        }
    }

    @Test("A part that goes on after its end is refused")
    func trailingBytes() throws {
        let part = try MemoryPart([[1, 2, 3]])
        #expect(throws: BackupError.changed("", "")) { try MemoryPart.contents(part.bytes + [0], part.partKey) }
    }

    @Test("Chunks that are missing, repeated or exchanged are found, and a part cut between two is told as cut")
    func chunks() throws {
        let part = try MemoryPart([[UInt8](repeating: 7, count: 3 * Self.chunk)])
        let header = try PartHeader(reading: MemoryPart.name, from: MemoryPart.source(part.bytes)).bytes.count
        let size = Self.chunk + 16
        let chunks = stride(from: header, to: part.bytes.count, by: size).map {
            Array(part.bytes[$0..<min($0 + size, part.bytes.count)])
        }
        #expect(chunks.count == 4)
        func read(_ order: [Int]) throws {
            _ = try MemoryPart.contents(part.bytes.prefix(header) + order.flatMap { chunks[$0] }, part.partKey)
        }
        try read([0, 1, 2, 3])
        for order in [[0, 2, 1, 3], [0, 0, 1, 2, 3], [0, 2, 3], [1, 2, 3], [0, 1, 3], [0, 1, 2, 2, 3]] {
            #expect(throws: BackupError.changed("", "")) { try read(order) }
        }
        for count in 1...3 {
            let error = #expect(throws: BackupError.self) { try read(Array(0..<count)) }
            #expect(error?.code == .truncated)
        }
    }

    @Test("Chunks of another part, or under another header, open nothing")
    func mixing() throws {
        let (one, two) = (try MemoryPart([[1]]), try MemoryPart([[1]], backupID: [UInt8](repeating: 2, count: 16)))
        func headerCount(_ part: MemoryPart) throws -> Int {
            try PartHeader(reading: MemoryPart.name, from: MemoryPart.source(part.bytes)).bytes.count
        }
        let mixed = try one.bytes.prefix(headerCount(one)) + two.bytes.dropFirst(headerCount(two))
        for key in [one.partKey, two.partKey] {
            #expect(throws: BackupError.changed("", "")) { try MemoryPart.contents(Array(mixed), key) }
        }
        // The same key under a header that says another backup.
        var renamed = one.bytes
        renamed.replaceSubrange(10..<26, with: [UInt8](repeating: 3, count: 16))
        #expect(throws: BackupError.changed("", "")) { try MemoryPart.contents(renamed, one.partKey) }
    }

    @Test("A newer format is told as such, and another file as no part")
    func formats() throws {
        let part = try MemoryPart([])
        var newer = part.bytes
        newer[8] = 2
        #expect(throws: BackupError.self) { try MemoryPart.contents(newer, part.partKey) }
        let error = #expect(throws: BackupError.self) { try MemoryPart.contents(newer, part.partKey) }
        #expect(error?.code == .newerFormat)
        #expect(error?.hresult == .notSupported)
        let other = #expect(throws: BackupError.self) {
            try MemoryPart.contents(Array("SQLite format 3\0".utf8), part.partKey)
        }
        #expect(other?.code == .notAPart)
    }

    @Test(
        "Names that would lead out of the directory are neither written nor accepted",
        arguments: ["", "/etc/passwd", "../signet.yaml", "publish/../../x", "a//b", "a/", "./a", "a\0b"])
    func names(_ name: String) throws {
        #expect(!BackupEntry.isSafe(name))
        #expect(throws: BackupError.changed("", "")) {
            let recipients = try BackupRecipients(
                certificates: [], password: SecretBytes(copying: [1]), scryptCost: 1 << 14)
            let (header, key) = try recipients.makeHeader(
                backupID: MemoryPart.backupID, randomBytes: LibCrypto.randomBytes)
            try EntryWriter(PartWriter(header: header, partKey: key) { _ in }).append(.file, name, [1])
        }
    }

    @Test("What the medium says ends the writing and the reading, wherever it says so", arguments: [0, 1, 2, 3, 7])
    func media(_ number: Int) throws {
        let content = [UInt8](repeating: 7, count: 3 * Self.chunk)
        let written = Atomic(0)
        #expect(throws: MediumFailure()) {
            let recipients = try BackupRecipients(
                certificates: [], password: SecretBytes(copying: [1]), scryptCost: 1 << 14)
            let (header, key) = try recipients.makeHeader(
                backupID: MemoryPart.backupID, randomBytes: LibCrypto.randomBytes)
            let part = try PartWriter(header: header, partKey: key) { _ in
                guard written.add(1, ordering: .relaxed).oldValue < number else {
                    throw MediumFailure()
                }
            }
            let writer = EntryWriter(part)
            try writer.append(.file, "0", content)
            _ = try writer.finish()
        }
        guard number < 4 else { return }
        let part = try MemoryPart([content])
        let whole = MemoryPart.source(part.bytes)
        let read = Atomic(0)
        let header = try PartHeader(reading: MemoryPart.name, from: whole)
        #expect(throws: MediumFailure()) {
            try MemoryPart.contents(
                PartReader(MemoryPart.name, header: header, partKey: part.partKey) { count in
                    guard read.add(1, ordering: .relaxed).oldValue < number else {
                        throw MediumFailure()
                    }
                    return try whole(count)
                })
        }
    }

    @Test("A file that grows or shrinks while it is read is no entry")
    func lengths() throws {
        for claimed in [Int64(2), 4] {
            let recipients = try BackupRecipients(
                certificates: [], password: SecretBytes(copying: [1]), scryptCost: 1 << 14)
            let (header, key) = try recipients.makeHeader(
                backupID: MemoryPart.backupID, randomBytes: LibCrypto.randomBytes)
            let writer = EntryWriter(try PartWriter(header: header, partKey: key) { _ in })
            #expect(throws: BackupError.changed("", "")) {
                try writer.append(.file, "file", byteCount: claimed) { put in
                    try [UInt8](repeating: 0, count: 3).withUnsafeBytes(put)
                }
            }
        }
    }
}
