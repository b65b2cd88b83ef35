extension DeviceProfile {
    /// Which mechanisms a device has and how it wants them.
    public struct Mechanisms: Hashable, Sendable {
        /// One entry of the allow list, written `NAME`, `NAME:MIN-MAX` or `NAME:MIN-MAX:FLAG+FLAG`.
        public struct Allowed: Hashable, Sendable {
            /// The mechanism's name without `CKM_`, or the name of a key type for all of its mechanisms.
            public var name: String
            /// Key sizes in the units of `CK_MECHANISM_INFO`; `nil` for those of the device.
            public var keySizes: ClosedRange<Int>?
            /// Names of `CKF_` flags without the prefix; empty for those of the device.
            public var flags: [String]

            public init(name: String, keySizes: ClosedRange<Int>?, flags: [String]) {
                self.name = name
                self.keySizes = keySizes
                self.flags = flags
            }
        }

        /// A hash that RSA-OAEP takes, named as its mechanism without `CKM_`.
        public enum Hash: String, Hashable, Sendable, CaseIterable {
            case sha1 = "SHA_1"
            case sha224 = "SHA224"
            case sha256 = "SHA256"
            case sha384 = "SHA384"
            case sha512 = "SHA512"
        }

        /// Which ECDSA mechanisms there are.
        public enum ECDSA: String, Hashable, Sendable, CaseIterable {
            /// `CKM_ECDSA` over a hash made on the host.
            case raw
            /// Also `CKM_ECDSA_SHA*`.
            case both
            /// No elliptic curves at all.
            case none
        }

        /// Whether there is elliptic curve Diffie-Hellman.
        public enum ECDH: String, Hashable, Sendable, CaseIterable {
            /// `CKM_ECDH1_DERIVE` with `CKD_NULL`. An AES key is made of the last bytes of the X coordinate (PKCS #11
            /// v2.40, section 2.3.8).
            case raw
            case none
        }

        /// Who makes the initialization vector of AES-GCM.
        public enum InitializationVector: String, Hashable, Sendable, CaseIterable {
            case app, device
        }

        /// What the device has; unknown when it is to be asked.
        public var allow: ProfileValue<[Allowed]> = .unknown
        /// Hashes for RSA-OAEP, best first; empty when it has no OAEP.
        public var oaep: ProfileValue<[Hash]> = .unknown
        public var ecdsa: ProfileValue<ECDSA> = .unknown
        public var ecdh: ProfileValue<ECDH> = .unknown
        /// Mechanisms without `CKM_` that wrap private keys, best first; empty when none does.
        public var wrapPrivate: ProfileValue<[String]> = .unknown
        /// The number under which the device has AES key wrap with padding (RFC 5649).
        public var rfc5649: ProfileValue<UInt> = .unknown
        public var gcmInitializationVector: ProfileValue<InitializationVector> = .unknown
        /// The most bytes that one call takes.
        public var maximumData: ProfileValue<Limit> = .unknown
        /// Whether `C_GenerateKey` makes secret keys.
        public var generatesSecretKeys: ProfileValue<Bool> = .unknown

        /// Everything unknown.
        public init() {}
    }
}

extension DeviceProfile.Mechanisms: ProfileTable {
    static var table: [SectionField<Self>] {
        [
            SectionField("allow", \.allow, .list(of: .allowedMechanism)),
            SectionField("oaep", \.oaep, .list(of: .choice)),
            SectionField("ecdsa", \.ecdsa, .choice),
            SectionField("ecdh", \.ecdh, .choice),
            SectionField("wrap_private", \.wrapPrivate, .list(of: .name(prefix: "CKM_"))),
            SectionField("rfc5649", \.rfc5649, .number),
            SectionField("gcm_iv", \.gcmInitializationVector, .choice),
            SectionField("max_data", \.maximumData, .limit),
            SectionField("secret_keygen", \.generatesSecretKeys, .boolean),
        ]
    }
}

extension FieldForm<DeviceProfile.Mechanisms.Allowed> {
    /// `NAME`, `NAME:MIN-MAX` or `NAME:MIN-MAX:FLAG+FLAG`.
    fileprivate static var allowedMechanism: Self {
        Self(read: { $0.allowedMechanism() }) { allowed in
            let sizes = allowed.keySizes.map { "\($0.lowerBound)-\($0.upperBound)" }
            if !allowed.flags.isEmpty {
                return "\(allowed.name):\(sizes ?? ""):\(allowed.flags.joined(separator: "+"))"
            }
            return sizes.map { "\(allowed.name):\($0)" } ?? allowed.name
        }
    }
}

extension DocumentField {
    fileprivate func allowedMechanism() -> DeviceProfile.Mechanisms.Allowed? {
        guard let text = self.text() else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (1...3).contains(parts.count), DocumentField.isSpecificationName(parts[0]) else {
            return self.refuse("\"\(text)\" is not NAME, NAME:MIN-MAX or NAME:MIN-MAX:FLAG+FLAG")
        }
        var allowed = DeviceProfile.Mechanisms.Allowed(name: parts[0], keySizes: nil, flags: [])
        if parts.count > 1, !parts[1].isEmpty {
            let bounds = parts[1].split(separator: "-").map { Int($0) }
            guard bounds.count == 2, let low = bounds[0], let high = bounds[1], 0 <= low, low <= high else {
                return self.refuse("\"\(parts[1])\" is not a range of key sizes such as 1024-3072")
            }
            allowed.keySizes = low...high
        }
        if parts.count > 2 {
            allowed.flags = parts[2].split(separator: "+").map(String.init)
            guard !allowed.flags.isEmpty, allowed.flags.allSatisfy(DocumentField.isSpecificationName) else {
                return self.refuse("\"\(parts[2])\" is not a list of flags such as SIGN+VERIFY")
            }
        }
        return allowed
    }
}
