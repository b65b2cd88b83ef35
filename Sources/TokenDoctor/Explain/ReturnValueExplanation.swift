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
        self.causes = profile.map { ReturnValueExplanation.causes(of: value, on: $0) } ?? []
        self.causes += ReturnValueExplanation.commonCauses(of: value)
        self.hresult = ReturnValueExplanation.text(error.hresult)
        self.advice = error.advice.map(\.sentence)
        self.next = ReturnValueExplanation.nextCommand(for: value)
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

extension ReturnValueExplanation {
    /// Where the profile names the value.
    private static func causes(of value: ReturnValue, on profile: DeviceProfile) -> [String] {
        let full = profile.capacity.full
        let fields: [(ProfileValue<ReturnValue>, String)] = [
            (full.keyGeneration, "from C_GenerateKeyPair: the device is full"),
            (full.create, "from C_CreateObject or C_UnwrapKey: the device is full"),
            (full.setAttribute, "from C_SetAttributeValue: the device is full"),
            (full.directory, "while something is written: a directory file of the card is full"),
            (full.objects, "while something is written: the device has as many objects as it takes"),
            (full.log, "from any call: the audit log of the device is full"),
            (profile.sessions.overLimit, "from C_OpenSession: the device has no session left"),
            (profile.lifecycle.removed, "from any call: the device was removed"),
            (profile.lifecycle.staleSession, "from any call: the session is from before the device went away"),
            (profile.lifecycle.staleHandle, "from a use of a key: the handle is from before the device went away"),
        ]
        var causes = fields.compactMap { field, text -> String? in
            guard case .known(let known, let provenance) = field, known == value else { return nil }
            return "On \(profile.name), \(text) (\(provenance.evidence.rawValue): \(provenance.source))."
        }
        if case .known(let values, let provenance) = profile.lifecycle.throttled, values.contains(value) {
            causes.append(
                "On \(profile.name), it was asked too much at once (\(provenance.evidence.rawValue): \(provenance.source))."
            )
        }
        return causes
    }

    /// Causes that were seen on several devices.
    private static func commonCauses(of value: ReturnValue) -> [String] {
        switch value {
        case .deviceMemory:
            [
                "The token is full; on YubiHSM 2 a full audit log gives the same.",
                "From a call that writes nothing: the module on this machine could not get memory.",
            ]
        case .generalError:
            ["Under OpenSC: a directory file of the card is full, or it has 128 objects.", "The module has a fault."]
        case .functionFailed: ["SoftHSM on a full disk; CloudHSM when it is asked too much at once."]
        case .argumentsBad: ["RSA-OAEP with another hash than SHA-1 on SoftHSM; too many sessions on CloudHSM."]
        case .keyHandleInvalid, .objectHandleInvalid:
            ["The token was away and has given its objects other handles.", "Somebody removed the object."]
        case .sessionHandleInvalid, .sessionClosed:
            ["The device was away, restarted, or closed a session that was idle."]
        case .cryptokiNotInitialized:
            [
                "The process has forked since the module was loaded.",
                "The device dropped all clients after a long pause.",
            ]
        case .operationActive: ["The device keeps an operation that failed: the session has to be closed."]
        case .pinIncorrect: ["The source of the PIN is of another token, or the PIN was changed."]
        case .pinLocked: ["The PIN was wrong too many times."]
        case .templateInconsistent, .attributeTypeInvalid, .attributeValueInvalid, .templateIncomplete:
            ["The device refuses an attribute that others take: see template.refuse of its profile."]
        case .hostMemory: ["openCryptoki with 2048 objects of one kind."]
        default: []
        }
    }

    private static func nextCommand(for value: ReturnValue) -> String {
        switch value {
        case .deviceMemory, .hostMemory, .generalError, .functionFailed, .deviceError:
            "signet token capacity --token-file TOKEN.yaml"
        case .mechanismInvalid, .mechanismParamInvalid, .functionNotSupported, .keySizeRange, .curveNotSupported,
            .domainParamsInvalid, .templateInconsistent, .templateIncomplete, .attributeTypeInvalid,
            .attributeValueInvalid, .argumentsBad, .keyFunctionNotPermitted, .keyNotWrappable, .operationActive:
            "signet token doctor --token-file TOKEN.yaml"
        case .keyHandleInvalid, .objectHandleInvalid, .pinIncorrect, .pinLocked, .deviceRemoved, .tokenNotPresent,
            .sessionHandleInvalid, .sessionClosed, .sessionCount, .slotIDInvalid, .userNotLoggedIn:
            "signet token list --token-file TOKEN.yaml"
        default: "signet token doctor --token-file TOKEN.yaml"
        }
    }
}
