extension HRESULT {
    /// The names and texts of the codes that have names; each code stands here once.
    static let table: [UInt32: (name: String, text: String)] = [
        0x0000_0000: ("S_OK", "The operation completed successfully."),
        0x8000_FFFF: ("E_UNEXPECTED", "Catastrophic failure."),
        0x8000_4005: ("E_FAIL", "Unspecified error."),
        0x8000_4001: ("E_NOTIMPL", "Not implemented."),
        0x8002_802C: ("TYPE_E_AMBIGUOUSNAME", "Ambiguous name."),
        0x8007_0002: ("ERROR_FILE_NOT_FOUND", "The system cannot find the file specified."),
        0x8007_0005: ("E_ACCESSDENIED", "Access is denied."),
        0x8007_000D: ("ERROR_INVALID_DATA", "The data is invalid."),
        0x8007_001D: ("ERROR_WRITE_FAULT", "The system cannot write to the specified device."),
        0x8007_001F: ("ERROR_GEN_FAILURE", "A device attached to the system is not functioning."),
        0x8007_0032: ("ERROR_NOT_SUPPORTED", "The request is not supported."),
        0x8007_0050: ("ERROR_FILE_EXISTS", "The file exists."),
        0x8007_0056: ("ERROR_INVALID_PASSWORD", "The specified network password is not correct."),
        0x8007_0057: ("E_INVALIDARG", "The parameter is incorrect."),
        0x8007_007E: ("ERROR_MOD_NOT_FOUND", "The specified module could not be found."),
        0x8007_007A: ("ERROR_INSUFFICIENT_BUFFER", "The data area passed to a system call is too small."),
        0x8007_00B7: ("ERROR_ALREADY_EXISTS", "Cannot create a file when that file already exists."),
        0x8007_010B: ("ERROR_DIRECTORY", "The directory name is invalid."),
        0x8007_03E3: (
            "ERROR_OPERATION_ABORTED",
            "The I/O operation has been aborted because of either a thread exit or an application "
                + "request."
        ),
        0x8007_052E: ("ERROR_LOGON_FAILURE", "The user name or password is incorrect."),
        0x8007_05B4: ("ERROR_TIMEOUT", "This operation returned because the timeout period expired."),
        0x8007_1392: ("ERROR_OBJECT_ALREADY_EXISTS", "The object already exists."),
        0x8009_0001: ("NTE_BAD_UID", "Bad UID."),
        0x8009_0003: ("NTE_BAD_KEY", "Bad Key."),
        0x8009_0005: ("NTE_BAD_DATA", "Bad Data."),
        0x8009_0006: ("NTE_BAD_SIGNATURE", "Invalid Signature."),
        0x8009_0008: ("NTE_BAD_ALGID", "Invalid algorithm specified."),
        0x8009_0009: ("NTE_BAD_FLAGS", "Invalid flags specified."),
        0x8009_000B: ("NTE_BAD_KEY_STATE", "Key not valid for use in specified state."),
        0x8009_000D: ("NTE_NO_KEY", "Key does not exist."),
        0x8009_000F: ("NTE_EXISTS", "Object already exists."),
        0x8009_0011: ("NTE_NOT_FOUND", "Object was not found."),
        0x8009_0016: ("NTE_BAD_KEYSET", "Keyset does not exist."),
        0x8009_0019: ("NTE_KEYSET_NOT_DEF", "The keyset is not defined."),
        0x8009_0020: ("NTE_FAIL", "An internal error occurred."),
        0x8009_1004: ("CRYPT_E_INVALID_MSG_TYPE", "Invalid cryptographic message type."),
        0x8009_1002: ("CRYPT_E_UNKNOWN_ALGO", "Unknown cryptographic algorithm."),
        0x8009_1007: ("CRYPT_E_HASH_VALUE", "The hash value is not correct."),
        0x8009_100B: ("CRYPT_E_RECIPIENT_NOT_FOUND", "Cannot find the original signer or recipient."),
        0x8009_2002: ("CRYPT_E_BAD_ENCODE", "An error occurred during encode or decode operation."),
        0x8009_2004: ("CRYPT_E_NOT_FOUND", "Cannot find object or property."),
        0x8009_2009: ("CRYPT_E_NO_MATCH", "Cannot find the requested object."),
        0x8009_200E: (
            "CRYPT_E_NO_SIGNER",
            "The signed cryptographic message does not have a signer for the specified signer index."
        ),
        0x8009_2010: ("CRYPT_E_REVOKED", "The certificate is revoked."),
        0x8009_2013: (
            "CRYPT_E_REVOCATION_OFFLINE",
            "The revocation function was unable to check revocation because the revocation server "
                + "was offline."
        ),
        0x8009_3103: ("CRYPT_E_ASN1_CORRUPT", "ASN1 corrupted data."),
        0x8009_3104: ("CRYPT_E_ASN1_LARGE", "ASN1 value too large."),
        0x8009_3109: ("CRYPT_E_ASN1_NOEOD", "ASN1 expected end of data."),
        0x8009_4001: ("CERTSRV_E_BAD_REQUESTSUBJECT", "The request subject name is invalid or too long."),
        0x8009_4002: ("CERTSRV_E_NO_REQUEST", "The request does not exist."),
        0x8009_4003: ("CERTSRV_E_BAD_REQUESTSTATUS", "The request's current status does not allow this operation."),
        0x8009_4004: ("CERTSRV_E_PROPERTY_EMPTY", "The requested property value is empty."),
        0x8009_4005: (
            "CERTSRV_E_INVALID_CA_CERTIFICATE",
            "The certification authority's certificate contains invalid data."
        ),
        0x8009_4006: (
            "CERTSRV_E_SERVER_SUSPENDED",
            "Certificate service has been suspended for a database restore operation."
        ),
        0x8009_4007: (
            "CERTSRV_E_ENCODING_LENGTH",
            "The certificate contains an encoded length that is potentially incompatible with older "
                + "enrollment software."
        ),
        0x8009_4008: (
            "CERTSRV_E_ROLECONFLICT",
            "The operation is denied. The user has multiple roles assigned and the certification "
                + "authority is configured to enforce role separation."
        ),
        0x8009_4009: (
            "CERTSRV_E_RESTRICTEDOFFICER",
            "The operation is denied. It can only be performed by a certificate manager that is "
                + "allowed to manage certificates for the current requester."
        ),
        0x8009_400A: (
            "CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED",
            "Cannot archive private key. The certification authority is not configured for key "
                + "archival."
        ),
        0x8009_400B: (
            "CERTSRV_E_NO_VALID_KRA",
            "Cannot archive private key. No valid key recovery agent is defined for this "
                + "certification authority."
        ),
        0x8009_400C: (
            "CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL",
            "The request is incorrectly formatted. The encrypted private key must be in an "
                + "unauthenticated attribute in an outermost signature."
        ),
        0x8009_400E: (
            "CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE",
            "The request contains an invalid renewal certificate attribute."
        ),
        0x8009_4011: (
            "CERTSRV_E_ENROLL_DENIED",
            "The permissions on this certification authority do not allow the current user to enroll "
                + "for certificates."
        ),
        0x8009_4012: (
            "CERTSRV_E_TEMPLATE_DENIED",
            "The permissions on the certificate template do not allow the current user to enroll for "
                + "this type of certificate."
        ),
        0x8009_4014: (
            "CERTSRV_E_ADMIN_DENIED_REQUEST",
            "The request was denied by a certificate manager or CA administrator."
        ),
        0x8009_4800: (
            "CERTSRV_E_UNSUPPORTED_CERT_TYPE",
            "The requested certificate template is not supported by this CA."
        ),
        0x8009_4801: ("CERTSRV_E_NO_CERT_TYPE", "The request contains no certificate template information."),
        0x8009_4802: ("CERTSRV_E_TEMPLATE_CONFLICT", "The request contains conflicting template information."),
        0x8009_4803: (
            "CERTSRV_E_SUBJECT_ALT_NAME_REQUIRED",
            "The request is missing a required Subject Alternate name extension."
        ),
        0x8009_4804: (
            "CERTSRV_E_ARCHIVED_KEY_REQUIRED",
            "The request is missing a required private key for archival by the server."
        ),
        0x8009_4806: (
            "CERTSRV_E_BAD_RENEWAL_SUBJECT",
            "The request was made on behalf of a subject other than the caller. The certificate template must be "
                + "configured to require at least one signature to authorize the request."
        ),
        0x8009_4807: (
            "CERTSRV_E_BAD_TEMPLATE_VERSION",
            "The request template version is newer than the supported template version."
        ),
        0x8009_4808: (
            "CERTSRV_E_TEMPLATE_POLICY_REQUIRED",
            "The template is missing a required signature policy attribute."
        ),
        0x8009_4809: (
            "CERTSRV_E_SIGNATURE_POLICY_REQUIRED",
            "The request is missing required signature policy information."
        ),
        0x8009_480A: ("CERTSRV_E_SIGNATURE_COUNT", "The request is missing one or more required signatures."),
        0x8009_480B: (
            "CERTSRV_E_SIGNATURE_REJECTED",
            "One or more signatures did not include the required application or issuance policies."
        ),
        0x8009_480C: (
            "CERTSRV_E_ISSUANCE_POLICY_REQUIRED",
            "The request is missing one or more required signature issuance policies."
        ),
        0x8009_480D: (
            "CERTSRV_E_SUBJECT_UPN_REQUIRED",
            "The UPN is unavailable and cannot be added to the Subject Alternate name."
        ),
        0x8009_480E: (
            "CERTSRV_E_SUBJECT_DIRECTORY_GUID_REQUIRED",
            "The Active Directory GUID is unavailable and cannot be added to the Subject Alternate name."
        ),
        0x8009_480F: (
            "CERTSRV_E_SUBJECT_DNS_REQUIRED",
            "The DNS name is unavailable and cannot be added to the Subject Alternate name."
        ),
        0x8009_4810: (
            "CERTSRV_E_ARCHIVED_KEY_UNEXPECTED",
            "The request includes a private key for archival by the server, but key archival is not "
                + "enabled for the specified certificate template."
        ),
        0x8009_4811: (
            "CERTSRV_E_KEY_LENGTH",
            "The public key does not meet the minimum size required by the specified certificate "
                + "template."
        ),
        0x8009_4812: (
            "CERTSRV_E_SUBJECT_EMAIL_REQUIRED",
            "The E-Mail name is unavailable and cannot be added to the Subject or Subject Alternate "
                + "name."
        ),
        0x8009_4813: (
            "CERTSRV_E_UNKNOWN_CERT_TYPE",
            "One or more certificate templates to be enabled on this certification authority could "
                + "not be found."
        ),
        0x8009_4814: (
            "CERTSRV_E_CERT_TYPE_OVERLAP",
            "The certificate template renewal period is longer than the certificate validity period. "
                + "The template should be reconfigured or the CA certificate renewed."
        ),
        0x8009_5000: ("XENROLL_E_KEY_NOT_EXPORTABLE", "The key is not exportable."),
        0x8009_5001: (
            "XENROLL_E_CANNOT_ADD_ROOT_CERT", "You cannot add the root CA certificate into your local store."
        ),
        0x8009_5002: (
            "XENROLL_E_RESPONSE_KA_HASH_NOT_FOUND",
            "The key archival hash attribute was not found in the response."
        ),
        0x8009_5003: (
            "XENROLL_E_RESPONSE_UNEXPECTED_KA_HASH",
            "An unexpected key archival hash attribute was found in the response."
        ),
        0x8009_5004: (
            "XENROLL_E_RESPONSE_KA_HASH_MISMATCH",
            "There is a key archival hash mismatch between the request and the response."
        ),
        0x8009_5005: ("XENROLL_E_KEYSPEC_SMIME_MISMATCH", "Signing certificate cannot include SMIME extension."),
        0x800B_0101: (
            "CERT_E_EXPIRED",
            "A required certificate is not within its validity period when verifying against the "
                + "current system clock or the timestamp in the signed file."
        ),
        0x800B_0107: (
            "CERT_E_ISSUERCHAINING",
            "A parent of a given certificate in fact did not issue that child certificate."
        ),
        0x800B_0109: (
            "CERT_E_UNTRUSTEDROOT",
            "A certificate chain processed, but terminated in a root certificate which is not "
                + "trusted by the trust provider."
        ),
        0x800B_010A: ("CERT_E_CHAINING", "A certificate chain could not be built to a trusted root authority."),
        0x800B_0110: ("CERT_E_WRONG_USAGE", "The certificate is not valid for the requested usage."),
        0x8010_000C: (
            "SCARD_E_NO_SMARTCARD",
            "The operation requires a smart card, but no smart card is currently in the device."
        ),
        0x8010_0017: ("SCARD_E_READER_UNAVAILABLE", "The specified reader is not currently available for use."),
        0x8010_001C: ("SCARD_E_CARD_UNSUPPORTED", "The smart card does not meet minimal requirements for support."),
        0x8010_0028: (
            "SCARD_E_WRITE_TOO_MANY",
            "An attempt was made to write more data than would fit in the target object."
        ),
        0x8010_0030: ("SCARD_E_NO_KEY_CONTAINER", "The requested key container does not exist on the smart card."),
        0x8010_0069: (
            "SCARD_W_REMOVED_CARD",
            "The smart card has been removed, so that further communication is not possible."
        ),
        0x8010_006B: ("SCARD_W_WRONG_CHV", "The card cannot be accessed because the wrong PIN was presented."),
        0x8010_006C: (
            "SCARD_W_CHV_BLOCKED",
            "The card cannot be accessed because the maximum number of PIN entry attempts has been "
                + "reached."
        ),
        0x8010_006E: ("SCARD_W_CANCELLED_BY_USER", "The action was cancelled by the user."),
        0x8010_006F: ("SCARD_W_CARD_NOT_AUTHENTICATED", "No PIN was presented to the smart card."),
        0x8010_001F: ("SCARD_E_UNEXPECTED", "An unexpected card error has occurred."),
    ]
}
