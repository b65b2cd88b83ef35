import BackupSets
import Diagnostics
import Foundation
import PKIMessages
import SecretMemory
import TestSupport
import Testing

@Suite("To whom a backup is encrypted")
struct RecipientTests {
    /// A self-signed certificate, made by openssl, in `directory` with its key.
    private static func certificate(
        _ directory: TemporaryDirectory, _ key: [String], usage: String
    ) async throws -> CertificateFields {
        let made = try await run(
            ["openssl", "req", "-x509", "-newkey"] + key + [
                "-nodes", "-keyout", directory.path("key.pem"), "-out", directory.path("certificate.pem"), "-subj",
                "/CN=Backup", "-addext", "keyUsage=\(usage)",
            ])
        #expect(made.status == 0, "\(made.stderr)")
        return try CertificateFields(
            derEncoded: TextEncoding.decode(directory.read("certificate.pem"), what: "certificate"))
    }

    @Test(
        "The envelope of a header is one that openssl opens with the recipient's key, and what it finds opens the part")
    func certificate() async throws {
        let directory = try TemporaryDirectory()
        let certificate = try await Self.certificate(directory, ["rsa:2048"], usage: "keyEncipherment")
        let recipients = try BackupRecipients(certificates: [certificate], password: nil)
        let (header, partKey) = try recipients.makeHeader(
            backupID: MemoryPart.backupID, randomBytes: LibCrypto.randomBytes)
        try directory.write("envelope", Array(header.bytes.dropFirst(30)))
        let opened = try await run([
            "openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", directory.path("envelope"), "-inkey",
            directory.path("key.pem"), "-recip", directory.path("certificate.pem"),
        ])
        #expect(opened.status == 0, "\(opened.stderr)")
        #expect(try partKey.matches(SecretBytes(copying: opened.stdout)))
        // Nobody has given a password.
        let error = #expect(throws: BackupError.self) {
            try header.partKey(password: SecretBytes(copying: [1]), part: "part")
        }
        #expect(error?.code == .notOpened)
    }

    @Test("Certificates that cannot encipher keys are refused by name, and so is nobody")
    func unsuitable() async throws {
        let directory = try TemporaryDirectory()
        let signing = try await Self.certificate(directory, ["rsa:2048"], usage: "digitalSignature")
        let curve = try await Self.certificate(
            directory, ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], usage: "keyAgreement")
        for certificates in [[signing], [curve], []] {
            let error = #expect(throws: BackupError.self) {
                try BackupRecipients(certificates: certificates, password: nil)
            }
            #expect(error?.code == .noRecipient)
            #expect(error?.hresult == .invalidParameter)
        }
    }
}
