import ArgumentParser
import CAService
import CertificateAuthority
import Foundation
import PKIMessages

/// `signet certificate export`
struct ExportCertificate: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a certificate, or the CA's own, in the format another program takes.",
        discussion: """
            Formats: pem and pkcs7 have the certificate first, then its issuer, the root last; der is the certificate alone.
            windows-mobile, java, debian and nss are for clients that are to trust the root: a provisioning document, a \
            PKCS#12 trust store, a directory of .crt files for /usr/local/share/ca-certificates, and the same with a script \
            for the certutil of NSS. pkcs12 passes on key and certificates of a PKCS#12 (--pkcs12) with a new password; a key \
            on a token never leaves it, so that no other key can be exported.
            """,
        examples: """
            signet certificate export --ca --format windows-mobile --out root.xml
            signet certificate export --request 12 --format pkcs7 --out user.p7b
            signet certificate export --ca --format java --password file:store.pin --out truststore.p12
            """)

    @OptionGroup var options: InstanceOptions

    @Flag(name: .long, help: "The CA's own certificate and those above it.")
    var ca = false

    @Option(name: .long, help: "The certificate of that request, with the CA's above it.")
    var request: Int64?

    @Option(name: .long, help: "The key, certificate and chain of this PKCS#12 (pkcs12 format), or its certificates.")
    var pkcs12: String?

    @Option(name: .long, help: "Where the password of --pkcs12 comes from: prompt, file:PATH or env:NAME.")
    var pkcs12Password = "prompt"

    @Option(name: .long, help: "pem, der, pkcs7, pkcs7-pem, pkcs12, windows-mobile, java, debian or nss.")
    var format = "pem"

    @Option(name: .long, help: "Where the password of the new file comes from (pkcs12, java).")
    var password = "prompt"

    @Flag(name: .long, help: "pkcs12: triple DES and SHA-1, for clients that do not know AES in PKCS#12 (before 2018).")
    var legacy = false

    @Option(name: .long, help: "Where to write it: a file that must not be there, or a new directory (debian, nss).")
    var out: String

    @Argument(help: "Certificates, PEM, DER or PKCS#7, in place of those of an instance.")
    var files: [String] = []

    func validate() throws {
        let sources = [self.ca, self.request != nil, self.pkcs12 != nil, !self.files.isEmpty].filter { $0 }.count
        guard sources == 1 else { throw ValidationError("Name one of --ca, --request, --pkcs12 and files.") }
        let known = CertificateExport.Format.allCases.map(\.rawValue) + ["pkcs12", "debian", "nss"]
        guard known.contains(self.format) else {
            throw ValidationError("--format is one of \(known.joined(separator: ", ")).")
        }
        guard self.format != "pkcs12" || self.pkcs12 != nil else {
            throw ValidationError("A key on a token never leaves it; the pkcs12 format needs --pkcs12.")
        }
    }

    func run(in context: CommandContext) async throws {
        guard !FilePaths.exists(self.out) else { throw ServiceError.exists(self.out, "The file") }
        if self.format == "pkcs12" { return try self.passOn() }
        let path = try await self.certificates(in: context)
        let roots = path.filter(\.isSelfIssued)
        switch CertificateExport.Format(rawValue: self.format) {
        case .java:
            let password = try SecretInput.system.readNew(PINSource(self.password), what: "a password for \(self.out)")
            try FilePaths.create(
                self.out, secret: CertificateExport.javaTrustStore(try self.trusted(roots), password: password))
        case let format?:
            try FilePaths.createWhole(self.out, with: CertificateExport.document(format, of: path), mode: 0o644)
        case nil: try self.writeDirectory(self.trusted(roots))
        }
        Console.say("\(self.format): \(self.out)")
    }

    /// - Throws: a usage error when there is no root to trust.
    private func trusted(_ roots: [CertificateFields]) throws -> [CertificateFields] {
        guard !roots.isEmpty else { throw ValidationError("There is no root certificate to be trusted.") }
        return roots
    }

    private func certificates(in context: CommandContext) async throws -> [CertificateFields] {
        if !self.files.isEmpty {
            return try self.files.flatMap { try CertificateAcceptance.certificates(in: FilePaths.read($0)) }
        }
        if let path = self.pkcs12 {
            let contents = try PKCS12.allContents(
                of: FilePaths.readSecret(path),
                password: SecretInput.system.read(PINSource(self.pkcs12Password), what: "the password of \(path)"))
            return try (contents.entries.map(\.certificate) + contents.certificates).map {
                try CertificateFields(derEncoded: $0)
            }
        }
        let instance = try context.open(self.options)
        let chain = try await instance.authorityCertificates()
        guard let request = self.request else { return chain }
        return [try await instance.issuedCertificate(ofRequest: request, for: instance.localOperator())] + chain
    }

    /// A file each, all or none.
    private func writeDirectory(_ roots: [CertificateFields]) throws {
        var files = try CertificateExport.debianFiles(roots)
        if self.format == "nss" {
            let lines = files.map {
                "certutil -A -d \"$1\" -n \(String($0.name.dropLast(4))) -t C,C,C -i \"$(dirname \"$0\")/\($0.name)\""
            }
            let script =
                ["#!/bin/sh", "# Trusts the certificates beside this script: sh import.sh sql:DIRECTORY", "set -eu"]
                + lines
            files.append(("import.sh", Array((script + [""]).joined(separator: "\n").utf8)))
        }
        try FileManager.default.createDirectory(atPath: self.out, withIntermediateDirectories: false)
        do {
            for (name, bytes) in files { try FilePaths.createWhole("\(self.out)/\(name)", with: bytes, mode: 0o644) }
        } catch {
            try FileManager.default.removeItem(atPath: self.out)
            throw error
        }
    }

    private func passOn() throws {
        guard let path = self.pkcs12 else { return }
        let old = try SecretInput.system.read(PINSource(self.pkcs12Password), what: "the password of \(path)")
        let contents = try PKCS12.openAll(FilePaths.readSecret(path), password: old)
        let new = try SecretInput.system.readNew(PINSource(self.password), what: "a password for \(self.out)")
        try FilePaths.create(
            self.out,
            secret: PKCS12.make(
                contents.entries, chain: contents.certificates, password: new,
                protection: self.legacy ? .legacy : .modern))
        Console.say("pkcs12: \(self.out)")
    }
}
