extension HRESULT {
    /// `S_OK`
    public static let ok = HRESULT(rawValue: 0x0000_0000)
    /// `E_UNEXPECTED`
    public static let unexpected = HRESULT(rawValue: 0x8000_FFFF)
    /// `E_FAIL`
    public static let fail = HRESULT(rawValue: 0x8000_4005)
    /// `E_NOTIMPL`
    public static let notImplemented = HRESULT(rawValue: 0x8000_4001)
    /// `TYPE_E_AMBIGUOUSNAME`
    public static let ambiguousName = HRESULT(rawValue: 0x8002_802C)
    /// `ERROR_FILE_NOT_FOUND`
    public static let fileNotFound = HRESULT(rawValue: 0x8007_0002)
    /// `E_ACCESSDENIED`
    public static let accessDenied = HRESULT(rawValue: 0x8007_0005)
    /// `ERROR_INVALID_DATA`
    public static let invalidData = HRESULT(rawValue: 0x8007_000D)
    /// `ERROR_WRITE_FAULT`
    public static let writeFault = HRESULT(rawValue: 0x8007_001D)
    /// `ERROR_GEN_FAILURE`
    public static let genericFailure = HRESULT(rawValue: 0x8007_001F)
    /// `ERROR_NOT_SUPPORTED`
    public static let notSupported = HRESULT(rawValue: 0x8007_0032)
    /// `ERROR_FILE_EXISTS`
    public static let fileExists = HRESULT(rawValue: 0x8007_0050)
    /// `ERROR_INVALID_PASSWORD`
    public static let invalidPassword = HRESULT(rawValue: 0x8007_0056)
    /// `E_INVALIDARG`
    public static let invalidParameter = HRESULT(rawValue: 0x8007_0057)
    /// `ERROR_MOD_NOT_FOUND`
    public static let moduleNotFound = HRESULT(rawValue: 0x8007_007E)
    /// `ERROR_INSUFFICIENT_BUFFER`
    public static let insufficientBuffer = HRESULT(rawValue: 0x8007_007A)
    /// `ERROR_ALREADY_EXISTS`
    public static let alreadyExists = HRESULT(rawValue: 0x8007_00B7)
    /// `ERROR_DIRECTORY`
    public static let invalidDirectory = HRESULT(rawValue: 0x8007_010B)
    /// `ERROR_OPERATION_ABORTED`
    public static let operationAborted = HRESULT(rawValue: 0x8007_03E3)
    /// `ERROR_LOGON_FAILURE`
    public static let logonFailure = HRESULT(rawValue: 0x8007_052E)
    /// `ERROR_TIMEOUT`
    public static let timeout = HRESULT(rawValue: 0x8007_05B4)
    /// `ERROR_OBJECT_ALREADY_EXISTS`
    public static let objectExists = HRESULT(rawValue: 0x8007_1392)
    /// `NTE_BAD_UID`
    public static let badUID = HRESULT(rawValue: 0x8009_0001)
    /// `NTE_BAD_KEY`
    public static let badKey = HRESULT(rawValue: 0x8009_0003)
    /// `NTE_BAD_DATA`
    public static let badData = HRESULT(rawValue: 0x8009_0005)
    /// `NTE_BAD_SIGNATURE`
    public static let badSignature = HRESULT(rawValue: 0x8009_0006)
    /// `NTE_BAD_ALGID`
    public static let badAlgorithm = HRESULT(rawValue: 0x8009_0008)
    /// `NTE_BAD_FLAGS`
    public static let badFlags = HRESULT(rawValue: 0x8009_0009)
    /// `NTE_BAD_KEY_STATE`
    public static let badKeyState = HRESULT(rawValue: 0x8009_000B)
    /// `NTE_NO_KEY`
    public static let noKey = HRESULT(rawValue: 0x8009_000D)
    /// `NTE_EXISTS`
    public static let keyExists = HRESULT(rawValue: 0x8009_000F)
    /// `NTE_NOT_FOUND`
    public static let objectNotFound = HRESULT(rawValue: 0x8009_0011)
    /// `NTE_BAD_KEYSET`
    public static let badKeyset = HRESULT(rawValue: 0x8009_0016)
    /// `NTE_KEYSET_NOT_DEF`
    public static let keysetNotDefined = HRESULT(rawValue: 0x8009_0019)
    /// `NTE_FAIL`
    public static let providerFailure = HRESULT(rawValue: 0x8009_0020)
    /// `CRYPT_E_INVALID_MSG_TYPE`
    public static let invalidMessageType = HRESULT(rawValue: 0x8009_1004)
    /// `CRYPT_E_UNKNOWN_ALGO`
    public static let unknownAlgorithm = HRESULT(rawValue: 0x8009_1002)
    /// `CRYPT_E_HASH_VALUE`
    public static let hashValue = HRESULT(rawValue: 0x8009_1007)
    /// `CRYPT_E_RECIPIENT_NOT_FOUND`
    public static let recipientNotFound = HRESULT(rawValue: 0x8009_100B)
    /// `CRYPT_E_BAD_ENCODE`
    public static let decodeFailed = HRESULT(rawValue: 0x8009_2002)
    /// `CRYPT_E_NOT_FOUND`
    public static let notFound = HRESULT(rawValue: 0x8009_2004)
    /// `CRYPT_E_NO_MATCH`
    public static let noMatch = HRESULT(rawValue: 0x8009_2009)
    /// `CRYPT_E_NO_SIGNER`
    public static let noSigner = HRESULT(rawValue: 0x8009_200E)
    /// `CRYPT_E_REVOKED`
    public static let revoked = HRESULT(rawValue: 0x8009_2010)
    /// `CRYPT_E_REVOCATION_OFFLINE`
    public static let revocationOffline = HRESULT(rawValue: 0x8009_2013)
    /// `CRYPT_E_ASN1_CORRUPT`
    public static let asn1Corrupt = HRESULT(rawValue: 0x8009_3103)
    /// `CRYPT_E_ASN1_LARGE`
    public static let asn1Large = HRESULT(rawValue: 0x8009_3104)
    /// `CRYPT_E_ASN1_NOEOD`
    public static let asn1ExtraData = HRESULT(rawValue: 0x8009_3109)
    /// `CERTSRV_E_BAD_REQUESTSUBJECT`
    public static let badRequestSubject = HRESULT(rawValue: 0x8009_4001)
    /// `CERTSRV_E_NO_REQUEST`
    public static let noRequest = HRESULT(rawValue: 0x8009_4002)
    /// `CERTSRV_E_BAD_REQUESTSTATUS`
    public static let badRequestStatus = HRESULT(rawValue: 0x8009_4003)
    /// `CERTSRV_E_PROPERTY_EMPTY`
    public static let propertyEmpty = HRESULT(rawValue: 0x8009_4004)
    /// `CERTSRV_E_INVALID_CA_CERTIFICATE`
    public static let invalidCACertificate = HRESULT(rawValue: 0x8009_4005)
    /// `CERTSRV_E_SERVER_SUSPENDED`
    public static let serverSuspended = HRESULT(rawValue: 0x8009_4006)
    /// `CERTSRV_E_ENCODING_LENGTH`
    public static let encodingLength = HRESULT(rawValue: 0x8009_4007)
    /// `CERTSRV_E_ROLECONFLICT`
    public static let roleConflict = HRESULT(rawValue: 0x8009_4008)
    /// `CERTSRV_E_RESTRICTEDOFFICER`
    public static let restrictedOfficer = HRESULT(rawValue: 0x8009_4009)
    /// `CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED`
    public static let keyArchivalNotConfigured = HRESULT(rawValue: 0x8009_400A)
    /// `CERTSRV_E_NO_VALID_KRA`
    public static let noValidKRA = HRESULT(rawValue: 0x8009_400B)
    /// `CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL`
    public static let badRequestKeyArchival = HRESULT(rawValue: 0x8009_400C)
    /// `CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE`
    public static let badRenewalCertAttribute = HRESULT(rawValue: 0x8009_400E)
    /// `CERTSRV_E_ENROLL_DENIED`
    public static let enrollDenied = HRESULT(rawValue: 0x8009_4011)
    /// `CERTSRV_E_TEMPLATE_DENIED`
    public static let templateDenied = HRESULT(rawValue: 0x8009_4012)
    /// `CERTSRV_E_ADMIN_DENIED_REQUEST`
    public static let adminDeniedRequest = HRESULT(rawValue: 0x8009_4014)
    /// `CERTSRV_E_UNSUPPORTED_CERT_TYPE`
    public static let unsupportedCertType = HRESULT(rawValue: 0x8009_4800)
    /// `CERTSRV_E_NO_CERT_TYPE`
    public static let noCertType = HRESULT(rawValue: 0x8009_4801)
    /// `CERTSRV_E_TEMPLATE_CONFLICT`
    public static let templateConflict = HRESULT(rawValue: 0x8009_4802)
    /// `CERTSRV_E_SUBJECT_ALT_NAME_REQUIRED`
    public static let subjectAltNameRequired = HRESULT(rawValue: 0x8009_4803)
    /// `CERTSRV_E_ARCHIVED_KEY_REQUIRED`
    public static let archivedKeyRequired = HRESULT(rawValue: 0x8009_4804)
    /// `CERTSRV_E_BAD_RENEWAL_SUBJECT`
    public static let badRenewalSubject = HRESULT(rawValue: 0x8009_4806)
    /// `CERTSRV_E_BAD_TEMPLATE_VERSION`
    public static let badTemplateVersion = HRESULT(rawValue: 0x8009_4807)
    /// `CERTSRV_E_TEMPLATE_POLICY_REQUIRED`
    public static let templatePolicyRequired = HRESULT(rawValue: 0x8009_4808)
    /// `CERTSRV_E_SIGNATURE_POLICY_REQUIRED`
    public static let signaturePolicyRequired = HRESULT(rawValue: 0x8009_4809)
    /// `CERTSRV_E_SIGNATURE_COUNT`
    public static let signatureCount = HRESULT(rawValue: 0x8009_480A)
    /// `CERTSRV_E_SIGNATURE_REJECTED`
    public static let signatureRejected = HRESULT(rawValue: 0x8009_480B)
    /// `CERTSRV_E_ISSUANCE_POLICY_REQUIRED`
    public static let issuancePolicyRequired = HRESULT(rawValue: 0x8009_480C)
    /// `CERTSRV_E_SUBJECT_UPN_REQUIRED`
    public static let subjectUPNRequired = HRESULT(rawValue: 0x8009_480D)
    /// `CERTSRV_E_SUBJECT_DIRECTORY_GUID_REQUIRED`
    public static let subjectDirectoryGUIDRequired = HRESULT(rawValue: 0x8009_480E)
    /// `CERTSRV_E_SUBJECT_DNS_REQUIRED`
    public static let subjectDNSRequired = HRESULT(rawValue: 0x8009_480F)
    /// `CERTSRV_E_ARCHIVED_KEY_UNEXPECTED`
    public static let archivedKeyUnexpected = HRESULT(rawValue: 0x8009_4810)
    /// `CERTSRV_E_KEY_LENGTH`
    public static let keyLength = HRESULT(rawValue: 0x8009_4811)
    /// `CERTSRV_E_SUBJECT_EMAIL_REQUIRED`
    public static let subjectEmailRequired = HRESULT(rawValue: 0x8009_4812)
    /// `CERTSRV_E_UNKNOWN_CERT_TYPE`
    public static let unknownCertType = HRESULT(rawValue: 0x8009_4813)
    /// `CERTSRV_E_CERT_TYPE_OVERLAP`
    public static let certTypeOverlap = HRESULT(rawValue: 0x8009_4814)
    /// `XENROLL_E_KEY_NOT_EXPORTABLE`
    public static let keyNotExportable = HRESULT(rawValue: 0x8009_5000)
    /// `XENROLL_E_CANNOT_ADD_ROOT_CERT`
    public static let cannotAddRootCert = HRESULT(rawValue: 0x8009_5001)
    /// `XENROLL_E_RESPONSE_KA_HASH_NOT_FOUND`
    public static let responseKAHashNotFound = HRESULT(rawValue: 0x8009_5002)
    /// `XENROLL_E_RESPONSE_UNEXPECTED_KA_HASH`
    public static let responseUnexpectedKAHash = HRESULT(rawValue: 0x8009_5003)
    /// `XENROLL_E_RESPONSE_KA_HASH_MISMATCH`
    public static let responseKAHashMismatch = HRESULT(rawValue: 0x8009_5004)
    /// `XENROLL_E_KEYSPEC_SMIME_MISMATCH`
    public static let keyspecSMIMEMismatch = HRESULT(rawValue: 0x8009_5005)
    /// `CERT_E_EXPIRED`
    public static let certificateExpired = HRESULT(rawValue: 0x800B_0101)
    /// `CERT_E_ISSUERCHAINING`
    public static let issuerChaining = HRESULT(rawValue: 0x800B_0107)
    /// `CERT_E_UNTRUSTEDROOT`
    public static let untrustedRoot = HRESULT(rawValue: 0x800B_0109)
    /// `CERT_E_CHAINING`
    public static let chaining = HRESULT(rawValue: 0x800B_010A)
    /// `CERT_E_WRONG_USAGE`
    public static let wrongUsage = HRESULT(rawValue: 0x800B_0110)
    /// `SCARD_E_NO_SMARTCARD`
    public static let noSmartCard = HRESULT(rawValue: 0x8010_000C)
    /// `SCARD_E_READER_UNAVAILABLE`
    public static let readerUnavailable = HRESULT(rawValue: 0x8010_0017)
    /// `SCARD_E_CARD_UNSUPPORTED`
    public static let cardUnsupported = HRESULT(rawValue: 0x8010_001C)
    /// `SCARD_E_WRITE_TOO_MANY`
    public static let writeTooMany = HRESULT(rawValue: 0x8010_0028)
    /// `SCARD_E_NO_KEY_CONTAINER`
    public static let noKeyContainer = HRESULT(rawValue: 0x8010_0030)
    /// `SCARD_W_REMOVED_CARD`
    public static let removedCard = HRESULT(rawValue: 0x8010_0069)
    /// `SCARD_W_WRONG_CHV`
    public static let wrongPIN = HRESULT(rawValue: 0x8010_006B)
    /// `SCARD_W_CHV_BLOCKED`
    public static let pinBlocked = HRESULT(rawValue: 0x8010_006C)
    /// `SCARD_W_CANCELLED_BY_USER`
    public static let cancelledByUser = HRESULT(rawValue: 0x8010_006E)
    /// `SCARD_W_CARD_NOT_AUTHENTICATED`
    public static let notAuthenticated = HRESULT(rawValue: 0x8010_006F)
    /// `SCARD_E_UNEXPECTED`
    public static let unexpectedCardError = HRESULT(rawValue: 0x8010_001F)
}
