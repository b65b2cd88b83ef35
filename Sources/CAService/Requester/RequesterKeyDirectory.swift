import Diagnostics
import Foundation
package import PKIMessages

/// Where a requester's keys wait for their certificates when nobody names a file: one PKCS #12 a key, named by its key
/// identifier, so that an answer finds its key.
package struct RequesterKeyDirectory: Sendable {
    private let directory: String

    package init(_ directory: String) {
        self.directory = directory
    }

    /// `SIGNET_KEYS`, or `signet/keys` in the user's data directory.
    package static func standard(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> RequesterKeyDirectory {
        if let path = environment["SIGNET_KEYS"] { return RequesterKeyDirectory(path) }
        guard let data = environment["XDG_DATA_HOME"] ?? environment["HOME"].map({ $0 + "/.local/share" }) else {
            throw ServiceError.invalidName("The directory of your keys", "neither SIGNET_KEYS nor HOME is set")
        }
        return RequesterKeyDirectory(data + "/signet/keys")
    }

    /// The file of a new key; the directory is made.
    package func path(for key: SubjectPublicKeyInfo) throws -> String {
        do {
            try FileManager.default.createDirectory(
                atPath: self.directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ServiceError.notWritten(self.directory, error.localizedDescription)
        }
        return self.path(of: key)
    }

    /// The file with the key of one of the certificates.
    ///
    /// - Throws: ``ServiceError`` with code `certificateKeyMismatch` (0x80100030).
    package func path(forOneOf certificates: [CertificateFields]) throws -> String {
        let paths = certificates.map { self.path(of: $0.subjectPublicKeyInfo) }
        guard let path = paths.first(where: FilePaths.exists) else {
            throw ServiceError.keyNotInDirectory(self.directory)
        }
        return path
    }

    private func path(of key: SubjectPublicKeyInfo) -> String {
        "\(self.directory)/\(Hexadecimal.lower(key.keyIdentifier)).p12"
    }
}

extension ServiceError {
    fileprivate static func keyNotInDirectory(_ directory: String) -> ServiceError {
        ServiceError(
            code: .certificateKeyMismatch, headline: "No key in \"\(directory)\" belongs to the certificate.",
            hresult: .noKeyContainer,
            advice: ["Name the key's place: a token, its PKCS #12, or the directory with SIGNET_KEYS."])
    }
}
