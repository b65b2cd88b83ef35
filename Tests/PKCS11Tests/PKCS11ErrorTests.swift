import Diagnostics
import PKCS11
import Testing

@Suite struct PKCS11ErrorTests {
    private func error(_ value: ReturnValue) -> PKCS11Error {
        PKCS11Error(returnValue: value, function: "C_Sign", mechanism: .ecdsa)
    }

    @Test("Every return value that has a name has advice of its own, not that of an unknown one")
    func adviceForAllNames() {
        let unknown = self.error(ReturnValue(rawValue: 0x8000_0000)).advice
        let named = (UInt(0)...0x400).map(ReturnValue.init(rawValue:)).filter { $0.name != nil }
        #expect(named.count > 90)
        for value in named {
            let error = self.error(value)
            #expect(!error.advice.isEmpty && error.advice != unknown, "\(value)")
            #expect(error.hresult.name != nil, "\(value)")
        }
    }

    @Test("A return value without a name survives with its number")
    func unknownValue() {
        let error = self.error(ReturnValue(rawValue: 0x8A11_0042))
        #expect(error.tokenFailure?.returnValue.rawValue == 0x8A11_0042)
        #expect(ErrorReport(error).lines.contains { $0.contains("0x8a110042") })
    }

    @Test(
        "A return value has the code that operators look up",
        arguments: [
            (.pinIncorrect, 0x8010_006B), (.pinLocked, 0x8010_006C), (.deviceRemoved, 0x8010_0069),
            (.tokenNotPresent, 0x8010_0069), (.deviceMemory, 0x8010_0028),
        ] as [(ReturnValue, UInt32)])
    func hresult(value: ReturnValue, code: UInt32) {
        #expect(self.error(value).hresult.rawValue == code)
    }

    @Test(
        "A refused PIN is never to be tried again",
        arguments: [ReturnValue.pinIncorrect, .pinLocked, .pinInvalid, .pinLenRange, .pinExpired])
    func pinPolicy(value: ReturnValue) {
        #expect(self.error(value).retryPolicy == .stop)
    }

    @Test("A report names the call, the mechanism and the return value")
    func report() {
        let lines = ErrorReport(self.error(.deviceMemory)).lines
        #expect(lines.contains("call: C_Sign with CKM_ECDSA returned CKR_DEVICE_MEMORY (0x31)"))
    }
}
