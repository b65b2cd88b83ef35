import DeviceProfiles
import Diagnostics
import TestSupport
import Testing
import TokenDoctor

@Suite("Explaining return values")
struct ExplanationTests {
    func profile(_ name: String) throws -> DeviceProfile {
        try ProfileCatalog(directories: [SimulatorLibrary.profiles]).profile(named: name)
    }

    @Test(
        "A value is found by name, with or without prefix, and by number",
        arguments: [
            "CKR_DEVICE_MEMORY", "DEVICE_MEMORY", "0x31", "0X31", "49",
        ])
    func reading(_ text: String) throws {
        #expect(try ReturnValueExplanation.value(of: text, profile: nil) == .deviceMemory)
    }

    @Test("What is neither a name nor a number is refused", arguments: ["", "CKR_NOTHING", "0x", "-1", "0xZZ"])
    func unknown(_ text: String) {
        #expect {
            try ReturnValueExplanation.value(of: text, profile: nil)
        } throws: { ($0 as? DoctorError)?.code == .unknownReturnValue }
    }

    @Test("A vendor's code has its name, by number and by name, with the vendor's profile only")
    func vendor() throws {
        let luna = try self.profile("luna-7")
        let value = ReturnValue(rawValue: 0x8000_002A)
        #expect(try ReturnValueExplanation.value(of: "CKR_HSM_STORAGE_FULL", profile: luna) == value)
        #expect(ReturnValueExplanation(value, profile: luna).name == "CKR_HSM_STORAGE_FULL")
        #expect(ReturnValueExplanation(value).name == nil)
        #expect(ReturnValueExplanation(value).number == "0x8000002a")
    }

    @Test("The cause on a device comes from its profile, with the evidence")
    func cause() throws {
        let explanation = ReturnValueExplanation(.generalError, profile: try self.profile("generic-32k-smartcard"))
        let first = try #require(explanation.causes.first)
        #expect(
            first.contains("generic-32k-smartcard") && first.contains("directory file") && first.contains("measured"))
    }

    @Test("Every return value of the specification has a meaning, a status, a hint and a next command")
    func everyValue() throws {
        for value in ReturnValue.names.keys.map(ReturnValue.init(rawValue:)) {
            let explanation = ReturnValueExplanation(value)
            #expect(explanation.name != nil && !explanation.meaning.isEmpty && !explanation.advice.isEmpty)
            #expect(explanation.hresult.hasPrefix("0x") && explanation.next.hasPrefix("signet "))
            #expect(!explanation.meaning.contains("failed:"))
        }
    }

    @Test("A number that is a Windows status as well is told as one")
    func windowsStatus() {
        let explanation = ReturnValueExplanation(ReturnValue(rawValue: 0x8010_0028))
        #expect(explanation.windowsStatus?.contains("SCARD_E_WRITE_TOO_MANY") == true)
    }
}
