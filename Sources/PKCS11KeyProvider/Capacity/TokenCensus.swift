internal import DeviceProfiles
internal import KeyProvider
package import PKCS11

/// What is on a token, counted by what it costs: the ledger of devices that do not tell their free memory.
struct TokenCensus: Hashable, Sendable {
    var objects = 0
    /// By the name of the class.
    var classes: [String: Int] = [:]
    /// By algorithm; `nil` for one that cannot be told.
    var privateKeys: [KeyPairAlgorithm?: Int] = [:]
    var publicKeys: [KeyPairAlgorithm?: Int] = [:]
    /// The content of each, in bytes; `nil` where the token does not tell.
    var certificates: [Int?] = []
    var data: [Int?] = []
    var secretKeys: [Int?] = []
    var others = 0

    init() {}

    /// Reads class and size of every object of the token.
    init(scanning session: Session) throws(PKCS11Error) {
        var onToken = AttributeTemplate()
        onToken[.token] = true
        for object in try session.findObjects(onToken) {
            self.objects += 1
            let objectClass = try session.attributes(of: object, .objectClass)[.objectClass]
            self.classes[objectClass?.name ?? "of an unknown class", default: 0] += 1
            switch objectClass {
            case .privateKey?: self.privateKeys[try session.pairAlgorithm(of: object), default: 0] += 1
            case .publicKey?: self.publicKeys[try session.pairAlgorithm(of: object), default: 0] += 1
            case .certificate?: self.certificates.append(try session.valueBytes(of: object))
            case .data?: self.data.append(try session.valueBytes(of: object))
            case .secretKey?:
                self.secretKeys.append(try session.attributes(of: object, .valueLength)[.valueLength].map { Int($0) })
            default: self.others += 1
            }
        }
    }

    /// Bytes in use, by the cost model. What has no cost in the model makes it a lower bound.
    func usedBytes(_ capacity: DeviceProfile.Capacity) -> (bytes: Int, isComplete: Bool) {
        var costs: [Int?] = []
        for (algorithm, count) in self.privateKeys {
            let cost = algorithm.flatMap { capacity.cost(ofPrivateKey: $0) }
            costs += Array(repeating: cost, count: count)
        }
        for (algorithm, count) in self.publicKeys {
            let cost = algorithm.flatMap { capacity.cost(ofPublicKey: $0) }
            costs += Array(repeating: cost, count: count)
        }
        costs += self.certificates.map { $0.flatMap { capacity.cost(ofCertificate: $0) } }
        costs += self.data.map { $0.flatMap { capacity.cost(of: .data, bytes: $0) } }
        costs += self.secretKeys.map { $0.flatMap { capacity.cost(of: .secretKey, bytes: $0) } }
        costs += Array(repeating: nil, count: self.others)
        return (costs.reduce(0) { $0 + ($1 ?? 0) }, !costs.contains(nil))
    }

    /// Entries in use in a directory file.
    func entries(in directory: DeviceProfile.Capacity.Directory) -> Int {
        switch directory {
        case .prkdf: self.privateKeys.values.reduce(0, +)
        case .pukdf: self.publicKeys.values.reduce(0, +)
        case .cdf: self.certificates.count
        case .dodf: self.data.count
        }
    }
}

extension Session {
    fileprivate func pairAlgorithm(of key: ObjectHandle) throws(PKCS11Error) -> KeyPairAlgorithm? {
        let attributes = try self.attributes(of: key, .keyType, .modulus, .modulusBits, .ecParameters)
        switch attributes[.keyType] {
        case .rsa?:
            // The modulus where it is told: a private key object has no CKA_MODULUS_BITS.
            let bits = attributes[.modulusBits].map { Int($0) }
            let modulus = attributes[.modulus].map { Array($0.drop { $0 == 0 }).count * 8 }
            return (modulus ?? bits).map { .rsa(modulusBits: $0) }
        case .ec?: return attributes[.ecParameters].flatMap(NamedCurve.init(parametersDER:)).map(KeyPairAlgorithm.init)
        default: return nil
        }
    }

    fileprivate func valueBytes(of object: ObjectHandle) throws(PKCS11Error) -> Int? {
        try self.attributes(of: object, .value).byteCount(of: .value)
    }
}

extension ObjectClass {
    /// As a reader calls it.
    package var name: String {
        switch self {
        case .data: "data"
        case .certificate: "certificate"
        case .publicKey: "public key"
        case .privateKey: "private key"
        case .secretKey: "secret key"
        default: "class 0x" + String(self.rawValue, radix: 16)
        }
    }
}

extension KeyPairAlgorithm {
    init(_ curve: NamedCurve) {
        switch curve {
        case .p256: self = .p256
        case .p384: self = .p384
        case .p521: self = .p521
        }
    }

    /// `nil` for an algorithm that profiles do not name.
    init?(_ algorithm: KeyAlgorithm) {
        switch algorithm {
        case .ed25519: return nil
        case .rsa(let bits): self = .rsa(modulusBits: bits)
        case .p256: self = .p256
        case .p384: self = .p384
        case .p521: self = .p521
        }
    }
}
