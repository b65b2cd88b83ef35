import CertificateAuthority
import Diagnostics
import Foundation
import KeyArchival
import PKIMessages
import TestSupport
import Testing

@testable import CAService

/// Requests made by Tests/Clients/archival_client.py, which has its ASN.1 and its cryptography from PyPI: `make test` puts
/// them where this test looks.
@Suite("Archival requests of independent clients")
struct ArchivalClientTests {
    private static let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    private static let python = checkout + "/.build/archival-client/bin/python"

    /// Whether the key stays on the token, by form.
    private static let accepted: [(String, ArchivalEvidence.Path)] = [
        ("windows-2003", .hostMemory), ("longhorn", .hostMemory), ("autoenrollment", .hostMemory),
        ("sha2-3des", .hostMemory), ("sha2-aes128", .hostMemory), ("sha2-aes192", .hostMemory),
        ("aes256-4096", .hostMemory), ("modern-pkcs8", .hostMemory), ("modern-wrap", .onToken),
        ("modern-wrap-3072", .onToken), ("modern-wrap-1024", .onToken), ("modern-wrap-4096", .onToken),
        ("elliptic-p256", .hostMemory), ("elliptic-p384", .hostMemory),
        ("elliptic-p256-wrap", .onToken), ("elliptic-p521-wrap", .onToken),
    ]

    private static let refused: [(String, HRESULT)] = [
        ("refused-hash-of-inner", .hashValue), ("refused-wrong-hash", .hashValue),
        ("refused-no-hash", .badRequestKeyArchival), ("refused-signed-attribute", .badRequestKeyArchival),
        ("refused-other-key", .badKey), ("refused-signature-key", .badKeyState),
        ("refused-other-recipient", .recipientNotFound), ("refused-trailing-byte", .invalidData),
        ("refused-no-request", .invalidData), ("refused-two-requests", .invalidData),
        ("refused-no-signer", .noSigner), ("refused-second-signer", .badRequestKeyArchival),
        ("refused-in-request", .badRequestKeyArchival), ("refused-twice", .badRequestKeyArchival),
        ("refused-message-signature", .badSignature), ("refused-request-signature", .badSignature),
        ("refused-ciphertext", .badData), ("refused-ed25519", .badAlgorithm),
        ("refused-pkcs10", .invalidMessageType), ("refused-pkcs7", .invalidMessageType),
    ]

    @Test(
        "Every form of three generations of Windows and of modern clients is archived, and what is wrong is refused",
        .enabled(if: FileManager.default.isExecutableFile(atPath: ArchivalClientTests.python)))
    func forms() async throws {
        let site = try await SweepSite(minimumKeyBits: 1024)
        let exchange = try await site.authority.currentExchangeCertificate()
        let directory = try TemporaryDirectory()
        let certificate = try directory.write("exchange.der", exchange.certificateDER)
        let made = try await run([
            Self.python, Self.checkout + "/Tests/Clients/archival_client.py", certificate, "User", directory.path,
        ])
        try #require(made.status == 0, "\(made.stderr)")
        #expect(
            made.text.split(separator: "\n").map(String.init) == Self.accepted.map(\.0) + Self.refused.map(\.0))
        for (form, path) in Self.accepted { try await self.accept(form, path, directory, site) }
        for (form, code) in Self.refused {
            let result = try await self.submit(form, directory, site)
            #expect(result.statusCode == code, "\(form)")
            #expect(result.certificateDER == nil)
        }
        #expect(try await site.contradictions(acknowledged: []) == [])
        await site.close()
    }

    private func submit(
        _ form: String, _ directory: TemporaryDirectory, _ site: SweepSite
    ) async throws -> EnrollmentResult {
        try await site.authority.submit(
            EnrollmentSubmission(
                requestBytes: directory.read("\(form).cmc"), attributes: "CertificateTemplate:User",
                caller: SweepSite.alice, wantsFullResponse: true))
    }

    private func accept(
        _ form: String, _ path: ArchivalEvidence.Path, _ directory: TemporaryDirectory, _ site: SweepSite
    ) async throws {
        let result = try await self.submit(form, directory, site)
        #expect(result.disposition == .issued, "\(form): \(result.statusCode) \(result.failure?.headline ?? "")")
        guard result.disposition == .issued else { return }
        let key = try #require(
            try await site.authority.instance.storage.read { try $0.archivedKey(forRequest: result.requestID) })
        #expect(try ArchivalEvidence(json: key.evidenceJSON).path == path, "\(form)")
        let request = try FullPKIRequest(derEncoded: directory.read("\(form).cmc"))
        try FullPKIResponse(derEncoded: result.fullResponseDER ?? [])
            .verifyEncryptedKeyHash(sent: request.encryptedKeyHash)
        let row = try #require(
            try await site.authority.instance.storage.read { try $0.request(result.requestID) })
        let kept = try FullPKIRequest(derEncoded: row.rawRequest)
        #expect(kept.encryptedKeyAttribute == nil)
        try kept.verifySignatures()
    }
}
