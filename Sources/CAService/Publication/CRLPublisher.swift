package import CertificateAuthority
import Foundation

/// A signed list on its way to the places where relying parties find it.
package struct CRLPublication: Sendable {
    package let record: CRLRecord
    /// What the tokens of patterns stand for.
    package let values: PublicationURL.Values
    /// A file with the bytes; `nil` when they are in the record.
    package let path: String?

    package init(record: CRLRecord, values: PublicationURL.Values, path: String?) {
        self.record = record
        self.values = values
        self.path = path
    }
}

/// A place where lists are published: a directory, or whatever a program puts them into.
///
/// A failure is recorded and tried again by the service; it never keeps the CA from signing.
package protocol CRLPublisher: Sendable {
    /// As it stands in events.
    var place: String { get }
    /// - Returns: where the list is now.
    func publish(_ publication: CRLPublication) async throws -> String
}

/// Writes lists into a directory, each under the name that its addresses have.
package struct DirectoryPublisher: CRLPublisher {
    /// A directory, or a pattern of a whole path that ends in `.crl`.
    private let pattern: String

    /// - Parameter pattern: absolute.
    package init(pattern: String) {
        self.pattern = pattern.hasSuffix(".crl") ? pattern : pattern + "/" + PublicationPattern.crl
    }

    package var place: String { self.pattern }

    package func publish(_ publication: CRLPublication) async throws -> String {
        let path = try PublicationURL.expand(self.pattern, publication.values, isFileName: true)
        if let source = publication.path {
            try FilePaths.replace(path, withCopyOf: source, mode: 0o644)
        } else {
            try FilePaths.replace(path, with: publication.record.crlDER, mode: 0o644)
        }
        return path
    }
}

/// Gives each list to a program: its file as the first argument, what it is in the environment. Whatever the program
/// does with it (an upload, a directory server) has to be done within the deadline; exit code 0 says that it is done.
package struct HookPublisher: CRLPublisher {
    private let program: HookProgram
    /// Where files for the program are made.
    private let directory: String

    package init(program: HookProgram, directory: String) {
        self.program = program
        self.directory = directory
    }

    package var place: String { self.program.path }

    package func publish(_ publication: CRLPublication) async throws -> String {
        let record = publication.record
        let name = try PublicationURL.expand(PublicationPattern.crl, publication.values, isFileName: true)
        let environment = [
            "SIGNET_CRL_NAME": name, "SIGNET_CRL_NUMBER": "\(record.number)", "SIGNET_CRL_KIND": record.kind.rawValue,
            "SIGNET_CRL_KEY": "\(record.caKeyIndex)", "SIGNET_CRL_SHARD": "\(record.shard)",
        ]
        if let path = publication.path {
            _ = try await self.program.run(arguments: [path], environment: environment)
            return self.place
        }
        let path = "\(self.directory)/.publish-\(record.number)-\(record.kind.rawValue).crl"
        try FilePaths.replace(path, with: record.crlDER, mode: 0o644)
        do {
            _ = try await self.program.run(arguments: [path], environment: environment)
        } catch {
            try FilePaths.remove(path)
            throw error
        }
        try FilePaths.remove(path)
        return self.place
    }
}
