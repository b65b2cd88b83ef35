import DeviceProfiles
import Foundation
import Glibc
import PKIMessages

/// Stands in for the devices of a ceremony: a SoftHSM token each, in a new directory, beside copies of the inputs.
package struct CeremonyRehearsal: Sendable {
    private let directory: String
    private let module: String

    /// Where Debian, Fedora and the makers put the module.
    package static let usualModules = [
        "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so",
    ]

    /// - Parameters:
    ///   - directory: made; it must not exist.
    ///   - module: SoftHSM's.
    /// - Throws: ``ServiceError`` with code `exists`, `unreadable`, `notWritten`.
    package init(directory: String, module: String) throws {
        guard !FilePaths.exists(directory) else { throw ServiceError.exists(directory, "The directory") }
        guard FilePaths.exists(module) else { throw ServiceError.unreadable(module, "SoftHSM's module is not there") }
        self.directory = directory
        self.module = module
        try FilePaths.makeDirectory(directory)
        try FilePaths.makeDirectory(directory + "/tokens")
        try FilePaths.create(
            directory + "/softhsm2.conf",
            with: Array(
                "directories.tokendir = \(directory)/tokens\nobjectstore.backend = file\nlog.level = ERROR\n".utf8),
            mode: 0o600)
    }

    /// Copies the inputs of a script.
    package func copy(_ inputs: [String], from source: String) throws {
        for input in inputs {
            let target = self.directory + "/" + input
            try FileManager.default.createDirectory(
                atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try FilePaths.create(target, with: FilePaths.read(source + "/" + input, limit: 1 << 26), mode: 0o600)
        }
    }

    /// Makes the tokens, each with a PIN of its own in a file.
    ///
    /// - Parameter names: as the script names them.
    /// - Returns: the file that describes each.
    package func makeTokens(_ names: [String], opener: TokenOpener) async throws -> [String: String] {
        var files: [String: String] = [:]
        for name in names.sorted() {
            let pin = "\(self.directory)/\(name).pin"
            try FilePaths.create(pin, with: Array(Hexadecimal.lower(LibCrypto.randomBytes(8)).utf8), mode: 0o600)
            let yaml = """
                module: \(self.module)
                module-environment: {SOFTHSM2_CONF: "\(self.directory)/softhsm2.conf"}
                token: "pkcs11:token=\(PKCSName.escaped("Rehearsal \(name)"))"
                profile: softhsm2
                pin: "file:\(pin)"

                """
            let file = "\(self.directory)/\(name).token.yaml"
            try FilePaths.create(file, with: Array(yaml.utf8), mode: 0o600)
            _ = try await opener.initialize(
                TokenConfiguration(yaml: yaml, file: file), securityOfficerPIN: .file(pin))
            files[name] = file
        }
        return files
    }

    /// The files of a rehearsal that was interrupted.
    package static func tokenFiles(_ names: [String], in directory: String) -> [String: String] {
        Dictionary(uniqueKeysWithValues: names.map { ($0, "\(directory)/\($0).token.yaml") })
    }

    private enum PKCSName {
        /// A label as a `pkcs11:` URI takes it (RFC 7512).
        static func escaped(_ label: String) -> String {
            label.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? label
        }
    }
}
