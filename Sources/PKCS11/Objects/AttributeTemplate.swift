internal import CPKCS11
internal import Glibc

/// Attributes with their values: what an object is made or searched with, and what comes back when it is read.
///
/// ```swift
/// var template = AttributeTemplate()
/// template[.objectClass] = .privateKey
/// template[.id] = [0x01]
/// ```
public struct AttributeTemplate: Sendable {
    private var values: [(type: UInt, bytes: [UInt8])] = []

    public init() {}

    /// How many attributes there are.
    public var count: Int { self.values.count }

    /// The value of an attribute; `nil` when it is absent or its bytes are not of the attribute's type.
    public subscript<Value: AttributeValue>(_ attribute: Attribute<Value>) -> Value? {
        get {
            self.values.first { $0.type == attribute.rawValue }.flatMap { Value(attributeBytes: $0.bytes) }
        }
        set {
            self.values.removeAll { $0.type == attribute.rawValue }
            if let newValue { self.values.append((attribute.rawValue, newValue.attributeBytes)) }
        }
    }

    /// The length of an attribute's value in bytes, whatever its type.
    public func byteCount<Value: AttributeValue>(of attribute: Attribute<Value>) -> Int? {
        self.values.first { $0.type == attribute.rawValue }?.bytes.count
    }

    /// Takes over every attribute of another template.
    public mutating func merge(_ other: AttributeTemplate) {
        self.values.removeAll { mine in other.values.contains { $0.type == mine.type } }
        self.values += other.values
    }

    mutating func append(type: UInt, bytes: [UInt8]) {
        self.values.append((type, bytes))
    }

    /// Lends the attributes as C structures for the time of `body`. Each value begins at a multiple of 16 bytes,
    /// because modules read `CK_ULONG` values in place.
    ///
    /// - Parameter secrets: further attributes, whose values are not copied.
    func withUnsafeAttributes<R>(
        adding secrets: [SecretAttribute] = [], _ body: (UnsafeMutablePointer<CK_ATTRIBUTE>?, CK_ULONG) -> R
    ) -> R {
        let alignment = 16
        func stride(_ bytes: [UInt8]) -> Int { (bytes.count + alignment) / alignment * alignment }
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(alignment, self.values.reduce(0) { $0 + stride($1.bytes) }), alignment: alignment)
        defer { memory.deallocate() }
        var offset = 0
        var attributes: [CK_ATTRIBUTE] = []
        for (type, bytes) in self.values {
            let field = UnsafeMutableRawBufferPointer(rebasing: memory[offset..<(offset + bytes.count)])
            field.copyBytes(from: bytes)
            attributes.append(
                CK_ATTRIBUTE(
                    type: type, pValue: memory.baseAddress.map { $0 + offset }, ulValueLen: CK_ULONG(bytes.count)))
            offset += stride(bytes)
        }
        attributes += secrets.map { secret in
            CK_ATTRIBUTE(
                type: secret.type, pValue: UnsafeMutableRawPointer(mutating: secret.bytes.baseAddress),
                ulValueLen: CK_ULONG(secret.bytes.count))
        }
        return attributes.withUnsafeMutableBufferPointer { body($0.baseAddress, CK_ULONG($0.count)) }
    }
}

/// An attribute whose value is lent from locked memory for the time of one call.
public struct SecretAttribute {
    let type: UInt
    let bytes: UnsafeRawBufferPointer

    /// - Parameter bytes: must outlive the call.
    public init(_ attribute: Attribute<[UInt8]>, _ bytes: UnsafeRawBufferPointer) {
        self.type = attribute.rawValue
        self.bytes = bytes
    }
}

/// An object's handle, good for the token it came from and for as long as the login lasts.
public struct ObjectHandle: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt

    public init(rawValue: UInt) {
        self.rawValue = rawValue
    }
}

/// Both halves of a key pair.
public struct KeyPairHandles: Hashable, Sendable {
    public let publicKey: ObjectHandle
    public let privateKey: ObjectHandle
}
