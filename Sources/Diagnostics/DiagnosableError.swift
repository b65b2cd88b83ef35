/// One imperative sentence that tells the reader what to do next.
public struct Advice: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let sentence: String

    public init(_ sentence: String) {
        self.sentence = sentence
    }

    public init(stringLiteral value: String) {
        self.sentence = value
    }

    public var description: String { self.sentence }
}

/// One thing that is known about a failure, as a name and a value. Values are never secret.
public struct Fact: Hashable, Sendable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What tells one token from another: `CK_TOKEN_INFO` (PKCS #11 v2.40, section 3.2), blanks trimmed, and its slot.
public struct TokenIdentification: Hashable, Sendable, Codable, CustomStringConvertible {
    public var label: String
    public var manufacturer: String
    public var model: String
    public var serialNumber: String
    /// `major.minor` of the firmware.
    public var firmware: String
    public var slotID: UInt

    public init(
        label: String, manufacturer: String, model: String, serialNumber: String, firmware: String, slotID: UInt
    ) {
        self.label = label
        self.manufacturer = manufacturer
        self.model = model
        self.serialNumber = serialNumber
        self.firmware = firmware
        self.slotID = slotID
    }

    public var description: String {
        "\"\(self.label)\" (serial \(self.serialNumber), \(self.manufacturer) \(self.model), "
            + "firmware \(self.firmware), slot \(self.slotID))"
    }
}

/// A call into a PKCS #11 module that did not return `CKR_OK`.
public struct TokenFailure: Hashable, Sendable {
    /// The C function, such as `C_UnwrapKey`.
    public var function: String
    public var returnValue: ReturnValue
    /// The mechanism's name, such as `CKM_RSA_PKCS_OAEP`, where the call had one.
    public var mechanism: String?
    /// `nil` for calls that concern the module and no token.
    public var token: TokenIdentification?
    /// What the vendor calls a value that the specification does not name, by the device profile.
    public var vendorName: String?
    /// What probably caused it on this device, by its profile, as a sentence.
    public var deviceCause: String?

    public init(
        function: String, returnValue: ReturnValue, mechanism: String? = nil, token: TokenIdentification? = nil,
        vendorName: String? = nil, deviceCause: String? = nil
    ) {
        self.vendorName = vendorName
        self.deviceCause = deviceCause
        self.function = function
        self.returnValue = returnValue
        self.mechanism = mechanism
        self.token = token
    }

    /// The value with its name, as `CKR_DEVICE_ERROR (0x30)` or `CKR_USER_LOCKED_OUT (0x80000007)`.
    public var answer: String {
        guard let vendorName = self.vendorName else { return self.returnValue.description }
        return "\(vendorName) (0x\(String(self.returnValue.rawValue, radix: 16)))"
    }

    /// What probably caused it: on this device where its profile knows that, on devices in general otherwise.
    public var likelyCause: String? {
        self.deviceCause ?? self.returnValue.commonCauses(of: self.function).first
    }

    /// The command that tells more. No command reaches a token whose module does not initialise.
    ///
    /// - Parameter tokenOptions: how the token is named to a command, such as `--instance DIR`.
    func nextCommand(_ tokenOptions: String) -> String {
        guard self.function == "C_Initialize" else { return "\(self.returnValue.nextCommand) \(tokenOptions)" }
        return "signet explain 0x\(String(self.returnValue.rawValue, radix: 16))"
    }
}

/// An error that can say what was asked, of what, with which code, and what to do about it.
///
/// Rendered once, at the edge: see ``ErrorReport``. A PIN, a key's bytes, a wrapped blob or an SQL argument is
/// not representable in a conforming type.
public protocol DiagnosableError: Error {
    /// What was being done and what went wrong, in one sentence without a code.
    var headline: String { get }
    var hresult: HRESULT { get }
    /// The token call behind the failure, where there is one.
    var tokenFailure: TokenFailure? { get }
    var facts: [Fact] { get }
    /// At least one sentence.
    var advice: [Advice] { get }
}

extension DiagnosableError {
    public var tokenFailure: TokenFailure? { nil }
    public var facts: [Fact] { [] }
}

extension String {
    /// A headline made a clause, to stand inside another sentence: without the stop at its end.
    package var trimmedStop: String {
        self.last == "." ? String(self.dropLast()) : self
    }
}
