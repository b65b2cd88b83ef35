internal import CPKCS11

extension CK_FUNCTION_LIST {
    /// Object functions that change what is stored (PKCS #11 v2.40, section 5.7).
    mutating func setActingObjects() {
        self.C_CreateObject = { session, template, count, object in
            simulator.perform(.createObject) { $0.createObject(session, Template(template, count), object) }
        }
        self.C_CopyObject = { session, object, template, count, newObject in
            simulator.perform(.copyObject) { $0.copyObject(session, object, Template(template, count), newObject) }
        }
        self.C_DestroyObject = { session, object in
            simulator.perform(.destroyObject) { $0.destroyObject(session, object) }
        }
        self.C_SetAttributeValue = { session, object, template, count in
            simulator.perform(.setAttributeValue) { $0.setAttributes(session, object, Template(template, count)) }
        }
    }

    /// Functions that make keys (PKCS #11 v2.40, section 5.13).
    mutating func setActingKeys() {
        self.C_GenerateKey = { session, mechanism, template, count, key in
            simulator.perform(.generateKey) { $0.generateKey(session, mechanism, Template(template, count), key) }
        }
        self.C_GenerateKeyPair = {
            session, mechanism, publicTemplate, publicCount, privateTemplate, privateCount, publicKey, privateKey in
            let arguments = KeyPairArguments(
                mechanism: mechanism, publicTemplate: Template(publicTemplate, publicCount),
                privateTemplate: Template(privateTemplate, privateCount), publicKey: publicKey, privateKey: privateKey)
            return simulator.perform(.generateKeyPair) { $0.generateKeyPair(session, arguments) }
        }
        self.C_UnwrapKey = { session, mechanism, unwrappingKey, wrappedKey, wrappedKeyLen, template, count, key in
            simulator.perform(.unwrapKey) {
                $0.receiveKey(.unwrapKey, session, mechanism, unwrappingKey, Template(template, count), key) {
                    use, mechanism, unwrappingKey, template, key in
                    use.functions.pointee.C_UnwrapKey?(
                        use.handle, mechanism, unwrappingKey, wrappedKey, wrappedKeyLen, template.pointer,
                        template.count, key)
                }
            }
        }
        self.C_DeriveKey = { session, mechanism, baseKey, template, count, key in
            simulator.perform(.deriveKey) {
                $0.receiveKey(.deriveKey, session, mechanism, baseKey, Template(template, count), key) {
                    use, mechanism, baseKey, template, key in
                    use.functions.pointee.C_DeriveKey?(
                        use.handle, mechanism, baseKey, template.pointer, template.count, key)
                }
            }
        }
    }
}
