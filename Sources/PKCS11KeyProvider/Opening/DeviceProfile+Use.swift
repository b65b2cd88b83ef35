internal import DeviceProfiles
internal import Diagnostics
internal import KeyProvider
internal import PKCS11

extension DeviceProfile {
    /// How many sessions to open: one of the device's stays for the login.
    func sessionLimit(atMost wanted: Int) -> Int {
        guard case .atMost(let maximum)? = self.sessions.maximum.value else { return max(1, wanted) }
        return max(1, min(wanted, maximum - 1))
    }

    /// How many sessions at work keep the device busy: few where signatures are quick or of unknown length, many where
    /// the quickest takes milliseconds, which a device beside the host or in the network spends without the host.
    var busySessions: Int {
        let signatures = [self.latency.signRSA2048, self.latency.signP256, self.latency.signP384].compactMap(\.value)
        return signatures.min().map { $0 >= 2 } == true ? 16 : 4
    }

    /// The mechanism for AES key wrap with padding (RFC 5649), where the device has it.
    var keyWrapPadded: Mechanism? {
        self.mechanisms.rfc5649.value.map { Mechanism(MechanismType(rawValue: $0)) }
    }

    /// True when the device wraps private keys by RFC 5649.
    var wrapsPrivateKeysPadded: Bool {
        let names: Set = ["AES_KEY_WRAP_PAD", "AES_KEY_WRAP_KWP", "KWP"]
        return self.keyWrapPadded != nil && self.template.sessionObjects.value != false
            && (self.mechanisms.wrapPrivate.value ?? []).contains { names.contains($0) }
    }

    /// False only when the profile knows that the device does not take this hash for OAEP.
    func mayUseOAEP(_ hash: HashAlgorithm) -> Bool {
        guard let known = self.mechanisms.oaep.value else { return true }
        return known.contains { HashAlgorithm(profileHash: $0) == hash }
    }

    /// True when what the device says of this attribute means nothing.
    func ignoresAttribute(_ name: String) -> Bool {
        self.template.ignore.value?.contains(name) ?? false
    }
}

extension HashAlgorithm {
    init?(profileHash: DeviceProfile.Mechanisms.Hash) {
        switch profileHash {
        case .sha1: self = .sha1
        case .sha224: return nil
        case .sha256: self = .sha256
        case .sha384: self = .sha384
        case .sha512: self = .sha512
        }
    }

    var mechanismHash: Mechanism.Hash {
        switch self {
        case .sha1: .sha1
        case .sha256: .sha256
        case .sha384: .sha384
        case .sha512: .sha512
        }
    }
}

extension KeyTransportAlgorithm {
    var mechanism: Mechanism {
        switch self {
        case .rsaPKCS1v15: Mechanism(.rsaPKCS)
        case .rsaOAEP(let hash): .rsaOAEP(hash.mechanismHash)
        }
    }

    /// - Throws: `unsupported` when the profile knows that the device cannot do it.
    func require(by profile: DeviceProfile, operation: String) throws(KeyProviderError) {
        guard case .rsaOAEP(let hash) = self, !profile.mayUseOAEP(hash) else { return }
        throw .unsupported(
            operation: operation, reason: "the device has no RSAES-OAEP with \(hash.rawValue), says \(profile.name)",
            advice: "Use a hash that the device profile lists for OAEP.")
    }
}
