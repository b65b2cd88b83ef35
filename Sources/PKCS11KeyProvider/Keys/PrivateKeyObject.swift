internal import Diagnostics
internal import KeyProvider
internal import PKCS11

/// A private key object with its public key, as long as its handle is good.
struct PrivateKeyObject: Sendable {
    let handle: ObjectHandle
    let id: [UInt8]
    let subjectPublicKeyInfo: [UInt8]
    let algorithm: KeyAlgorithm
    /// The PIN is wanted for each use (`CKA_ALWAYS_AUTHENTICATE`).
    let alwaysAuthenticate: Bool

    var usable: UsableKey {
        UsableKey(handle: self.handle, algorithm: self.algorithm, alwaysAuthenticate: self.alwaysAuthenticate)
    }
}

/// As much of a private key object as its use needs: it costs nothing to hand around.
struct UsableKey: Sendable {
    let handle: ObjectHandle
    let algorithm: KeyAlgorithm
    /// The PIN is wanted for each use.
    let alwaysAuthenticate: Bool
}

/// What a private key has in common with its public key object.
private struct KeyName: Hashable {
    let id: [UInt8]?
    let type: KeyType?
}

extension Session {
    /// All objects of a class that have this `CKA_ID`; of every `CKA_ID` when it is `nil`.
    func find(_ objectClass: ObjectClass, id: [UInt8]?) throws(PKCS11Error) -> [ObjectHandle] {
        var template = AttributeTemplate()
        template[.objectClass] = objectClass
        template[.token] = true
        template[.id] = id
        return try self.findObjects(template)
    }

    /// The private keys with this `CKA_ID` of which the public key can be told.
    ///
    /// An RSA private key usually tells its modulus. Where it does not, and for EC keys, the public key object with the
    /// same `CKA_ID` speaks for it, if both are the only ones of their type with it.
    func privateKeys(id: [UInt8]?) throws(PKCS11Error) -> [PrivateKeyObject] {
        var found: [(handle: ObjectHandle, attributes: AttributeTemplate)] = []
        for handle in try self.find(.privateKey, id: id) {
            let attributes = try self.attributes(
                of: handle, .id, .keyType, .modulus, .publicExponent, .ecParameters, .ecPoint, .alwaysAuthenticate)
            found.append((handle, attributes))
        }
        let namesakes = Dictionary(grouping: found) { KeyName(id: $0.attributes[.id], type: $0.attributes[.keyType]) }
        var keys: [PrivateKeyObject] = []
        for (handle, attributes) in found {
            let name = KeyName(id: attributes[.id], type: attributes[.keyType])
            let keyID = name.id ?? []
            var publicKey = SubjectPublicKeyInfo.read(attributes)
            if publicKey == nil, namesakes[name]?.count == 1 {
                publicKey = try self.publicKey(id: keyID, keyType: name.type)
            }
            guard let publicKey else { continue }
            keys.append(
                PrivateKeyObject(
                    handle: handle, id: keyID, subjectPublicKeyInfo: publicKey.der, algorithm: publicKey.algorithm,
                    alwaysAuthenticate: attributes[.alwaysAuthenticate] ?? false))
        }
        return keys
    }

    private func publicKey(
        id: [UInt8], keyType: KeyType?
    ) throws(PKCS11Error) -> (der: [UInt8], algorithm: KeyAlgorithm)? {
        var fitting: [AttributeTemplate] = []
        for handle in try self.find(.publicKey, id: id) {
            let attributes = try self.attributes(
                of: handle, .keyType, .modulus, .publicExponent, .ecParameters, .ecPoint)
            if attributes[.keyType] == keyType { fitting.append(attributes) }
        }
        guard let only = fitting.first, fitting.count == 1 else { return nil }
        return SubjectPublicKeyInfo.read(only)
    }

    /// What the token says of a private key.
    func keyAttributes(of key: ObjectHandle) throws(PKCS11Error) -> KeyAttributes {
        let read = try self.attributes(
            of: key, .isPrivate, .sensitive, .alwaysSensitive, .extractable, .neverExtractable, .local)
        return KeyAttributes(
            isPrivate: read[.isPrivate], sensitive: read[.sensitive], alwaysSensitive: read[.alwaysSensitive],
            extractable: read[.extractable], neverExtractable: read[.neverExtractable], local: read[.local])
    }
}
