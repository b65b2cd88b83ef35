import Diagnostics
import Testing

@testable import PKIMessages

@Suite struct PKIMessageErrorTests {
    static let samples: [PKIMessageError] = [
        .malformed("request", "why"), .trailingBytes("request", count: 1), .tooLarge("request", bytes: 2, limit: 1),
        .tooDeep("request", limit: 32), .unsupportedAlgorithm("request", "1.2.3"), .badSignature("request"),
        .hashMismatch("request"), .wrongContentType("request", expected: "a", found: "b"), .noSigner("request"),
        .keyMismatch("request", "why"), .recipientNotFound("request", recipients: 1), .decryptionFailed("request"),
        .signatureOnlyKey("request"), .badArchivalAttribute("request", "why"),
        .libcryptoFailed("request", reasons: ["reason"]), .wrongPassword("request"), .invalidValue("request", "why"),
    ]

    @Test("Every code has a factory, a failure HRESULT, and advice that is a sentence")
    func advice() {
        #expect(Set(Self.samples.map(\.code)) == Set(PKIMessageError.Code.all))
        for error in Self.samples {
            #expect(!error.hresult.isSuccess)
            #expect(!error.advice.isEmpty)
            for advice in error.advice {
                #expect(advice.sentence.hasSuffix(".") && advice.sentence.first?.isUppercase == true)
            }
        }
    }

    @Test(
        "The codes that clients look at are those of MS-ERREF",
        arguments: [
            (PKIMessageError.malformed("", ""), 0x8007_000D), (.badSignature(""), 0x8009_0006),
            (.unsupportedAlgorithm("", ""), 0x8009_1002), (.hashMismatch(""), 0x8009_1007),
            (.wrongContentType("", expected: "", found: ""), 0x8009_1004), (.noSigner(""), 0x8009_200E),
            (.keyMismatch("", ""), 0x8009_0003), (.recipientNotFound(""), 0x8009_100B),
            (.decryptionFailed(""), 0x8009_0005), (.badArchivalAttribute("", ""), 0x8009_400C),
        ] as [(PKIMessageError, UInt32)])
    func hresults(_ error: PKIMessageError, _ expected: UInt32) {
        #expect(error.hresult.rawValue == expected)
    }

    @Test("Errors are equal by code alone")
    func equality() {
        #expect(PKIMessageError.malformed("a", "b") == .malformed("c", "d"))
        #expect(PKIMessageError.malformed("a", "b") != .badSignature("a"))
    }
}
