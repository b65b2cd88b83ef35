internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// Which of the mechanisms of the module inside a card is to have.
struct MechanismRules: Sendable {
    private struct Entry: Sendable {
        /// `nil` for a name that stands for a type of key.
        var type: UInt?
        /// A word in the names of mechanisms, such as `RSA`.
        var keyType: String
        var keySizes: ClosedRange<Int>?
        var flags: CK_FLAGS
    }

    /// `nil` allows all that are not removed.
    private let allowed: [Entry]?
    private let removed: Set<UInt>
    /// Hashes for RSA-OAEP; `nil` for those of the module inside.
    private let oaepHashes: Set<UInt>?
    /// Mechanisms that wrap private keys; `nil` for those of the module inside.
    private let privateWrapping: Set<UInt>?

    /// - Parameter denied: mechanisms that are removed beside those of the profile.
    init(_ profile: DeviceProfile.Mechanisms, denied: Set<UInt>) {
        self.allowed = profile.allow.value.map { entries in
            entries.map {
                Entry(
                    type: SpecificationNames.mechanisms[$0.name], keyType: $0.name, keySizes: $0.keySizes,
                    flags: $0.flags.reduce(0) { $0 | (SpecificationNames.mechanismFlags[$1] ?? 0) })
            }
        }
        var removed = denied
        if profile.ecdsa.value == .raw {
            removed.formUnion(
                SpecificationNames.mechanisms.filter { $0.key.hasPrefix("ECDSA_SHA") }.map(\.value))
        }
        if profile.ecdsa.value == DeviceProfile.Mechanisms.ECDSA.none {
            removed.formUnion(
                SpecificationNames.mechanisms.filter { name, _ in
                    name.hasPrefix("EC_KEY") || name.hasPrefix("ECDSA") || name.hasPrefix("ECDH")
                }.map(\.value))
        }
        if profile.ecdh.value == DeviceProfile.Mechanisms.ECDH.none {
            removed.formUnion(SpecificationNames.mechanisms.filter { $0.key.hasPrefix("ECDH") }.map(\.value))
        }
        if profile.oaep.value == [] { removed.insert(CKM_RSA_PKCS_OAEP) }
        self.removed = removed
        self.privateWrapping = profile.wrapPrivate.value.map { names in
            var types = Set(names.compactMap { SpecificationNames.mechanisms[$0] })
            // RFC 5649 has the number of the device, whatever the device calls it.
            if let number = profile.rfc5649.value, names.contains(where: MechanismRules.paddedWrapping.contains) {
                types.subtract(MechanismRules.paddedWrapping.compactMap { SpecificationNames.mechanisms[$0] })
                types.insert(number)
            }
            return types
        }
        self.oaepHashes = profile.oaep.value.map { hashes in
            Set(hashes.compactMap { SpecificationNames.mechanisms[$0.rawValue] })
        }
    }

    /// Names under which devices have AES key wrap with padding (RFC 5649).
    private static let paddedWrapping = ["AES_KEY_WRAP_KWP", "AES_KEY_WRAP_PAD"]

    /// True when only some mechanisms wrap private keys.
    var restrictsWrapping: Bool { self.privateWrapping != nil }

    func wrapsPrivateKeys(_ mechanism: UnsafeMutablePointer<CK_MECHANISM>?) -> Bool {
        guard let types = self.privateWrapping, let mechanism else { return true }
        return types.contains(mechanism.pointee.mechanism)
    }

    /// True when nothing is removed or restricted.
    var areAll: Bool { self.allowed == nil && self.removed.isEmpty }

    func contains(_ type: CK_MECHANISM_TYPE) -> Bool {
        !self.removed.contains(type) && (self.allowed == nil || self.entry(type) != nil)
    }

    /// The entry that names the mechanism, or else its type of key.
    private func entry(_ type: CK_MECHANISM_TYPE) -> Entry? {
        guard let allowed = self.allowed else { return nil }
        if let exact = allowed.first(where: { $0.type == type }) { return exact }
        guard let name = SpecificationNames.mechanismNames[type] else { return nil }
        let words = name.split(separator: "_").map { KeyTypeName.of(String($0)) }
        return allowed.first { $0.type == nil && words.contains(KeyTypeName.of($0.keyType)) }
    }

    /// Key sizes and uses as far as both the module inside and the card have them.
    func restrict(_ info: inout CK_MECHANISM_INFO, of type: CK_MECHANISM_TYPE) {
        guard let entry = self.entry(type) else { return }
        if let sizes = entry.keySizes {
            info.ulMinKeySize = max(info.ulMinKeySize, UInt(sizes.lowerBound))
            info.ulMaxKeySize = min(info.ulMaxKeySize, UInt(sizes.upperBound))
        }
        if entry.flags != 0 { info.flags &= entry.flags | ~SpecificationNames.uses }
    }

    /// What the card answers to a mechanism, or `nil` when it takes it.
    ///
    /// - Parameter use: the `CKF_` flag of what it is to be used for.
    func refusal(of mechanism: UnsafeMutablePointer<CK_MECHANISM>?, use: CK_FLAGS) -> ReturnValue? {
        guard let mechanism = mechanism?.pointee else { return nil }
        guard self.contains(mechanism.mechanism) else { return .mechanismInvalid }
        if let entry = self.entry(mechanism.mechanism), entry.flags != 0, entry.flags & use == 0 {
            return .mechanismInvalid
        }
        guard mechanism.mechanism == CKM_RSA_PKCS_OAEP, let hashes = self.oaepHashes,
            let parameter = mechanism.pParameter,
            mechanism.ulParameterLen == MemoryLayout<CK_RSA_PKCS_OAEP_PARAMS>.size
        else { return nil }
        let hash = parameter.loadUnaligned(as: CK_RSA_PKCS_OAEP_PARAMS.self).hashAlg
        return hashes.contains(hash) ? nil : .mechanismParamInvalid
    }

    /// What the card answers to a key of a size that it does not make.
    ///
    /// - Parameter size: in the units of `CK_MECHANISM_INFO`.
    func refusal(of mechanism: UnsafeMutablePointer<CK_MECHANISM>?, keySize size: Int?) -> ReturnValue? {
        guard let mechanism = mechanism?.pointee, let size, let sizes = self.entry(mechanism.mechanism)?.keySizes
        else { return nil }
        guard !sizes.contains(size) else { return nil }
        return mechanism.mechanism == CKM_EC_KEY_PAIR_GEN ? .curveNotSupported : .keySizeRange
    }
}

/// Types of key as profiles name them, and as the names of mechanisms show them.
private enum KeyTypeName {
    static func of(_ word: String) -> String {
        switch word {
        case "ECDSA", "ECDH", "ECDH1", "ECMQV": "EC"
        case "DES2": "DES3"
        default: word
        }
    }
}
