import PKIMessages
import SwiftASN1

/// What Windows' tools call an object identifier, where it stands in a message.
enum ObjectIdentifierNames {
    /// The identifier with its name, `1.3.14.3.2.26 sha1`; without one, the identifier.
    static func named(_ oid: ASN1ObjectIdentifier) -> String {
        self.table[oid].map { "\(oid) \($0)" } ?? "\(oid)"
    }

    /// The name with the identifier, `Server Authentication (1.3.6.1.5.5.7.3.1)`.
    static func purpose(_ oid: ASN1ObjectIdentifier) -> String {
        "\(self.table[oid] ?? "Unknown Key Usage") (\(oid))"
    }

    static func name(_ oid: ASN1ObjectIdentifier) -> String? { self.table[oid] }

    private static let table = ObjectIdentifierNames.algorithms
        .merging(ObjectIdentifierNames.purposes) { first, _ in first }
        .merging(ObjectIdentifierNames.contents) { first, _ in first }

    private static let algorithms: [ASN1ObjectIdentifier: String] = [
        OID.md5: "md5", OID.sha1: "sha1", OID.sha256: "sha256", OID.sha384: "sha384", OID.sha512: "sha512",
        OID.rsaEncryption: "RSA", [1, 2, 840, 113549, 1, 1, 4]: "md5RSA", OID.sha1WithRSA: "sha1RSA",
        OID.rsaOAEP: "RSAES_OAEP", OID.mgf1: "mgf1", OID.pSpecified: "PSPECIFIED", OID.rsaPSS: "RSASSA-PSS",
        OID.sha256WithRSA: "sha256RSA", OID.sha384WithRSA: "sha384RSA", OID.sha512WithRSA: "sha512RSA",
        OID.ecPublicKey: "ECC", [1, 2, 840, 10045, 4, 1]: "sha1ECDSA", OID.ecdsaWithSHA256: "sha256ECDSA",
        OID.ecdsaWithSHA384: "sha384ECDSA", OID.ecdsaWithSHA512: "sha512ECDSA", OID.secp256r1: "ECDSA_P256",
        OID.secp384r1: "ECDSA_P384", OID.secp521r1: "ECDSA_P521", OID.ed25519: "Ed25519", OID.ed448: "Ed448",
        OID.desEDE3CBC: "3des", [1, 2, 840, 113549, 3, 2]: "rc2", [1, 2, 840, 113549, 3, 4]: "rc4",
        [1, 3, 14, 3, 2, 7]: "des", OID.aes128CBC: "aes128", OID.aes192CBC: "aes192", OID.aes256CBC: "aes256",
        OID.aes256WrapPad: "aes256wrapPad", [2, 16, 840, 1, 101, 3, 4, 1, 5]: "aes128wrap",
        [2, 16, 840, 1, 101, 3, 4, 1, 45]: "aes256wrap", OID.noSignature: "NO_SIGN",
        [1, 2, 840, 113549, 1, 9, 16, 3, 6]: "CMS3DESwrap",
        [2, 16, 840, 1, 101, 3, 4, 3, 17]: "ML-DSA-44", [2, 16, 840, 1, 101, 3, 4, 3, 18]: "ML-DSA-65",
        [2, 16, 840, 1, 101, 3, 4, 3, 19]: "ML-DSA-87",
    ]

    private static let purposes: [ASN1ObjectIdentifier: String] = [
        OID.serverAuth: "Server Authentication", OID.clientAuth: "Client Authentication",
        [1, 3, 6, 1, 5, 5, 7, 3, 3]: "Code Signing", OID.emailProtection: "Secure Email",
        [1, 3, 6, 1, 5, 5, 7, 3, 5]: "IP security end system",
        [1, 3, 6, 1, 5, 5, 7, 3, 6]: "IP security tunnel termination",
        [1, 3, 6, 1, 5, 5, 7, 3, 7]: "IP security user", [1, 3, 6, 1, 5, 5, 7, 3, 8]: "Time Stamping",
        [1, 3, 6, 1, 5, 5, 7, 3, 9]: "OCSP Signing", [2, 5, 29, 37, 0]: "Any Purpose",
        [1, 3, 6, 1, 5, 2, 3, 5]: "KDC Authentication", [1, 3, 6, 1, 5, 5, 8, 2, 2]: "IP security IKE intermediate",
        OID.encryptingFileSystem: "Encrypting File System", [1, 3, 6, 1, 4, 1, 311, 10, 3, 4, 1]: "File Recovery",
        [1, 3, 6, 1, 4, 1, 311, 10, 3, 1]: "Microsoft Trust List Signing",
        [1, 3, 6, 1, 4, 1, 311, 10, 3, 10]: "Qualified Subordination",
        [1, 3, 6, 1, 4, 1, 311, 10, 3, 11]: "Key Recovery", [1, 3, 6, 1, 4, 1, 311, 10, 3, 12]: "Document Signing",
        [1, 3, 6, 1, 4, 1, 311, 10, 12, 1]: "All application policies",
        [1, 3, 6, 1, 4, 1, 311, 20, 2, 1]: "Certificate Request Agent",
        [1, 3, 6, 1, 4, 1, 311, 20, 2, 2]: "Smart Card Logon", OID.caExchange: "Private Key Archival",
        OID.keyRecoveryAgent: "Key Recovery Agent",
        [1, 3, 6, 1, 4, 1, 311, 21, 19]: "Directory Service Email Replication",
        [2, 5, 29, 32, 0]: "All issuance policies", OID.accessMethodOCSP: "On-line Certificate Status Protocol",
        OID.accessMethodCAIssuers: "Certification Authority Issuer",
        [1, 3, 6, 1, 5, 5, 7, 48, 3]: "Time Stamping",
        [1, 3, 6, 1, 5, 5, 7, 48, 5]: "Certification Authority Repository",
    ]

    private static let contents: [ASN1ObjectIdentifier: String] = [
        OID.data: "PKCS 7 Data", OID.signedData: "PKCS 7 Signed", OID.envelopedData: "PKCS 7 Enveloped",
        [1, 2, 840, 113549, 1, 7, 5]: "PKCS 7 Digested", [1, 2, 840, 113549, 1, 7, 6]: "PKCS 7 Encrypted",
        OID.pkiData: "CMC Data", OID.pkiResponse: "CMC Response", OID.thresholdShare: "Key Share",
        [1, 3, 6, 1, 4, 1, 311, 10, 1]: "Certificate Trust List",
    ]
}
