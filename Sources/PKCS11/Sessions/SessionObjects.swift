internal import CPKCS11
internal import Diagnostics

/// Object management (PKCS #11 v2.40, section 5.7).
extension Session {
    /// Makes an object (`C_CreateObject`). Never repeated.
    public func createObject(_ template: AttributeTemplate) throws(PKCS11Error) -> ObjectHandle {
        var handle: CK_OBJECT_HANDLE = 0
        try self.check("C_CreateObject", self.functions.C_CreateObject) { function in
            template.withUnsafeAttributes { function(self.handle, $0, $1, &handle) }
        }
        return ObjectHandle(rawValue: handle)
    }

    /// Makes an object of which some values are secret: they are read where they are (`C_CreateObject`).
    public func createObject(
        _ template: AttributeTemplate, secrets: [SecretAttribute]
    ) throws(PKCS11Error) -> ObjectHandle {
        var handle: CK_OBJECT_HANDLE = 0
        try self.check("C_CreateObject", self.functions.C_CreateObject) { function in
            template.withUnsafeAttributes(adding: secrets) { function(self.handle, $0, $1, &handle) }
        }
        return ObjectHandle(rawValue: handle)
    }

    /// Changes attributes of an object (`C_SetAttributeValue`). Never repeated.
    public func setAttributes(of object: ObjectHandle, to template: AttributeTemplate) throws(PKCS11Error) {
        try self.check("C_SetAttributeValue", self.functions.C_SetAttributeValue, object: object) { function in
            template.withUnsafeAttributes { function(self.handle, object.rawValue, $0, $1) }
        }
    }

    /// Removes an object (`C_DestroyObject`).
    public func destroyObject(_ object: ObjectHandle) throws(PKCS11Error) {
        try self.check("C_DestroyObject", self.functions.C_DestroyObject, object: object) {
            $0(self.handle, object.rawValue)
        }
    }

    /// Bytes that an object takes on the token (`C_GetObjectSize`); `nil` when the token does not tell.
    public func objectSize(of object: ObjectHandle) throws(PKCS11Error) -> UInt? {
        var size: CK_ULONG = 0
        try self.check("C_GetObjectSize", self.functions.C_GetObjectSize, object: object) {
            $0(self.handle, object.rawValue, &size)
        }
        return size == SIGNET_CK_UNAVAILABLE_INFORMATION ? nil : size
    }

    /// The objects that have all attributes of the template (`C_FindObjectsInit` and so on); all of them when it is
    /// empty.
    public func findObjects(_ template: AttributeTemplate = AttributeTemplate()) throws(PKCS11Error) -> [ObjectHandle] {
        try self.check("C_FindObjectsInit", self.functions.C_FindObjectsInit) { function in
            template.withUnsafeAttributes { function(self.handle, $0, $1) }
        }
        var found: [ObjectHandle] = []
        var batch = [CK_OBJECT_HANDLE](repeating: 0, count: 64)
        var count: CK_ULONG = 0
        repeat {
            count = 0
            try self.check("C_FindObjects", self.functions.C_FindObjects) {
                $0(self.handle, &batch, CK_ULONG(batch.count), &count)
            }
            found += batch.prefix(Int(clamping: count)).map { ObjectHandle(rawValue: $0) }
        } while count > 0
        try self.check("C_FindObjectsFinal", self.functions.C_FindObjectsFinal) { $0(self.handle) }
        return found
    }

    /// Reads attributes (`C_GetAttributeValue`): lengths first, then the values that there are. What is sensitive or
    /// what the object does not have is absent from the result.
    public func attributes<each Value: AttributeValue>(
        of object: ObjectHandle, _ wanted: repeat Attribute<each Value>
    ) throws(PKCS11Error) -> AttributeTemplate {
        var types: [UInt] = []
        for attribute in repeat each wanted { types.append(attribute.rawValue) }
        return try self.attributes(of: object, types: types)
    }

    private func attributes(of object: ObjectHandle, types: [UInt]) throws(PKCS11Error) -> AttributeTemplate {
        let tolerated: [ReturnValue] = [.attributeSensitive, .attributeTypeInvalid]
        var query = types.map { CK_ATTRIBUTE(type: $0, pValue: nil, ulValueLen: 0) }
        _ = try self.call(
            "C_GetAttributeValue", self.functions.C_GetAttributeValue, object: object, tolerating: tolerated
        ) {
            $0(self.handle, object.rawValue, &query, CK_ULONG(query.count))
        }
        var present = AttributeTemplate()
        for attribute in query where attribute.ulValueLen != SIGNET_CK_UNAVAILABLE_INFORMATION {
            guard attribute.ulValueLen <= Session.largestAttributeBytes else {
                throw PKCS11Error(returnValue: .generalError, function: "C_GetAttributeValue", token: self.token)
            }
            present.append(type: attribute.type, bytes: [UInt8](repeating: 0, count: Int(attribute.ulValueLen)))
        }
        guard present.count > 0 else { return present }
        var result = AttributeTemplate()
        _ = try self.call(
            "C_GetAttributeValue", self.functions.C_GetAttributeValue, object: object, tolerating: tolerated
        ) {
            function in
            present.withUnsafeAttributes { pointer, count in
                let answer = function(self.handle, object.rawValue, pointer, count)
                for attribute in UnsafeBufferPointer(start: pointer, count: Int(count))
                where attribute.ulValueLen != SIGNET_CK_UNAVAILABLE_INFORMATION {
                    let value = UnsafeRawBufferPointer(start: attribute.pValue, count: Int(attribute.ulValueLen))
                    result.append(type: attribute.type, bytes: Array(value))
                }
                return answer
            }
        }
        return result
    }

    /// An attribute longer than this is a fault of the module.
    private static let largestAttributeBytes: CK_ULONG = 1 << 20
}
