internal import CPKCS11
internal import Diagnostics

/// Key management (PKCS #11 v2.40, section 5.13).
extension Session {
    /// Makes a secret key (`C_GenerateKey`). Never repeated.
    public func generateKey(
        _ mechanism: Mechanism, template: AttributeTemplate
    ) throws(PKCS11Error) -> ObjectHandle {
        var key: CK_OBJECT_HANDLE = 0
        try self.check("C_GenerateKey", self.functions.C_GenerateKey, mechanism: mechanism.type) { function in
            mechanism.withUnsafeMechanism { mechanism in
                template.withUnsafeAttributes { function(self.handle, mechanism, $0, $1, &key) }
            }
        }
        return ObjectHandle(rawValue: key)
    }

    /// Makes a key pair (`C_GenerateKeyPair`). Never repeated.
    public func generateKeyPair(
        _ mechanism: Mechanism, publicKey: AttributeTemplate, privateKey: AttributeTemplate
    ) throws(PKCS11Error) -> KeyPairHandles {
        var publicHandle: CK_OBJECT_HANDLE = 0
        var privateHandle: CK_OBJECT_HANDLE = 0
        try self.check("C_GenerateKeyPair", self.functions.C_GenerateKeyPair, mechanism: mechanism.type) { function in
            mechanism.withUnsafeMechanism { mechanism in
                publicKey.withUnsafeAttributes { publicAttributes, publicCount in
                    privateKey.withUnsafeAttributes { privateAttributes, privateCount in
                        function(
                            self.handle, mechanism, publicAttributes, publicCount, privateAttributes, privateCount,
                            &publicHandle, &privateHandle)
                    }
                }
            }
        }
        return KeyPairHandles(
            publicKey: ObjectHandle(rawValue: publicHandle), privateKey: ObjectHandle(rawValue: privateHandle))
    }

    /// Encrypts a key under another one (`C_WrapKey`).
    public func wrapKey(
        _ key: ObjectHandle, under wrappingKey: ObjectHandle, _ mechanism: Mechanism
    ) throws(PKCS11Error) -> [UInt8] {
        try self.output("C_WrapKey", self.functions.C_WrapKey, mechanism: mechanism.type, capacity: 16384) {
            function, buffer, length in
            mechanism.withUnsafeMechanism {
                function(self.handle, $0, wrappingKey.rawValue, key.rawValue, buffer, length)
            }
        }
    }

    /// Decrypts a key into a new object (`C_UnwrapKey`). Never repeated.
    public func unwrapKey(
        _ wrappedKey: [UInt8], with unwrappingKey: ObjectHandle, _ mechanism: Mechanism, template: AttributeTemplate
    ) throws(PKCS11Error) -> ObjectHandle {
        var key: CK_OBJECT_HANDLE = 0
        var wrapped = wrappedKey
        try self.check("C_UnwrapKey", self.functions.C_UnwrapKey, mechanism: mechanism.type) { function in
            mechanism.withUnsafeMechanism { mechanism in
                template.withUnsafeAttributes { attributes, count in
                    function(
                        self.handle, mechanism, unwrappingKey.rawValue, &wrapped, CK_ULONG(wrapped.count), attributes,
                        count, &key)
                }
            }
        }
        return ObjectHandle(rawValue: key)
    }

    /// Makes a secret key of a private one (`C_DeriveKey`). Never repeated.
    public func deriveKey(
        from baseKey: ObjectHandle, _ mechanism: Mechanism, template: AttributeTemplate
    ) throws(PKCS11Error) -> ObjectHandle {
        var key: CK_OBJECT_HANDLE = 0
        try self.check("C_DeriveKey", self.functions.C_DeriveKey, mechanism: mechanism.type) { function in
            mechanism.withUnsafeMechanism { mechanism in
                template.withUnsafeAttributes { function(self.handle, mechanism, baseKey.rawValue, $0, $1, &key) }
            }
        }
        return ObjectHandle(rawValue: key)
    }
}
