internal import CPKCS11
internal import DeviceProfiles

/// As much of an object as decides what it takes on a card. Objects with equal descriptors cost the same, so a
/// ledger can count them without telling one from another.
struct ObjectDescriptor: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable, CaseIterable {
        case privateKey = "private-key"
        case publicKey = "public-key"
        case certificate, data
        case secretKey = "secret-key"
        case other
    }

    var kind: Kind
    /// Of a private or public key; `nil` when it is of a kind that profiles do not name.
    var algorithm: KeyPairAlgorithm?
    /// Content of a certificate, data object or secret key.
    var bytes: Int
    /// Not seen without login of the user (`CKA_PRIVATE`).
    var isPrivate: Bool

    init(kind: Kind, algorithm: KeyPairAlgorithm?, bytes: Int, isPrivate: Bool) {
        self.kind = kind
        self.algorithm = algorithm
        self.bytes = bytes
        self.isPrivate = isPrivate
    }

    /// Reads the descriptor of an object, or of what a template will make.
    ///
    /// - Parameter kind: where the function decides the class and the template may leave it out.
    init(_ attributes: some AttributeSource, kind given: Kind? = nil) {
        let kind = given ?? Kind(objectClass: attributes.number(CKA_CLASS))
        self.kind = kind
        self.algorithm = nil
        self.bytes = 0
        // Keys that hold a secret are private unless the template says otherwise, as in most devices.
        self.isPrivate = attributes.flag(CKA_PRIVATE) ?? (kind == .privateKey || kind == .secretKey)
        switch kind {
        case .privateKey, .publicKey:
            self.algorithm = KeyPairAlgorithm(attributes)
        case .certificate, .data:
            self.bytes = attributes.length(of: CKA_VALUE) ?? 0
        case .secretKey:
            self.bytes =
                attributes.number(CKA_VALUE_LEN).flatMap { Int(exactly: $0) }
                ?? attributes.length(of: CKA_VALUE) ?? 0
        case .other:
            break
        }
    }

    /// The directory file that lists it.
    var directory: DeviceProfile.Capacity.Directory? {
        switch self.kind {
        case .privateKey: .prkdf
        case .publicKey: .pukdf
        case .certificate: .cdf
        case .data: .dodf
        case .secretKey, .other: nil
        }
    }

    /// Bytes by the profile's cost model; `nil` is unknown.
    func cost(by capacity: DeviceProfile.Capacity) -> Int? {
        switch self.kind {
        case .privateKey: self.algorithm.flatMap { capacity.cost(ofPrivateKey: $0) }
        case .publicKey: self.algorithm.flatMap { capacity.cost(ofPublicKey: $0) }
        case .certificate: capacity.cost(of: .certificate, bytes: self.bytes)
        case .data: capacity.cost(of: .data, bytes: self.bytes)
        case .secretKey: capacity.cost(of: .secretKey, bytes: self.bytes)
        case .other: nil
        }
    }
}

extension ObjectDescriptor.Kind {
    init(objectClass: UInt?) {
        switch objectClass {
        case CKO_PRIVATE_KEY: self = .privateKey
        case CKO_PUBLIC_KEY: self = .publicKey
        case CKO_CERTIFICATE: self = .certificate
        case CKO_DATA: self = .data
        case CKO_SECRET_KEY: self = .secretKey
        default: self = .other
        }
    }
}

extension KeyPairAlgorithm {
    /// From `CKA_MODULUS` or `CKA_MODULUS_BITS` for RSA, from `CKA_EC_PARAMS` for EC.
    fileprivate init?(_ attributes: some AttributeSource) {
        if let parameters = attributes.bytes(of: CKA_EC_PARAMS) {
            guard let curve = KeyPairAlgorithm.curves[parameters] else { return nil }
            self = curve
        } else if let bytes = attributes.length(of: CKA_MODULUS) {
            self = .rsa(modulusBits: bytes * 8)
        } else if let bits = attributes.number(CKA_MODULUS_BITS).flatMap({ Int(exactly: $0) }) {
            self = .rsa(modulusBits: bits)
        } else {
            return nil
        }
    }

    /// DER object identifiers of the named curves (RFC 5480, section 2.1.1.1).
    private static let curves: [[UInt8]: KeyPairAlgorithm] = [
        [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]: .p256,
        [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22]: .p384,
        [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23]: .p521,
    ]
}
