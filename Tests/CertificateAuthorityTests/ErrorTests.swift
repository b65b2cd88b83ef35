import Diagnostics
import KeyProvider
import PKIMessages
import Testing

@testable import CertificateAuthority

@Suite struct ErrorTests {
    private static let principal = Principal(name: "EXAMPLE\\alice", roles: [])
    private static let template = BuiltInTemplates.user

    private static let all: [any DiagnosableError] = [
        RequestError.unknownRequest(1, operation: "x"), RequestError.wrongStatus(1, is: .issued, operation: "x"),
        RequestError.accessDenied(principal, operation: .configure, to: "x"),
        RequestError.roleConflict(principal, operation: "x"),
        RequestError.restrictedManager(principal, requester: "x", operation: "y"),
        RequestError.releaseNotApproved(1, needed: 2, by: ReleaseApprovers(counting: ["x"])),
        RequestError.releaseNotControlled(1),
        RequestError.enrollmentDenied(principal), RequestError.unknownSerialNumber("01", operation: "x"),
        RequestError.wrongRevocationStatus("01", "x"), RequestError.interrupted(1),
        RequestError.signerNotFound(), RequestError.attributesTooLong(bytes: 2, limit: 1),
        PolicyError.noTemplate(), PolicyError.unsupportedTemplate("x"), PolicyError.templateConflict(["x", "y"]),
        PolicyError.newerTemplateVersion(template, requested: 1000), PolicyError.templateDenied(template, principal),
        PolicyError.archivedKeyRequired(template), PolicyError.archivedKeyUnexpected(template),
        PolicyError.keyTooShort(bits: 1, minimum: 2, template), PolicyError.unsuitableKey("x"),
        PolicyError.badSubject("x"), PolicyError.userPrincipalNameUnavailable(principal),
        PolicyError.overlapTooLong(template), IssuanceError.wrongSignature(key: "pkcs11:id=%01"),
        IssuanceError.keyStopped(key: "pkcs11:id=%01", KeyStop(.wrongSignature, when: nil)),
        IssuanceError.keyStopped(key: "pkcs11:id=%01", KeyStop(.notProven, when: nil)),
        IssuanceError.keyStopped(key: "pkcs11:id=%01", KeyStop(nil, when: nil)), IssuanceError.archivalNotConfigured(),
        IssuanceError.contentMismatch("x"), IssuanceError.caCertificateExpired(notAfter: "x"),
        IssuanceError.invalidCACertificate("x"), IssuanceError.unsuitableKey("x", "y"),
        IssuanceError.unexpected("x"), IssuanceError.superseded(1), IssuanceError.invalidConfiguration("x", "y"),
        IssuanceError.unsupportedKeyOperation("x"),
    ]

    @Test("Every error has a failure code that Windows knows, a sentence for a headline, and advice in sentences")
    func complete() {
        for error in ErrorTests.all {
            let place = Comment(rawValue: error.headline)
            #expect(!error.hresult.isSuccess, place)
            #expect(error.hresult.name != nil, place)
            #expect(error.headline.hasSuffix("."), place)
            #expect(!error.advice.isEmpty, place)
            #expect(error.advice.allSatisfy { $0.sentence.hasSuffix(".") }, place)
        }
    }

    @Test("SHA-1, and keys that are neither RSA nor on a named curve, are refused for signing certificates")
    func signingKey() throws {
        let token = try TestSigningToken()
        #expect(throws: IssuanceError.unsuitableKey("", "")) {
            try CASigningKey(token: token, keyPair: token.keyPair, digest: .sha1)
        }
        #expect(throws: IssuanceError.unsuitableKey("", "")) {
            try CASigningKey(token: token, keyPair: Requester(.ed25519).keyPair(.p256))
        }
        let p384 = try CASigningKey(token: token, keyPair: Requester(.p384).keyPair(.p384))
        #expect(p384.algorithm == .ecdsaWithSHA384)
        let rsa = try CASigningKey(token: token, keyPair: Requester(.rsa(bits: 2048)).keyPair(.rsa(modulusBits: 2048)))
        #expect(rsa.algorithm == .sha256WithRSA)
    }
}
