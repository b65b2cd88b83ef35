internal import DeviceProfiles
internal import Diagnostics
internal import PKCS11

/// A test key on the token, with what an ability needs to use it: one session, and a clock.
///
/// Not `Sendable`: it lives on the token's thread for as long as the session does.
final class Probe {
    let session: Session
    let key: KeyPairHandles
    let kind: TestKeyKind
    let id: [UInt8]
    let profile: DeviceProfile
    let onToken: Bool
    let milliseconds: @Sendable () -> Double
    /// Begins to measure what an object takes; `nil` for session objects, which take nothing.
    let storedSize: () -> StoredSize?
    let host: HostKey
    /// What was found out about the device.
    var measured: Measurements

    init(
        session: Session, key: KeyPairHandles, kind: TestKeyKind, bench: Bench, measured: Measurements
    ) throws {
        self.session = session
        self.key = key
        self.kind = kind
        self.id = bench.id
        self.profile = bench.profile
        self.onToken = bench.onToken
        self.milliseconds = bench.milliseconds
        self.storedSize = { bench.onToken ? StoredSize(on: bench.token) : nil }
        self.measured = measured
        self.host = try Probe.publicKey(of: key.publicKey, kind, session, &self.measured)
    }

    /// Reads the public half, and sees how the device encodes a point.
    private static func publicKey(
        of key: ObjectHandle, _ kind: TestKeyKind, _ session: Session, _ measured: inout Measurements
    ) throws -> HostKey {
        let encoded: [UInt8]
        if let curve = kind.curve {
            let read = try session.attributes(of: key, .ecPoint)
            guard let value = read[.ecPoint], let point = curve.uncompressedPoint(attributeValue: value) else {
                throw ProbeFailure(
                    "CKA_EC_POINT of the new public key is no point of \(curve)",
                    change: "Use RSA keys on this device, or a newer firmware.")
            }
            measured.pointEncoding = value.count == point.count ? .raw : .octet
            encoded = PublicKeyEncoding.ec(curve, point: point)
        } else if !kind.isRSA {
            let read = try session.attributes(of: key, .ecPoint)
            guard let value = read[.ecPoint], let point = PublicKeyEncoding.ed25519Point(attributeValue: value) else {
                throw ProbeFailure(
                    "CKA_EC_POINT of the new public key is no point of Ed25519", change: "Use another kind of key.")
            }
            encoded = PublicKeyEncoding.ed25519(point: point)
        } else {
            let read = try session.attributes(of: key, .modulus, .publicExponent)
            guard let modulus = read[.modulus], let exponent = read[.publicExponent] else {
                throw ProbeFailure(
                    "the new public key does not tell its modulus",
                    change: "Use another device: keys cannot be certified.")
            }
            encoded = PublicKeyEncoding.rsa(modulus: modulus, publicExponent: exponent)
        }
        guard let host = HostKey(subjectPublicKeyInfo: encoded) else {
            throw ProbeFailure("the new public key is not valid", change: "Take the device out of service.")
        }
        return host
    }

    func random(_ count: Int) throws -> [UInt8] {
        try self.session.randomBytes(count)
    }

    /// Time that `body` took, in milliseconds.
    func timed<R>(_ body: () throws -> R) rethrows -> (result: R, milliseconds: Double) {
        let start = self.milliseconds()
        let result = try body()
        return (result, self.milliseconds() - start)
    }

    /// The wrapping mechanisms for RFC 5649 to try: the profile's, or the two numbers in use.
    var keyWrapMechanisms: [MechanismType] {
        if let known = self.profile.mechanisms.rfc5649.value { return [MechanismType(rawValue: known)] }
        return [.aesKeyWrapKWP, .aesKeyWrapPad]
    }
}

/// What was measured, to be compared with a profile or to become one.
struct Measurements: Sendable {
    var ecdsaWorks: Bool?
    var signatureEncoding: DeviceProfile.TemplateRules.SignatureEncoding?
    var pointEncoding: DeviceProfile.TemplateRules.PointEncoding?
    var sessionObjects: Bool?
    var makesSecretKeys: Bool?
    var oaep: [OAEPHash: Bool] = [:]
    /// The number under which RFC 5649 took a private key; `nil` inside when none did.
    var keyWrap: MechanismType??
    /// Attributes of a generated key that read as they cannot be.
    var ignoredAttributes: Set<String>?
    var openMilliseconds: Double?
    var loginMilliseconds: Double?
    /// What came of opening sessions until one was refused.
    var sessions: Sessions?
    /// By the name of the latency field.
    var latencies: [String: Double] = [:]
    var slowest: Double?
    /// Bytes for both halves of a key pair on the token.
    var pairCosts: [KeyPairAlgorithm: Int] = [:]
    /// Bytes that a certificate takes beside its content.
    var certificateHeader: Int?
    /// Whether the memory that the token tells of follows what is stored.
    var reportsMemory = false

    struct Sessions: Sendable {
        var count: Int
        /// `nil` when none was refused.
        var refusal: ReturnValue?
    }
}
