public import Diagnostics

/// A `pkcs11:` URI (RFC 7512): the name of a token or of an object on one.
public struct PKCS11URI: Hashable, Sendable {
    /// The class of object that the URI names (`type`, RFC 7512, section 2.3).
    public enum ObjectType: String, Hashable, Sendable, CaseIterable {
        case publicKey = "public"
        case privateKey = "private"
        case certificate = "cert"
        case secretKey = "secret-key"
        case data = "data"
    }

    /// An attribute that this program does not know. Values are decoded bytes.
    public struct OtherAttribute: Hashable, Sendable {
        public let name: String
        public let value: [UInt8]
    }

    /// `CK_TOKEN_INFO.label`
    public var token: String?
    /// `CK_TOKEN_INFO.manufacturerID`
    public var manufacturer: String?
    /// `CK_TOKEN_INFO.serialNumber`
    public var serial: String?
    /// `CK_TOKEN_INFO.model`
    public var model: String?
    /// `CKA_LABEL`
    public var object: String?
    public var type: ObjectType?
    /// `CKA_ID`
    public var id: [UInt8]?
    public var slotID: UInt?
    public var slotDescription: String?
    public var slotManufacturer: String?
    public var libraryDescription: String?
    public var libraryManufacturer: String?
    public var libraryVersion: Version?
    /// Where the PIN comes from; kept, never read here.
    public var pinSource: String?
    public var moduleName: String?
    public var modulePath: String?
    /// Path attributes of other names. A URI with one of them matches nothing (RFC 7512, section 2.3).
    public internal(set) var otherPathAttributes: [OtherAttribute] = []
    /// Query attributes of other names: kept, without meaning for matching.
    public internal(set) var otherQueryAttributes: [OtherAttribute] = []

    public init() {}

    /// True when the token's label, serial number, manufacturer, model and slot are all those that the URI names.
    /// Attributes of slots and libraries other than `slot-id` are not looked at here.
    public func matches(_ token: TokenIdentification) -> Bool {
        func fits(_ wanted: String?, _ value: String) -> Bool { wanted.map { $0 == value } ?? true }
        return self.otherPathAttributes.isEmpty
            && fits(self.token, token.label) && fits(self.serial, token.serialNumber)
            && fits(self.manufacturer, token.manufacturer) && fits(self.model, token.model)
            && (self.slotID.map { $0 == token.slotID } ?? true)
    }

    /// True when the slot's description and manufacturer are those that the URI names.
    public func matches(_ slot: SlotInfo) -> Bool {
        (self.slotDescription.map { $0 == slot.description } ?? true)
            && (self.slotManufacturer.map { $0 == slot.manufacturer } ?? true)
    }

    /// True when the library's description, manufacturer and version are those that the URI names.
    public func matches(_ module: ModuleInfo) -> Bool {
        (self.libraryDescription.map { $0 == module.description } ?? true)
            && (self.libraryManufacturer.map { $0 == module.manufacturer } ?? true)
            && (self.libraryVersion.map { $0 == module.version } ?? true)
    }
}
