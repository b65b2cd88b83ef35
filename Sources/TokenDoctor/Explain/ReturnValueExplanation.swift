package import DeviceProfiles
package import Diagnostics
internal import Foundation
internal import PKCS11

/// What a return value of PKCS #11 means, in general and on one kind of device.
package struct ReturnValueExplanation: Sendable, Codable, Hashable {
    /// Name of the specification or of the vendor; `nil` for a number that nobody has named.
    package var name: String?
    /// `0x` and hexadecimal digits.
    package var number: String
    package var meaning: String
    /// What probably caused it, a sentence each, the device's own causes first.
    package var causes: [String]
    /// What Signet reports for it, such as `0x80100028 SCARD_E_WRITE_TOO_MANY`.
    package var hresult: String
    /// Set when the number is a Windows status code as well.
    package var windowsStatus: String?
    package var advice: [String]
    /// The command to run next.
    package var next: String

    package init(_ value: ReturnValue, profile: DeviceProfile? = nil) {
        let error = PKCS11Error(returnValue: value, function: "C_Function")
        let vendorName = profile?.vendorReturnValues[value]?.value
        self.name = value.name ?? vendorName
        self.number = "0x" + String(value.rawValue, radix: 16)
        self.meaning = ReturnValueExplanation.meaning(of: error, vendorName: vendorName)
        self.causes = profile.map { $0.causes(of: value).map(\.sentence) } ?? []
        self.causes += value.commonCauses
        self.hresult = ReturnValueExplanation.text(error.hresult)
        self.advice = error.advice.map(\.sentence)
        self.next = "\(value.nextCommand) --token-file TOKEN.yaml"
        let status = UInt32(exactly: value.rawValue).map { HRESULT(rawValue: $0) }
        self.windowsStatus = value.name == nil && status?.name != nil ? status.map(ReturnValueExplanation.text) : nil
    }

    /// Reads a name with or without `CKR_`, a vendor's name that the profile has, or a number.
    ///
    /// - Throws: ``DoctorError`` with code `unknownReturnValue`.
    package static func value(of text: String, profile: DeviceProfile?) throws(DoctorError) -> ReturnValue {
        if let named = ReturnValue(name: text) { return named }
        if let vendor = profile?.vendorReturnValues.first(where: {
            $0.value.value == text || $0.value.value == "CKR_\(text)"
        }) {
            return vendor.key
        }
        let lower = text.lowercased()
        let number = lower.hasPrefix("0x") ? UInt(lower.dropFirst(2), radix: 16) : UInt(lower)
        guard let number else { throw .unknownReturnValue(text) }
        return ReturnValue(rawValue: number)
    }

    private static func text(_ status: HRESULT) -> String {
        "\(status)" + (status.name.map { " \($0)" } ?? "") + ": \(status.text)"
    }

    /// The clause that the error's sentence ends with.
    private static func meaning(of error: PKCS11Error, vendorName: String?) -> String {
        if let vendorName { return "a code of the device's vendor, called \(vendorName)" }
        let headline = error.headline
        guard let start = headline.range(of: "failed: ") else { return headline }
        return String(headline[start.upperBound...].dropLast())
    }
}
