extension DeviceProfile {
    /// What a device wants in attribute templates, and how it encodes values.
    public struct TemplateRules: Hashable, Sendable {
        /// Encoding of the signature that ECDSA mechanisms return.
        public enum SignatureEncoding: String, Hashable, Sendable, CaseIterable {
            /// r and s, each as long as the order (PKCS #11 v2.40, section 2.3.1).
            case raw
            /// `ECDSA-Sig-Value`.
            case der
        }

        /// Encoding of `CKA_EC_POINT`.
        public enum PointEncoding: String, Hashable, Sendable, CaseIterable {
            /// DER OCTET STRING around the point.
            case octet
            /// The point itself.
            case raw
        }

        /// Attributes that must be given, as `CLASS.ATTRIBUTE=VALUE` or `ATTRIBUTE`, such as `DATA.PRIVATE=TRUE`.
        public var require: ProfileValue<[String]> = .unknown
        /// Attributes without `CKA_` that make the device refuse a template.
        public var refuse: ProfileValue<[String]> = .unknown
        /// Attributes without `CKA_` that the device takes and forgets.
        public var ignore: ProfileValue<[String]> = .unknown
        /// Attributes without `CKA_` that the template of `C_UnwrapKey` must have.
        public var unwrapRequire: ProfileValue<[String]> = .unknown
        /// Whether session objects exist.
        public var sessionObjects: ProfileValue<Bool> = .unknown
        public var ecdsaSignature: ProfileValue<SignatureEncoding> = .unknown
        public var ecPoint: ProfileValue<PointEncoding> = .unknown

        /// Everything unknown.
        public init() {}
    }
}

extension DeviceProfile.TemplateRules {
    init(reading section: ProfileSection) {
        section.allow(["require", "refuse", "ignore", "unwrap_require", "session_objects", "ecdsa_sig", "ec_point"])
        self.require = section.value("require") { $0.list { $0.text() } }
        self.refuse = section.value("refuse") { $0.list { $0.specificationName(prefix: "CKA_") } }
        self.ignore = section.value("ignore") { $0.list { $0.specificationName(prefix: "CKA_") } }
        self.unwrapRequire = section.value("unwrap_require") { $0.list { $0.specificationName(prefix: "CKA_") } }
        self.sessionObjects = section.value("session_objects") { $0.boolean() }
        self.ecdsaSignature = section.value("ecdsa_sig") { $0.choice() }
        self.ecPoint = section.value("ec_point") { $0.choice() }
    }
}
