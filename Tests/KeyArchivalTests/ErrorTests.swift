import CertificateAuthority
import Diagnostics
import Testing

@testable import KeyArchival

@Suite("Errors of archival and recovery")
struct ErrorTests {
    private static let foreign = ArchivalError(
        code: .foreignCertificate, operation: "import", reason: "it is foreign", hresult: .issuerChaining,
        advice: ["Repeat with --force."])
    static let errors: [ArchivalError] = [
        .notConfigured(), .noValidAgent([]), .tooFewAgents(needed: 2, configured: 1), .unsupportedKey(), .notForToken(),
        .signatureOnlyKey(), .recipientNotFound(recipients: 1), .notDecrypted(), .malformedKey("it is not DER"),
        .keyMismatch(with: "the certificate"), .pathNotAvailable("it is off", advice: "Turn it on."),
        .noArchivedKey(requestID: 1, "it has none"), .agentCertificateMissing(requestID: 1, hash: "0a"),
        .nothingFound("x"), .exchangeKeyRetired("61"), .exchangeCertificateRevoked("61"), .ambiguousName("x", []),
        .untrustedBlob("it is unsigned"), .noRecoveryKey([]), .sharesNeeded(2, of: 3, present: 1), .foreignShare("x"),
        .badShare("x"), .duplicateShare(1), .shareForAnother("x"), .notAnAgent("x"), .noSeal(),
        .tooFewForThreshold(2, distinctKeys: 1),
        .unknownKeyFile("x", "it is text"),
        .thumbprintMismatch("0a"), foreign, .changedRecord(requestID: 1, "it is another one"),
        .evidenceNotSigned(requestID: 1, "nobody has signed it"),
    ]

    @Test("Every code has an error with a failing HRESULT that has a name, and an imperative sentence of advice")
    func complete() {
        #expect(Set(Self.errors.map(\.code)) == Set(ArchivalError.Code.all))
        for error in Self.errors {
            #expect(error.hresult.rawValue & 0x8000_0000 != 0, "\(error.code)")
            #expect(error.hresult.name != nil, "\(error.code)")
            #expect(error.advice.allSatisfy { $0.sentence.hasSuffix(".") } && !error.advice.isEmpty)
            #expect(error.headline.hasSuffix("."))
        }
    }
}
