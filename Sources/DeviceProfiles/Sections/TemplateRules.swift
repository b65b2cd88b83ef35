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
        /// Number of the attribute in which the template of `C_UnwrapKey` for an elliptic curve key has to have its public
        /// point, bare.
        public var unwrapECPoint: ProfileValue<UInt> = .unknown

        /// Everything unknown.
        public init() {}
    }
}

extension DeviceProfile.TemplateRules: ProfileTable {
    static var table: [SectionField<Self>] {
        [
            SectionField("require", \.require, .list(of: .text)),
            SectionField("refuse", \.refuse, .list(of: .name(prefix: "CKA_"))),
            SectionField("ignore", \.ignore, .list(of: .name(prefix: "CKA_"))),
            SectionField("unwrap_require", \.unwrapRequire, .list(of: .name(prefix: "CKA_"))),
            SectionField("session_objects", \.sessionObjects, .boolean),
            SectionField("ecdsa_sig", \.ecdsaSignature, .choice),
            SectionField("ec_point", \.ecPoint, .choice),
            SectionField("unwrap_ec_point", \.unwrapECPoint, .number),
        ]
    }
}
