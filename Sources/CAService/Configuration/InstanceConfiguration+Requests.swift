extension InstanceConfiguration {
    /// Which requests are taken.
    package struct RequestPolicy: Sendable, Equatable {
        /// CMC messages with the no-signature mechanism (RFC 5272, section C.1).
        package var noSignature: Bool
        /// A directory with certificates and CRLs of authorities whose holders may sign requests here; below the instance
        /// when it is relative.
        package var trustedSigners: String?

        package init(noSignature: Bool = false, trustedSigners: String? = nil) {
            self.noSignature = noSignature
            self.trustedSigners = trustedSigners
        }

        init(yaml: YAMLMapping?) throws {
            self.init(
                noSignature: try yaml?.boolean("no-signature", default: false) ?? false,
                trustedSigners: try yaml?.optionalText("trusted-signers"))
            try yaml?.finish()
        }
    }
}
