package import CertificateAuthority
import Diagnostics
import Foundation
import Glibc
package import KeyArchival
import PKIMessages
package import SecretMemory

/// Imports keys from files and directories, a few of them in memory at a time: while the token works for one, the next file
/// is opened.
package struct KeyImportRun: Sendable {
    /// What is told while it runs.
    package enum Progress: Sendable {
        case imported(file: String, KeyImporter.Outcome)
        case failed(file: String, reason: String)
        /// An earlier run has finished this file.
        case skipped(file: String)
    }

    private let importer: KeyImporter
    private let passwords: [SecretBytes]
    private let journal: ImportJournal?
    private let who: Principal

    /// - Parameters:
    ///   - passwords: tried in order with each PKCS #12 file.
    ///   - journalPath: a file where finished files are noted, so that another run does not open them again.
    package init(
        importer: KeyImporter, passwords: [SecretBytes], journalPath: String?, by who: Principal
    ) throws {
        self.importer = importer
        self.passwords = passwords
        self.journal = try journalPath.map { try ImportJournal(path: $0) }
        self.who = who
    }

    /// So many at a time that the token has work while files are opened.
    private static let filesAtATime = 4

    /// Imports a file, or every file of a directory, some PKCS #12 files side by side.
    ///
    /// - Parameter progress: told of each key when its file is done, of a container at once; in any order.
    /// - Throws: what concerns all keys: no role, no agent, a token that is away, storage. What was begun is finished
    ///   before. What concerns one key is told and counted.
    package func run(_ path: String, _ progress: (Progress) -> Void) async throws -> KeyImportCounters {
        let files = FilesToImport(path)
        var tally = ImportTally()
        try await withThrowingTaskGroup(of: ImportedFile.self) { group in
            var running = 0
            do {
                while let file = try files.next() {
                    guard let kind = try await self.kind(of: file, &tally, progress) else { continue }
                    guard case .pkcs12(let bytes) = kind else {
                        try await self.container(file, &tally, progress)
                        continue
                    }
                    group.addTask { await self.imported(file, bytes) }
                    running += 1
                    if running == Self.filesAtATime, let done = try await group.next() {
                        running -= 1
                        try await self.take(done, &tally, progress)
                    }
                }
                while let done = try await group.next() { try await self.take(done, &tally, progress) }
            } catch {
                // Those that are under way are counted and noted; of several failures the first is told.
                while let done = try await group.next() { try? await self.take(done, &tally, progress) }
                throw error
            }
        }
        tally.counters.users = tally.subjects.count
        return tally.counters
    }

    /// What a file is; `nil` when there is nothing more to do with it.
    private func kind(
        of path: String, _ tally: inout ImportTally, _ progress: (Progress) -> Void
    ) async throws -> KeyFile.Kind? {
        if try await self.journal?.has(path) == true {
            progress(.skipped(file: path))
            return nil
        }
        do {
            return try KeyFile(path).kind
        } catch let error where KeyImportRun.concernsOneFile(error) {
            self.failed(path, error, &tally, progress)
            return nil
        }
    }

    private func failed(
        _ path: String, _ error: any Error, _ tally: inout ImportTally, _ progress: (Progress) -> Void
    ) {
        tally.counters.countFailure(ofCertificate: true)
        progress(.failed(file: path, reason: ErrorReport(error).headline))
    }

    private func imported(_ path: String, _ bytes: SecretBytes) async -> ImportedFile {
        var tally = ImportTally()
        var told: [Progress] = []
        var failure: (any Error)?
        do {
            for entry in try KeyFile.open(bytes, passwords: self.passwords).entries {
                tally.subjects.note(try CertificateFields(derEncoded: entry.certificate))
                try await self.counting(path, &tally, { told.append($0) }) {
                    try await self.importer.importKey(entry, by: self.who)
                }
            }
        } catch let error where KeyImportRun.concernsOneFile(error) {
            self.failed(path, error, &tally) { told.append($0) }
        } catch {
            failure = error
        }
        return ImportedFile(path: path, tally: tally, told: told, failure: failure)
    }

    /// Tells and counts what became of a file, and notes it in the journal.
    private func take(
        _ file: ImportedFile, _ tally: inout ImportTally, _ progress: (Progress) -> Void
    ) async throws {
        tally.add(file.tally)
        file.told.forEach(progress)
        if let failure = file.failure { throw failure }
        if file.tally.counters.keysNotArchived == 0 { try await self.journal?.note(file.path) }
    }

    private func container(
        _ path: String, _ tally: inout ImportTally, _ progress: (Progress) -> Void
    ) async throws {
        let failuresBefore = tally.counters.keysNotArchived
        do {
            guard let handle = FileHandle(forReadingAtPath: path) else {
                throw ServiceError.unreadable(path, String(cString: strerror(errno)))
            }
            defer { try? handle.close() }  // a file opened for reading has nothing to lose
            var reader = try KeyContainer.Reader { count in Array(try handle.read(upToCount: count) ?? Data()) }
            while let entry = try reader.next() {
                if let certificate = try? CertificateFields(derEncoded: entry.certificateDER) {
                    tally.subjects.note(certificate)
                }
                try await self.counting(path, &tally, progress) {
                    try await self.importer.importKey(
                        encryptedKeyDER: entry.encryptedKeyDER, certificateDER: entry.certificateDER, by: self.who)
                }
            }
        } catch let error where KeyImportRun.concernsOneFile(error) {
            self.failed(path, error, &tally, progress)
        }
        if tally.counters.keysNotArchived == failuresBefore { try await self.journal?.note(path) }
    }

    private func counting(
        _ path: String, _ tally: inout ImportTally, _ progress: (Progress) -> Void,
        _ body: () async throws -> KeyImporter.Outcome
    ) async throws {
        do {
            let outcome = try await body()
            tally.counters.count(outcome)
            progress(.imported(file: path, outcome))
        } catch let error where KeyImportRun.concernsOneKey(error) {
            tally.counters.countFailure(ofCertificate: (error as? ArchivalError)?.code == .foreignCertificate)
            progress(.failed(file: path, reason: ErrorReport(error).headline))
        }
    }

    private static func concernsOneKey(_ error: any Error) -> Bool {
        if let error = error as? ArchivalError {
            return [
                .foreignCertificate, .keyMismatch, .unsupportedKey, .signatureOnlyKey, .malformedKey, .notDecrypted,
                .recipientNotFound, .exchangeKeyRetired, .exchangeCertificateRevoked, .pathNotAvailable,
            ].contains(error.code)
        }
        return error is PKIMessageError
    }

    private static func concernsOneFile(_ error: any Error) -> Bool {
        if let error = error as? ArchivalError { return error.code == .unknownKeyFile }
        if let error = error as? ServiceError { return error.code == .unreadable }
        return error is PKIMessageError
    }
}

/// What became of a PKCS #12 file.
private struct ImportedFile: Sendable {
    let path: String
    let tally: ImportTally
    let told: [KeyImportRun.Progress]
    /// What concerns the other files as well.
    let failure: (any Error)?
}

/// What was counted in one file, or in all.
private struct ImportTally: Sendable {
    var counters = KeyImportCounters()
    var subjects = KeySubjects()

    mutating func add(_ other: ImportTally) {
        self.counters.add(other.counters)
        self.subjects.add(other.subjects)
    }
}

/// How many different subjects there were, as far as eight bytes of a hash tell; a million take some 16 MB.
private struct KeySubjects: Sendable {
    private var seen: Set<UInt64> = []

    var count: Int { self.seen.count }

    mutating func note(_ certificate: CertificateFields) {
        self.seen.insert(Digest.sha256.hash(certificate.subjectDER).prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }

    mutating func add(_ other: KeySubjects) { self.seen.formUnion(other.seen) }
}
