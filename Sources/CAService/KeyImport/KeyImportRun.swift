package import CertificateAuthority
import CoreFoundation
import Diagnostics
import Foundation
import Glibc
package import KeyArchival
import PKIMessages
package import SecretMemory

/// Imports keys from files and directories, one key in memory at a time.
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

    /// Imports a file, or every file of a directory in the order of the directory.
    ///
    /// - Throws: what concerns all keys: no role, no agent, a token that is away, storage. What concerns one key is told
    ///   and counted.
    package func run(_ path: String, _ progress: (Progress) -> Void) async throws -> KeyImportCounters {
        var counters = KeyImportCounters()
        var subjects = KeySubjects()
        guard let directory = opendir(path) else {
            try await self.file(path, &counters, &subjects, progress)
            counters.users = subjects.count
            return counters
        }
        defer { closedir(directory) }
        while let file = try KeyImportRun.nextFile(of: directory, path) {
            try await self.file(file, &counters, &subjects, progress)
        }
        counters.users = subjects.count
        return counters
    }

    /// Directories in it, and names that begin with a dot, are passed over.
    private static func nextFile(of directory: OpaquePointer, _ path: String) throws -> String? {
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                guard errno == 0 else { throw ServiceError.unreadable(path, String(cString: strerror(errno))) }
                return nil
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let file = path + "/" + name
            var status = stat()
            // What has no status is taken as a file, which then says why it cannot be read.
            guard !name.hasPrefix("."), stat(file, &status) != 0 || status.st_mode & S_IFMT == S_IFREG else { continue }
            return file
        }
    }

    private func file(
        _ path: String, _ counters: inout KeyImportCounters, _ subjects: inout KeySubjects,
        _ progress: (Progress) -> Void
    ) async throws {
        if try await self.journal?.has(path) == true { return progress(.skipped(file: path)) }
        let failuresBefore = counters.keysNotArchived
        do {
            let source = try KeyFile(path)
            switch source.kind {
            case .container: try await self.container(path, &counters, &subjects, progress)
            case .pkcs12(let bytes):
                for entry in try KeyFile.open(bytes, passwords: self.passwords).entries {
                    subjects.note(try CertificateFields(derEncoded: entry.certificate))
                    try await self.counting(path, &counters, progress) {
                        try await self.importer.importKey(entry, by: self.who)
                    }
                }
            }
        } catch let error where KeyImportRun.concernsOneFile(error) {
            counters.countFailure(ofCertificate: true)
            progress(.failed(file: path, reason: ErrorReport(error).headline))
        }
        if counters.keysNotArchived == failuresBefore { try await self.journal?.note(path) }
    }

    private func container(
        _ path: String, _ counters: inout KeyImportCounters, _ subjects: inout KeySubjects,
        _ progress: (Progress) -> Void
    ) async throws {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw ServiceError.unreadable(path, String(cString: strerror(errno)))
        }
        defer { try? handle.close() }  // a file opened for reading has nothing to lose
        var reader = try KeyContainer.Reader { count in Array(try handle.read(upToCount: count) ?? Data()) }
        while let entry = try reader.next() {
            if let certificate = try? CertificateFields(derEncoded: entry.certificateDER) { subjects.note(certificate) }
            try await self.counting(path, &counters, progress) {
                try await self.importer.importKey(
                    encryptedKeyDER: entry.encryptedKeyDER, certificateDER: entry.certificateDER, by: self.who)
            }
        }
    }

    private func counting(
        _ path: String, _ counters: inout KeyImportCounters, _ progress: (Progress) -> Void,
        _ body: () async throws -> KeyImporter.Outcome
    ) async throws {
        do {
            let outcome = try await body()
            counters.count(outcome)
            progress(.imported(file: path, outcome))
        } catch let error where KeyImportRun.concernsOneKey(error) {
            counters.countFailure(ofCertificate: (error as? ArchivalError)?.code == .foreignCertificate)
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

/// How many different subjects there were, as far as eight bytes of a hash tell; a million take some 16 MB.
private struct KeySubjects {
    private var seen: Set<UInt64> = []

    var count: Int { self.seen.count }

    mutating func note(_ certificate: CertificateFields) {
        self.seen.insert(Digest.sha256.hash(certificate.subjectDER).prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}
