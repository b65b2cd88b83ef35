/// What a request is, beside its form (MS-CSRA 3.1.1.1.1, `Request_Flags`).
package struct RequestFlags: OptionSet, Sendable, Hashable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// It renews a certificate: the old key has signed it.
    package static let renewal = RequestFlags(rawValue: 0x2)
    package static let forceUTF8 = RequestFlags(rawValue: 0x4)
    package static let caExchangeCertificate = RequestFlags(rawValue: 0x8)
    /// An enrolment agent asked for somebody else.
    package static let enrollOnBehalfOf = RequestFlags(rawValue: 0x10)
    package static let subjectUnmodified = RequestFlags(rawValue: 0x20)
    /// The hash of the encrypted private key was that of the key that came.
    package static let validEncryptedKeyHash = RequestFlags(rawValue: 0x40)
    package static let caCrossCertificate = RequestFlags(rawValue: 0x80)

    /// The flags' names, in the order of their bits.
    package var names: [String] {
        let all: [(RequestFlags, String)] = [
            (.renewal, "renewal"), (.forceUTF8, "force-utf8"), (.caExchangeCertificate, "ca-exchange-certificate"),
            (.enrollOnBehalfOf, "enroll-on-behalf-of"), (.subjectUnmodified, "subject-unmodified"),
            (.validEncryptedKeyHash, "valid-encrypted-key-hash"), (.caCrossCertificate, "ca-cross-certificate"),
        ]
        return all.filter { self.contains($0.0) }.map(\.1)
    }
}
