/// The kind of a key pair as profiles name it: `rsa2048`, `p256`.
public enum KeyPairAlgorithm: Hashable, Sendable {
    case rsa(modulusBits: Int)
    case p256, p384, p521
}

extension KeyPairAlgorithm: CustomStringConvertible, LosslessStringConvertible {
    public var description: String {
        switch self {
        case .rsa(let bits): "rsa\(bits)"
        case .p256: "p256"
        case .p384: "p384"
        case .p521: "p521"
        }
    }

    public init?(_ description: String) {
        switch description {
        case "p256": self = .p256
        case "p384": self = .p384
        case "p521": self = .p521
        default:
            guard description.hasPrefix("rsa"), let bits = Int(description.dropFirst(3)),
                (512...16384).contains(bits), bits % 8 == 0, description == "rsa\(bits)"
            else { return nil }
            self = .rsa(modulusBits: bits)
        }
    }

    /// The length of the DER SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7; RFC 3279, section 2.3) in bytes, for
    /// RSA with the exponent 65537 and exact from 2048 bits on.
    public var subjectPublicKeyInfoBytes: Int {
        switch self {
        case .rsa(let bits): bits / 8 + 38
        case .p256: 91
        case .p384: 120
        case .p521: 158
        }
    }
}
