internal import DeviceProfiles
internal import Diagnostics
internal import PKCS11

/// The objects of a token by class, algorithm and size.
struct StockCensus: Sendable {
    var objects = 0
    var byClass: [String: Int] = [:]
    var privateKeys: [KeyPairAlgorithm?: Int] = [:]
    var publicKeys: [KeyPairAlgorithm?: Int] = [:]
    /// Bytes of content; `nil` where the token does not tell.
    var stored: [(kind: DeviceProfile.Capacity.StoredObject, bytes: Int?)] = []
    var others = 0

    init() {}

    init(scanning session: Session) throws(PKCS11Error) {
        var onToken = AttributeTemplate()
        onToken[.token] = true
        for object in try session.findObjects(onToken) {
            let objectClass = try session.attributes(of: object, .objectClass)[.objectClass]
            self.objects += 1
            self.byClass[objectClass?.name ?? "unknown", default: 0] += 1
            switch objectClass {
            case .privateKey?: self.privateKeys[try session.algorithm(of: object), default: 0] += 1
            case .publicKey?: self.publicKeys[try session.algorithm(of: object), default: 0] += 1
            case .certificate?: self.stored.append((.certificate, try session.contentBytes(of: object)))
            case .data?: self.stored.append((.data, try session.contentBytes(of: object)))
            case .secretKey?:
                let length = try session.attributes(of: object, .valueLength)[.valueLength]
                self.stored.append((.secretKey, length.map { Int($0) }))
            default: self.others += 1
            }
        }
    }

    /// Bytes in use, a lower bound when something has no cost in the model.
    func usedBytes(_ capacity: DeviceProfile.Capacity) -> (bytes: Int, isComplete: Bool) {
        var costs: [Int?] = self.stored.map { object in
            object.bytes.flatMap { capacity.cost(of: object.kind, bytes: $0) }
        }
        for (algorithm, count) in self.privateKeys {
            costs += Array(repeating: algorithm.flatMap { capacity.cost(ofPrivateKey: $0) }, count: count)
        }
        for (algorithm, count) in self.publicKeys {
            costs += Array(repeating: algorithm.flatMap { capacity.cost(ofPublicKey: $0) }, count: count)
        }
        costs += Array(repeating: nil, count: self.others)
        return (costs.reduce(0) { $0 + ($1 ?? 0) }, !costs.contains { $0 == nil })
    }

    func entries(in directory: DeviceProfile.Capacity.Directory) -> Int {
        switch directory {
        case .prkdf: self.privateKeys.values.reduce(0, +)
        case .pukdf: self.publicKeys.values.reduce(0, +)
        case .cdf: self.stored.count { $0.kind == .certificate }
        case .dodf: self.stored.count { $0.kind == .data }
        }
    }
}

extension Session {
    fileprivate func algorithm(of key: ObjectHandle) throws(PKCS11Error) -> KeyPairAlgorithm? {
        let read = try self.attributes(of: key, .keyType, .modulus, .modulusBits, .ecParameters)
        switch read[.keyType] {
        case .rsa?:
            // A private key has no CKA_MODULUS_BITS, but tells its modulus.
            let modulus = read[.modulus].map { Array($0.drop { $0 == 0 }).count * 8 }
            return (modulus ?? read[.modulusBits].map { Int($0) }).map { .rsa(modulusBits: $0) }
        case .ec?:
            switch read[.ecParameters].flatMap(NamedCurve.init(parametersDER:)) {
            case .p256?: return .p256
            case .p384?: return .p384
            case .p521?: return .p521
            default: return nil
            }
        default: return nil
        }
    }

    fileprivate func contentBytes(of object: ObjectHandle) throws(PKCS11Error) -> Int? {
        try self.attributes(of: object, .value).byteCount(of: .value)
    }
}
