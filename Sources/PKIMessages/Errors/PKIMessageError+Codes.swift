extension PKIMessageError.Code {
    /// Not the DER that the structure's definition asks for, a truncated one included.
    package static let malformed = Self("malformed")
    /// Bytes follow after the end of the structure.
    package static let trailingBytes = Self("trailingBytes")
    /// Longer than the limit.
    package static let tooLarge = Self("tooLarge")
    /// Nested deeper than the limit.
    package static let tooDeep = Self("tooDeep")
    /// An algorithm, or a parameter of one, that is not supported.
    package static let unsupportedAlgorithm = Self("unsupportedAlgorithm")
    /// A signature that does not verify.
    package static let badSignature = Self("badSignature")
    /// A digest that is not the digest of the bytes.
    package static let hashMismatch = Self("hashMismatch")
    /// Another content type than the one asked for.
    package static let wrongContentType = Self("wrongContentType")
    /// A signed message without a signer.
    package static let noSigner = Self("noSigner")
    /// Private and public key do not belong together.
    package static let keyMismatch = Self("keyMismatch")
    /// No recipient of the message is one of ours.
    package static let recipientNotFound = Self("recipientNotFound")
    /// The content does not decrypt: wrong key, or changed bytes.
    package static let decryptionFailed = Self("decryptionFailed")
    /// A key that can only sign, where one that can transport keys is needed.
    package static let signatureOnlyKey = Self("signatureOnlyKey")
    /// The encrypted key of an archival request is missing, misplaced or doubled.
    package static let badArchivalAttribute = Self("badArchivalAttribute")
    /// libcrypto refused an operation for a reason that has no code of its own.
    package static let libcryptoFailed = Self("libcryptoFailed")
    /// The password does not open the file.
    package static let wrongPassword = Self("wrongPassword")
    /// A value that the caller gave and that cannot be encoded.
    package static let invalidValue = Self("invalidValue")

    /// Every code of the X.509 and PKCS half of the module, for the test that none lacks advice.
    static let all: [Self] = [
        .malformed, .trailingBytes, .tooLarge, .tooDeep, .unsupportedAlgorithm, .badSignature, .hashMismatch,
        .wrongContentType, .noSigner, .keyMismatch, .recipientNotFound, .decryptionFailed, .signatureOnlyKey,
        .badArchivalAttribute, .libcryptoFailed, .wrongPassword, .invalidValue,
    ]
}
