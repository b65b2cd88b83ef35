package import SwiftASN1

/// The object identifiers that the messages use, one table for the module. Names are those of the documents.
package enum OID {
    // MARK: RFC 5652, content types
    package static let data: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 7, 1]
    package static let signedData: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 7, 2]
    package static let envelopedData: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 7, 3]

    // MARK: RFC 5652, section 11, attributes
    package static let contentType: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 3]
    package static let messageDigest: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 4]
    package static let signingTime: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 5]

    // MARK: RFC 2985, attributes of requests
    package static let extensionRequest: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 14]
    package static let challengePassword: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 7]

    // MARK: RFC 5272, CMC
    package static let pkiData: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 12, 2]
    package static let pkiResponse: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 12, 3]
    package static let cmcStatusInfo: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 7, 1]
    package static let cmcIdentification: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 7, 2]
    package static let cmcTransactionID: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 7, 5]
    package static let cmcSenderNonce: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 7, 6]
    package static let cmcRecipientNonce: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 7, 7]
    package static let cmcAddExtensions: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 7, 8]
    package static let cmcRevokeRequest: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 7, 17]
    package static let cmcRegInfo: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 7, 18]
    package static let cmcResponseInfo: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 7, 19]
    package static let cmcQueryPending: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 7, 21]
    /// No-signature mechanism (RFC 5272, section C.1).
    package static let noSignature: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 6, 2]

    // MARK: Digests
    package static let md5: ASN1ObjectIdentifier = [1, 2, 840, 113549, 2, 5]
    package static let sha1: ASN1ObjectIdentifier = [1, 3, 14, 3, 2, 26]
    package static let sha256: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 2, 1]
    package static let sha384: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 2, 2]
    package static let sha512: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 2, 3]

    // MARK: Public keys and signatures (RFC 3279, 4055, 5480, 5758, 8410)
    package static let rsaEncryption: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 1, 1]
    package static let sha1WithRSA: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 1, 5]
    package static let rsaOAEP: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 1, 7]
    package static let mgf1: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 1, 8]
    package static let pSpecified: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 1, 9]
    package static let rsaPSS: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 1, 10]
    package static let sha256WithRSA: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 1, 11]
    package static let sha384WithRSA: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 1, 12]
    package static let sha512WithRSA: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 1, 13]
    package static let ecPublicKey: ASN1ObjectIdentifier = [1, 2, 840, 10045, 2, 1]
    package static let ecdsaWithSHA256: ASN1ObjectIdentifier = [1, 2, 840, 10045, 4, 3, 2]
    package static let ecdsaWithSHA384: ASN1ObjectIdentifier = [1, 2, 840, 10045, 4, 3, 3]
    package static let ecdsaWithSHA512: ASN1ObjectIdentifier = [1, 2, 840, 10045, 4, 3, 4]
    package static let secp256r1: ASN1ObjectIdentifier = [1, 2, 840, 10045, 3, 1, 7]
    package static let secp384r1: ASN1ObjectIdentifier = [1, 3, 132, 0, 34]
    package static let secp521r1: ASN1ObjectIdentifier = [1, 3, 132, 0, 35]
    package static let ed25519: ASN1ObjectIdentifier = [1, 3, 101, 112]
    package static let ed448: ASN1ObjectIdentifier = [1, 3, 101, 113]

    // MARK: Content encryption and key wrap (RFC 3565, 5649, 8018)
    package static let desEDE3CBC: ASN1ObjectIdentifier = [1, 2, 840, 113549, 3, 7]
    package static let aes128CBC: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 1, 2]
    package static let aes192CBC: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 1, 22]
    package static let aes256CBC: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 1, 42]
    package static let aes256WrapPad: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 1, 48]
    /// RFC 7914, section 7.
    package static let scrypt: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 11591, 4, 11]

    // MARK: Certificate and CRL extensions (RFC 5280)
    package static let subjectKeyIdentifier: ASN1ObjectIdentifier = [2, 5, 29, 14]
    package static let keyUsage: ASN1ObjectIdentifier = [2, 5, 29, 15]
    package static let subjectAlternativeName: ASN1ObjectIdentifier = [2, 5, 29, 17]
    package static let basicConstraints: ASN1ObjectIdentifier = [2, 5, 29, 19]
    package static let crlNumber: ASN1ObjectIdentifier = [2, 5, 29, 20]
    package static let crlReason: ASN1ObjectIdentifier = [2, 5, 29, 21]
    package static let invalidityDate: ASN1ObjectIdentifier = [2, 5, 29, 24]
    package static let deltaCRLIndicator: ASN1ObjectIdentifier = [2, 5, 29, 27]
    package static let issuingDistributionPoint: ASN1ObjectIdentifier = [2, 5, 29, 28]
    package static let crlDistributionPoints: ASN1ObjectIdentifier = [2, 5, 29, 31]
    package static let nameConstraints: ASN1ObjectIdentifier = [2, 5, 29, 30]
    package static let policyMappings: ASN1ObjectIdentifier = [2, 5, 29, 33]
    package static let policyConstraints: ASN1ObjectIdentifier = [2, 5, 29, 36]
    package static let inhibitAnyPolicy: ASN1ObjectIdentifier = [2, 5, 29, 54]
    package static let certificatePolicies: ASN1ObjectIdentifier = [2, 5, 29, 32]
    package static let authorityKeyIdentifier: ASN1ObjectIdentifier = [2, 5, 29, 35]
    package static let freshestCRL: ASN1ObjectIdentifier = [2, 5, 29, 46]
    package static let expiredCertsOnCRL: ASN1ObjectIdentifier = [2, 5, 29, 60]
    package static let extendedKeyUsage: ASN1ObjectIdentifier = [2, 5, 29, 37]
    package static let authorityInformationAccess: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 1, 1]
    package static let accessMethodOCSP: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 48, 1]
    package static let accessMethodCAIssuers: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 48, 2]

    // MARK: Extended key usages
    package static let serverAuth: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 3, 1]
    package static let clientAuth: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 3, 2]
    package static let emailProtection: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 3, 4]
    /// Encrypting File System (szOID_EFS_CRYPTO).
    package static let encryptingFileSystem: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 10, 3, 4]
    /// szOID_KP_CA_EXCHANGE.
    package static let caExchange: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 5]
    /// szOID_KP_KEY_RECOVERY_AGENT.
    package static let keyRecoveryAgent: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 6]

    // MARK: Ours

    /// A share of the key that opens a message (docs/threshold-recovery.md). Below the arc that Microsoft keeps for those
    /// who have none, by the GUID 08c328bf-e12b-4922-a02e-ecc9e7aa06c6.
    package static let thresholdShare: ASN1ObjectIdentifier = [
        1, 2, 840, 113_556, 1, 8000, 2554, 2243, 10431, 57643, 18722, 41006, 15_518_183, 11_142_854,
    ]

    // MARK: Microsoft (MS-WCCE, sections 2.2.2.6 and 2.2.2.7), 1.3.6.1.4.1.311
    /// 2.1.14, the older name of extensionRequest.
    package static let msCertExtensions: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 2, 1, 14]
    /// 10.10.1, CMC_ADD_ATTRIBUTES.
    package static let cmcAddAttributes: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 10, 10, 1]
    /// 10.9.1
    package static let msCrossCertificateDistributionPoints: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 10, 9, 1]
    /// 13.1
    package static let msRenewalCertificate: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 13, 1]
    /// 13.2.1
    package static let msEnrollmentNameValuePair: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 13, 2, 1]
    /// 13.2.2
    package static let msEnrollmentCSP: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 13, 2, 2]
    /// 13.2.3
    package static let msOSVersion: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 13, 2, 3]
    /// 20.2
    package static let msCertificateTemplateName: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 20, 2]
    /// 20.2.3
    package static let msUserPrincipalName: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 20, 2, 3]
    /// 21.1
    package static let msCAVersion: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 1]
    /// 21.2
    package static let msPreviousCertHash: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 2]
    /// 21.3
    package static let msVirtualBase: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 3]
    /// 21.4
    package static let msNextPublish: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 4]
    /// 21.7
    package static let msCertificateTemplate: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 7]
    /// 21.10
    package static let msApplicationPolicies: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 10]
    /// 21.13, the encrypted private key.
    package static let msEncryptedKey: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 13]
    /// 21.14
    package static let msSelfCDP: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 14]
    /// 21.16, the hash of the certificate whose key is in a recovery blob.
    package static let msArchivedKeyCertHash: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 16]
    /// 21.17, the hash of the issued certificate.
    package static let msIssuedCertHash: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 17]
    /// 21.20
    package static let msRequestClientInfo: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 20]
    /// 21.21, the hash of the encrypted private key.
    package static let msEncryptedKeyHash: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 21, 21]
}
