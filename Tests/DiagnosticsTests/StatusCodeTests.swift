import Diagnostics
import Testing

@Suite("Status codes")
struct StatusCodeTests {
    @Test("A full card is 0x80100028 with the white paper's text")
    func writeTooMany() {
        #expect(HRESULT.writeTooMany.description == "0x80100028")
        #expect(HRESULT.writeTooMany.name == "SCARD_E_WRITE_TOO_MANY")
        #expect(
            HRESULT.writeTooMany.text
                == "An attempt was made to write more data than would fit in the target object.")
    }

    @Test("An unknown code keeps its number")
    func unknownHRESULT() {
        let code = HRESULT(rawValue: 0x8009_FFFE)
        #expect(code.name == nil)
        #expect(code.description == "0x8009fffe")
        #expect(code.text == "Unknown error 0x8009fffe.")
    }

    @Test(
        "A PKCS #11 value is found by its name with or without the prefix", arguments: ["CKR_PIN_LOCKED", "PIN_LOCKED"])
    func returnValueByName(name: String) {
        #expect(ReturnValue(name: name) == .pinLocked)
    }

    @Test("An unknown and a vendor return value keep their numbers")
    func unknownReturnValues() {
        #expect(ReturnValue(rawValue: 0x7777).description == "CKR 0x7777")
        #expect(ReturnValue(rawValue: 0x8000_0012).description == "vendor CKR 0x80000012")
        #expect(ReturnValue.deviceMemory.description == "CKR_DEVICE_MEMORY (0x31)")
        #expect(ReturnValue(name: "CKR_NO_SUCH_THING") == nil)
    }
}

@Suite("Error reports")
struct ErrorReportTests {
    private struct CardFull: DiagnosableError {
        var headline: String { "Could not generate an rsa-4096 key pair: the card has 900 bytes left." }
        var hresult: HRESULT { .writeTooMany }
        var tokenFailure: TokenFailure? {
            TokenFailure(
                function: "C_GenerateKeyPair", returnValue: .deviceMemory, mechanism: "CKM_RSA_PKCS_KEY_PAIR_GEN",
                token: TokenIdentification(
                    label: "KRA 1", manufacturer: "Maker", model: "8K", serialNumber: "42", firmware: "1.0", slotID: 3))
        }
        var facts: [Fact] { [Fact("needed", "3400 bytes")] }
        var advice: [Advice] { ["Use a card with more memory."] }
    }

    @Test("A report says what, which token, which call, which code and what to do")
    func lines() {
        #expect(
            ErrorReport(CardFull()).lines == [
                "Could not generate an rsa-4096 key pair: the card has 900 bytes left.",
                "needed: 3400 bytes",
                "token: \"KRA 1\" (serial 42, Maker 8K, firmware 1.0, slot 3)",
                "call: C_GenerateKeyPair with CKM_RSA_PKCS_KEY_PAIR_GEN returned CKR_DEVICE_MEMORY (0x31)",
                "likely cause: The token is full; on YubiHSM 2 a full audit log gives the same.",
                "code: 0x80100028 SCARD_E_WRITE_TOO_MANY: "
                    + "An attempt was made to write more data than would fit in the target object.",
                "hint: Use a card with more memory.",
                "next: signet token capacity --token-file TOKEN.yaml",
            ])
        #expect(
            ErrorReport(CardFull()).lines(tokenOptions: "--instance ca").last
                == "next: signet token capacity --instance ca")
    }

    @Test("After a module that does not initialise the next command is one that needs no token")
    func nextWithoutModule() {
        struct NotInitialized: DiagnosableError {
            var headline: String { "Could not load the module." }
            var hresult: HRESULT { .unexpected }
            var tokenFailure: TokenFailure? { TokenFailure(function: "C_Initialize", returnValue: .generalError) }
            var advice: [Advice] { ["Check the configuration of the module."] }
        }
        #expect(ErrorReport(NotInitialized()).lines.last == "next: signet explain 0x5")
    }

    @Test("A remote client learns the code and its text, and nothing of the token")
    func publicText() {
        #expect(
            ErrorReport(CardFull()).publicText
                == "An attempt was made to write more data than would fit in the target object. 0x80100028")
    }

    @Test("An error without a code is reported as a defect, not hidden")
    func unknownError() {
        struct Plain: Error {}
        let report = ErrorReport(Plain())
        #expect(report.hresult == .unexpected)
        #expect(report.advice.count == 1)
    }
}
