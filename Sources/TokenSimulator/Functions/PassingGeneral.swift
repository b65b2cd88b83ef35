internal import CPKCS11

extension CK_FUNCTION_LIST {
    /// Functions on random numbers, and old ones of parallel work, that pass through (PKCS #11 v2.40, sections 5.15,
    /// 5.16).
    mutating func setPassingGeneral() {
        self.C_GetFunctionStatus = { session in
            simulator.inSession(.getFunctionStatus, session) { $0.functions.pointee.C_GetFunctionStatus?($0.handle) }
        }
        self.C_CancelFunction = { session in
            simulator.inSession(.cancelFunction, session) { $0.functions.pointee.C_CancelFunction?($0.handle) }
        }
        self.C_SeedRandom = { session, seed, seedLen in
            simulator.inSession(.seedRandom, session) { $0.functions.pointee.C_SeedRandom?($0.handle, seed, seedLen) }
        }
        self.C_GenerateRandom = { session, randomData, randomLen in
            simulator.inSession(.generateRandom, session) {
                $0.functions.pointee.C_GenerateRandom?($0.handle, randomData, randomLen)
            }
        }
    }

    /// Session functions that pass through (PKCS #11 v2.40, section 5.6).
    mutating func setPassingSessions() {
        self.C_GetOperationState = { session, operationState, operationStateLen in
            simulator.inSession(.getOperationState, session, isSizeQuery: operationState == nil) {
                $0.functions.pointee.C_GetOperationState?($0.handle, operationState, operationStateLen)
            }
        }
        self.C_SetOperationState = { session, operationState, operationStateLen, encryptionKey, authenticationKey in
            simulator.inSession(.setOperationState, session) { use in
                // A key that the operation does not need is 0.
                let key = { (key: CK_OBJECT_HANDLE) in key == 0 ? 0 : use.inner(key) ?? key }
                return use.functions.pointee.C_SetOperationState?(
                    use.handle, operationState, operationStateLen, key(encryptionKey), key(authenticationKey))
            }
        }
        self.C_Logout = { session in
            simulator.inSession(.logout, session) { $0.functions.pointee.C_Logout?($0.handle) }
        }
    }

    /// Object functions that only read (PKCS #11 v2.40, section 5.7).
    mutating func setPassingObjects() {
        self.C_GetObjectSize = { session, object, size in
            simulator.inSession(.getObjectSize, session, about: .object(object)) { use in
                use.withObject(object) { use.functions.pointee.C_GetObjectSize?(use.handle, $0, size) }
            }
        }
        self.C_GetAttributeValue = { session, object, template, count in
            let isSizeQuery = Template(template, count).asksForSizes
            return simulator.inSession(
                .getAttributeValue, session, isSizeQuery: isSizeQuery, about: .object(object)
            ) { use in
                use.withObject(object) {
                    use.functions.pointee.C_GetAttributeValue?(use.handle, $0, template, count)
                }
            }
        }
        self.C_FindObjectsInit = { session, template, count in
            simulator.inSession(.findObjectsInit, session) {
                $0.functions.pointee.C_FindObjectsInit?($0.handle, template, count)
            }
        }
        self.C_FindObjects = { session, object, maxObjectCount, objectCount in
            simulator.inSession(.findObjects, session) { use in
                let result = use.functions.pointee.C_FindObjects?(use.handle, object, maxObjectCount, objectCount)
                if result == CKR_OK, let objectCount { use.show(object, count: objectCount.pointee) }
                return result
            }
        }
        self.C_FindObjectsFinal = { session in
            simulator.inSession(.findObjectsFinal, session) { $0.functions.pointee.C_FindObjectsFinal?($0.handle) }
        }
    }
}
