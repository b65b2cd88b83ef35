internal import CPKCS11

/// Where attributes of an object can be read: the template it is made from, or the object itself.
protocol AttributeSource {
    /// The length of the value in bytes, or `nil` when there is none to read.
    func length(of type: CK_ATTRIBUTE_TYPE) -> Int?
    func bytes(of type: CK_ATTRIBUTE_TYPE) -> [UInt8]?
}

extension AttributeSource {
    func number(_ type: CK_ATTRIBUTE_TYPE) -> UInt? {
        guard let bytes = self.bytes(of: type), bytes.count == MemoryLayout<UInt>.size else { return nil }
        return bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt.self) }
    }

    func flag(_ type: CK_ATTRIBUTE_TYPE) -> Bool? {
        guard let bytes = self.bytes(of: type), bytes.count == 1 else { return nil }
        return bytes[0] != 0
    }
}

/// A caller's array of attributes, valid for the time of the call.
struct Template: AttributeSource {
    let pointer: UnsafeMutablePointer<CK_ATTRIBUTE>?
    let count: UInt

    init(_ pointer: UnsafeMutablePointer<CK_ATTRIBUTE>?, _ count: UInt) {
        self.pointer = pointer
        self.count = count
    }

    private var attributes: UnsafeBufferPointer<CK_ATTRIBUTE> {
        // A count beyond any real template is the caller's mistake, which the module inside is to judge.
        guard let pointer = self.pointer, self.count <= 1024 else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeBufferPointer(start: pointer, count: Int(self.count))
    }

    var types: [CK_ATTRIBUTE_TYPE] { self.attributes.map(\.type) }
    var list: [CK_ATTRIBUTE] { Array(self.attributes) }

    /// True when no attribute has room for a value: the caller asks how long the values are.
    var asksForSizes: Bool {
        !self.attributes.isEmpty && self.attributes.allSatisfy { $0.pValue == nil }
    }

    /// True when the object is to be stored on the token; without the attribute it is not (section 4.4).
    var isTokenObject: Bool {
        self.flag(CKA_TOKEN) ?? false
    }

    var isEllipticCurvePrivateKey: Bool {
        self.number(CKA_CLASS) == CKO_PRIVATE_KEY && self.number(CKA_KEY_TYPE) == CKK_EC
    }

    /// Bytes by which the values of an object grow, its content left out, which is counted by itself.
    func growth(over stored: StoredAttributes) -> Int {
        self.attributes.filter { $0.type != CKA_VALUE }.reduce(0) { sum, attribute in
            let length = Int(exactly: attribute.ulValueLen) ?? 0
            return sum + max(0, length - (stored.length(of: attribute.type) ?? 0))
        }
    }

    func length(of type: CK_ATTRIBUTE_TYPE) -> Int? {
        self.attributes.first { $0.type == type && $0.pValue != nil }.flatMap { Int(exactly: $0.ulValueLen) }
    }

    func bytes(of type: CK_ATTRIBUTE_TYPE) -> [UInt8]? {
        guard let attribute = self.attributes.first(where: { $0.type == type }), let value = attribute.pValue,
            let length = Int(exactly: attribute.ulValueLen)
        else { return nil }
        return [UInt8](UnsafeRawBufferPointer(start: value, count: length))
    }
}

/// Attributes that a template gives anew, and those of the object that is copied or changed.
struct AmendedAttributes: AttributeSource {
    let template: Template
    let object: StoredAttributes

    func length(of type: CK_ATTRIBUTE_TYPE) -> Int? {
        self.template.length(of: type) ?? self.object.length(of: type)
    }

    func bytes(of type: CK_ATTRIBUTE_TYPE) -> [UInt8]? {
        self.template.bytes(of: type) ?? self.object.bytes(of: type)
    }
}

/// The attributes of an object on the token inside.
struct StoredAttributes: AttributeSource {
    let module: InnerModule
    let session: CK_SESSION_HANDLE
    let object: CK_OBJECT_HANDLE

    func length(of type: CK_ATTRIBUTE_TYPE) -> Int? {
        var attribute = CK_ATTRIBUTE(type: type, pValue: nil, ulValueLen: 0)
        guard self.read(&attribute), attribute.ulValueLen != SIGNET_CK_UNAVAILABLE_INFORMATION else { return nil }
        return Int(exactly: attribute.ulValueLen)
    }

    func bytes(of type: CK_ATTRIBUTE_TYPE) -> [UInt8]? {
        guard let length = self.length(of: type) else { return nil }
        var value = [UInt8](repeating: 0, count: length)
        let isRead = value.withUnsafeMutableBytes { buffer in
            var attribute = CK_ATTRIBUTE(type: type, pValue: buffer.baseAddress, ulValueLen: UInt(length))
            return self.read(&attribute)
        }
        return isRead ? value : nil
    }

    private func read(_ attribute: inout CK_ATTRIBUTE) -> Bool {
        self.module.functions.pointee.C_GetAttributeValue?(self.session, self.object, &attribute, 1) == CKR_OK
    }
}
