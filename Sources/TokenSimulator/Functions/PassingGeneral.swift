internal import CPKCS11

extension CK_FUNCTION_LIST {
    /// Functions on random numbers, and old ones of parallel work, that pass through (PKCS #11 v2.40, sections 5.15,
    /// 5.16).
    mutating func setPassingGeneral() {
        self.C_GetFunctionStatus = {
            simulator.pass(.getFunctionStatus, \.functions.pointee.C_GetFunctionStatus, $0)
        }
        self.C_CancelFunction = { simulator.pass(.cancelFunction, \.functions.pointee.C_CancelFunction, $0) }
        self.C_SeedRandom = { simulator.pass(.seedRandom, \.functions.pointee.C_SeedRandom, $0, $1, $2) }
        self.C_GenerateRandom = { simulator.pass(.generateRandom, \.functions.pointee.C_GenerateRandom, $0, $1, $2) }
    }

    /// Session functions that pass through (PKCS #11 v2.40, section 5.6).
    mutating func setPassingSessions() {
        self.C_GetOperationState = {
            simulator.pass(.getOperationState, \.functions.pointee.C_GetOperationState, $0, $1, $2)
        }
        self.C_SetOperationState = { session, operationState, operationStateLen, encryptionKey, authenticationKey in
            simulator.inSession(.setOperationState, session) { use in
                // A key that the operation does not need is 0.
                let key = { (key: CK_OBJECT_HANDLE) in key == 0 ? 0 : use.inner(key) ?? key }
                return use.functions.pointee.C_SetOperationState?(
                    use.handle, operationState, operationStateLen, key(encryptionKey), key(authenticationKey))
            }
        }
        self.C_Logout = { simulator.pass(.logout, \.functions.pointee.C_Logout, $0) }
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
                use.withObject(object) { use.readAttributes($0, template, count) }
            }
        }
        self.C_FindObjectsInit = { session, template, count in
            simulator.inSession(.findObjectsInit, session) { use in
                use.withInnerPoints(of: Template(template, count)) {
                    use.functions.pointee.C_FindObjectsInit?(use.handle, $0.pointer, $0.count)
                }
            }
        }
        self.C_FindObjects = { session, object, maxObjectCount, objectCount in
            simulator.inSession(.findObjects, session) { $0.find(object, maxObjectCount, objectCount) }
        }
        self.C_FindObjectsFinal = { simulator.pass(.findObjectsFinal, \.functions.pointee.C_FindObjectsFinal, $0) }
    }
}
