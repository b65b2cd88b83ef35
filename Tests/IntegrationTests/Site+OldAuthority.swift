import Foundation
import TestSupport

/// An old software CA, as openssl makes it, and the import of its key.
extension Site {
    /// A self-signed CA in `NAME.p12` with the password in `old-password`, `NAME.key` and `NAME.crt`.
    func makeOldCA(
        _ algorithm: String, name: String = "old", extensions: String = "basicConstraints=critical,CA:TRUE"
    ) async throws {
        let key =
            algorithm.hasPrefix("rsa-")
            ? ["rsa:\(algorithm.dropFirst(4))"] : ["ec", "-pkeyopt", "ec_paramgen_curve:\(algorithm.uppercased())"]
        // openssl adds CA:TRUE by itself where its configuration says so.
        let configuration = try self.directory.write(
            "req.cnf", Array("[req]\ndistinguished_name=dn\nx509_extensions=ca\n[dn]\n[ca]\n\(extensions)\n".utf8))
        try await succeed(
            ["openssl", "req", "-x509", "-config", configuration, "-newkey"] + key + [
                "-nodes", "-keyout", self.path("\(name).key"), "-out", self.path("\(name).crt"), "-subj", "/CN=Old CA",
                "-days", "3650",
            ])
        try self.secret("old password", to: "old-password")
        try await succeed([
            "openssl", "pkcs12", "-export", "-inkey", self.path("\(name).key"), "-in", self.path("\(name).crt"),
            "-passout", "pass:old password", "-out", self.path("\(name).p12"),
        ])
    }

    /// Imports it onto a token, as a CA in `directory`.
    func importCA(
        _ token: String, _ further: [String] = [], file: String = "old", password: String = "old-password",
        confirmation: String? = "--accept-software-key", directory: String = "ca"
    ) async throws -> ToolResult {
        try await self.signet(
            self.importArguments(
                token, file: file, password: password, confirmation: confirmation, directory: directory) + further)
    }

    func importArguments(
        _ token: String, file: String = "old", password: String = "old-password", confirmation: String?,
        directory: String = "ca"
    ) -> [String] {
        [
            "init", "root", self.path(directory), "--name", "Old CA", "--subject", "CN=Old CA", "--token-file", token,
            "--publication-url", "http://localhost:1", "--import-pkcs12", self.path("\(file).p12"),
            "--import-password", "file:\(self.path(password))",
        ] + (confirmation.map { [$0] } ?? [])
    }
}
