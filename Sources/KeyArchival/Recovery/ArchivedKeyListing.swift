package import CertificateAuthority
package import Foundation
import PKIMessages

/// Archived keys as text: the list that `certutil -getkey` prints, and the script that recovers all of them.
package struct ArchivedKeyListing: Sendable {
    private let authority: String
    private let keys: [CertificateRecord]
    private let time: @Sendable (Date) -> String

    /// - Parameters:
    ///   - authority: name of the CA, as it stands above the list.
    ///   - keys: as ``KeyFinder`` finds them.
    package init(
        authority: String, keys: [CertificateRecord],
        time: @escaping @Sendable (Date) -> String = { $0.formatted(.iso8601) }
    ) {
        self.authority = authority
        self.keys = keys
        self.time = time
    }

    /// The name of the CA, then a block a key.
    package var lines: [String] {
        ["\"\(self.authority)\""] + self.keys.flatMap(self.block)
    }

    private func block(_ key: CertificateRecord) -> [String] {
        let thumbprint = key.sha1Thumbprint.map { Hexadecimal.lower([$0]) }.joined(separator: " ")
        return [
            "  Serial Number: \(key.serialNumber)", "  Subject: \(key.subject)",
            key.userPrincipalName.map { "  UPN: \($0)" },
            "  NotBefore: \(self.time(key.notBefore))", "  NotAfter: \(self.time(key.notAfter))",
            "  Template: \(key.templateName ?? "-")", "  Version: 3", "  Requester: \(key.requesterName)",
            "  Cert Hash(sha1): \(thumbprint)", "",
        ].compactMap { $0 }
    }

    /// How the script names what stands outside of the listing. Everything is quoted for the shell.
    package struct ScriptSettings: Sendable {
        package var instance: String
        /// PEM file with the CA certificates, as `signet recover` needs it.
        package var caCertificates: String

        package init(instance: String, caCertificates: String) {
            self.instance = instance
            self.caCertificates = caCertificates
        }
    }

    /// A POSIX shell script that takes the blob of every key, recovers all of them into one PKCS #12 with a generated
    /// password, and removes the blobs.
    package func script(_ settings: ScriptSettings) -> String {
        let blobs = self.keys.map { "\(self.fileName(of: $0))-\($0.serialNumber).rec" }
        let name = self.keys.first.map(self.fileName) ?? "keys"
        let taking = zip(self.keys, blobs).map { key, blob in
            "signet key get --instance \(quoted(settings.instance)) --out \(quoted(blob)) \(key.serialNumber)"
        }
        let files = blobs.map(quoted).joined(separator: " ")
        return
            (["#!/bin/sh", "# Querying \(ArchivedKeyListing.plain(self.authority))....."]
            + self.lines.map { $0.isEmpty ? "#" : "# " + ArchivedKeyListing.plain($0) }
            + ["set -eu", "umask 077", "echo 'Version 3 certificates and keys:'"] + taking
            + [
                "signet recover --ca-certificates \(quoted(settings.caCertificates)) --password generate "
                    + "--out \(quoted(name + ".p12")) \(files)",
                "rm -f \(files)", "",
            ]).joined(separator: "\n")
    }

    /// The common name with nothing in it that a shell or a file system could take for something else.
    private func fileName(of key: CertificateRecord) -> String {
        ArchivedKeyListing.fileName(key.commonName ?? "key")
    }

    /// Letters, digits, points, hyphens and underscores of a name, at most 64; others become underscores.
    package static func fileName(_ name: String) -> String {
        let kept = name.prefix(64).map { character -> Character in
            character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
                ? character : "_"
        }
        let text = String(kept.drop { $0 == "." || $0 == "-" })
        return text.isEmpty ? "key" : text
    }

    /// Without what could end a comment.
    private static func plain(_ text: String) -> String {
        text.map { $0.isNewline ? " " : String($0) }.joined()
    }

    private func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}
