package import KeyProvider
package import PKIMessages

extension KeyTransportAlgorithm {
    /// The token's name for the padding of a message.
    package init(_ padding: TransportPadding) {
        switch padding {
        case .pkcs1v15: self = .rsaPKCS1v15
        case .oaep(.sha1): self = .rsaOAEP(.sha1)
        case .oaep(.sha256): self = .rsaOAEP(.sha256)
        case .oaep(.sha384): self = .rsaOAEP(.sha384)
        case .oaep(.sha512): self = .rsaOAEP(.sha512)
        }
    }

    /// The PKCS #11 mechanism that does it (PKCS #11 v2.40, sections 2.1.6 and 2.1.8).
    var mechanismName: String {
        switch self {
        case .rsaPKCS1v15: "CKM_RSA_PKCS"
        case .rsaOAEP: "CKM_RSA_PKCS_OAEP"
        }
    }
}

extension TransportPadding {
    /// A message's name for what the token does.
    init(_ algorithm: KeyTransportAlgorithm) {
        switch algorithm {
        case .rsaPKCS1v15: self = .pkcs1v15
        case .rsaOAEP(.sha1): self = .oaep(.sha1)
        case .rsaOAEP(.sha256): self = .oaep(.sha256)
        case .rsaOAEP(.sha384): self = .oaep(.sha384)
        case .rsaOAEP(.sha512): self = .oaep(.sha512)
        }
    }
}
