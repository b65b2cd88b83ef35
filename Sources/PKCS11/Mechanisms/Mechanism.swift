internal import CPKCS11
internal import Diagnostics

/// A mechanism with its parameters (`CK_MECHANISM`). Their memory lives for the time of the call.
public struct Mechanism: Hashable, Sendable {
    public let type: MechanismType
    let parameters: Parameters

    enum Parameters: Hashable, Sendable {
        case none
        case bytes([UInt8])
        case oaep(Hash)
        case pss(Hash, saltBytes: Int)
        case gcm(initializationVector: [UInt8], additionalData: [UInt8])
        case ecdh(point: [UInt8])
    }

    /// The hashes that OAEP and PSS take, with the mask generation function of the same hash.
    public enum Hash: Hashable, Sendable {
        case sha1, sha256, sha384, sha512

        var type: MechanismType {
            switch self {
            case .sha1: .sha1
            case .sha256: .sha256
            case .sha384: .sha384
            case .sha512: .sha512
            }
        }

        var maskGeneration: CK_RSA_PKCS_MGF_TYPE {
            switch self {
            case .sha1: CKG_MGF1_SHA1
            case .sha256: CKG_MGF1_SHA256
            case .sha384: CKG_MGF1_SHA384
            case .sha512: CKG_MGF1_SHA512
            }
        }
    }

    /// A mechanism without parameters.
    public init(_ type: MechanismType) {
        self.type = type
        self.parameters = .none
    }

    private init(_ type: MechanismType, _ parameters: Parameters) {
        self.type = type
        self.parameters = parameters
    }

    /// RSAES-OAEP with an empty label (RFC 8017, section 7.1).
    public static func rsaOAEP(_ hash: Hash) -> Mechanism {
        Mechanism(.rsaPKCSOAEP, .oaep(hash))
    }

    /// RSASSA-PSS over a digest that is made already (RFC 8017, section 8.1).
    public static func rsaPSS(_ hash: Hash, saltBytes: Int) -> Mechanism {
        Mechanism(.rsaPKCSPSS, .pss(hash, saltBytes: saltBytes))
    }

    /// AES-CBC with PKCS #7 padding.
    public static func aesCBCPad(initializationVector: [UInt8]) -> Mechanism {
        Mechanism(.aesCBCPad, .bytes(initializationVector))
    }

    /// Triple DES in CBC mode with PKCS #7 padding.
    public static func des3CBCPad(initializationVector: [UInt8]) -> Mechanism {
        Mechanism(.des3CBCPad, .bytes(initializationVector))
    }

    /// AES-GCM with a tag of 128 bits (PKCS #11 v2.40, section 2.12.3).
    public static func aesGCM(initializationVector: [UInt8], additionalData: [UInt8] = []) -> Mechanism {
        Mechanism(.aesGCM, .gcm(initializationVector: initializationVector, additionalData: additionalData))
    }

    /// Elliptic curve Diffie-Hellman with somebody's point, without a key derivation function: the X coordinate of what is
    /// agreed on (PKCS #11 v2.40, sections 2.3.6 and 2.3.8).
    ///
    /// - Parameter point: uncompressed, which every device has to take.
    public static func ecdh(point: [UInt8]) -> Mechanism {
        Mechanism(.ecdh1Derive, .ecdh(point: point))
    }

    /// Lends the C structure for the time of `body`.
    func withUnsafeMechanism<R>(_ body: (UnsafeMutablePointer<CK_MECHANISM>) -> R) -> R {
        var mechanism = CK_MECHANISM(mechanism: self.type.rawValue, pParameter: nil, ulParameterLen: 0)
        func call(_ parameters: UnsafeMutableRawBufferPointer) -> R {
            mechanism.pParameter = parameters.baseAddress
            mechanism.ulParameterLen = CK_ULONG(parameters.count)
            return body(&mechanism)
        }
        switch self.parameters {
        case .none:
            return body(&mechanism)
        case .bytes(var bytes):
            return bytes.withUnsafeMutableBytes(call)
        case .oaep(let hash):
            var oaep = CK_RSA_PKCS_OAEP_PARAMS(
                hashAlg: hash.type.rawValue, mgf: hash.maskGeneration, source: CKZ_DATA_SPECIFIED, pSourceData: nil,
                ulSourceDataLen: 0)
            return withUnsafeMutableBytes(of: &oaep, call)
        case .gcm(var vector, var additional):
            return vector.withUnsafeMutableBufferPointer { vector in
                additional.withUnsafeMutableBufferPointer { additional in
                    var gcm = CK_GCM_PARAMS()
                    gcm.pIv = vector.baseAddress
                    gcm.ulIvLen = CK_ULONG(vector.count)
                    gcm.ulIvBits = CK_ULONG(vector.count * 8)
                    gcm.pAAD = additional.isEmpty ? nil : additional.baseAddress
                    gcm.ulAADLen = CK_ULONG(additional.count)
                    gcm.ulTagBits = 128
                    return withUnsafeMutableBytes(of: &gcm, call)
                }
            }
        case .ecdh(var point):
            return point.withUnsafeMutableBufferPointer { point in
                var ecdh = CK_ECDH1_DERIVE_PARAMS()
                ecdh.kdf = CKD_NULL
                ecdh.pPublicData = point.baseAddress
                ecdh.ulPublicDataLen = CK_ULONG(point.count)
                return withUnsafeMutableBytes(of: &ecdh, call)
            }
        case .pss(let hash, let saltBytes):
            var pss = CK_RSA_PKCS_PSS_PARAMS(
                hashAlg: hash.type.rawValue, mgf: hash.maskGeneration, sLen: CK_ULONG(saltBytes))
            return withUnsafeMutableBytes(of: &pss, call)
        }
    }
}
