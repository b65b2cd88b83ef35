// PKCS #11 types and constants: p11-kit's header, at the level of v2.40, under the names of the specification.
#ifndef SIGNET_CPKCS11_SHIM_H
#define SIGNET_CPKCS11_SHIM_H

#include <stddef.h>
#define CRYPTOKI_COMPAT 1
#include <p11-kit-1/p11-kit/pkcs11.h>

// Swift does not import constants that are made by a cast.

// PKCS #11 v2.40, section 3.3: a size that the token does not tell.
static const CK_ULONG SIGNET_CK_UNAVAILABLE_INFORMATION = (CK_ULONG)-1;

// PKCS #11 v2.40 errata 01, section 2.14: AES key wrap with padding, RFC 5649. SoftHSM 2.6.1 gives this
// mechanism the number 0x210A; the device profile tells which one a device has.
static const CK_ULONG SIGNET_CKM_AES_KEY_WRAP_KWP = 0x210BUL;

// PKCS #11 v3.0, sections 3.6 and 5.4, which p11-kit 0.24 does not have: interfaces, and the functions that v3.0 adds
// to those of v2.40, whose table its own begins with. The version is the member of that name.

typedef struct {
    unsigned char *pInterfaceName;
    void *pFunctionList;
    CK_FLAGS flags;
} SIGNET_CK_INTERFACE;

#define SIGNET_FUNCTION(name, ...) CK_RV (*name)(__VA_ARGS__)
#define SIGNET_BEGIN CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key
#define SIGNET_MESSAGE CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameterLen
#define SIGNET_DATA unsigned char *data, CK_ULONG dataLen

typedef struct {
    CK_FUNCTION_LIST v2_40;
    SIGNET_FUNCTION(C_GetInterfaceList, SIGNET_CK_INTERFACE *list, CK_ULONG *count);
    SIGNET_FUNCTION(C_GetInterface, unsigned char *name, CK_VERSION *version, SIGNET_CK_INTERFACE **found, CK_FLAGS flags);
    SIGNET_FUNCTION(C_LoginUser, CK_SESSION_HANDLE session, CK_USER_TYPE userType, unsigned char *pin, CK_ULONG pinLen,
                    unsigned char *userName, CK_ULONG userNameLen);
    SIGNET_FUNCTION(C_SessionCancel, CK_SESSION_HANDLE session, CK_FLAGS flags);
    SIGNET_FUNCTION(C_MessageEncryptInit, SIGNET_BEGIN);
    SIGNET_FUNCTION(C_EncryptMessage, SIGNET_MESSAGE, unsigned char *associated, CK_ULONG associatedLen, SIGNET_DATA,
                    unsigned char *output, CK_ULONG *outputLen);
    SIGNET_FUNCTION(C_EncryptMessageBegin, SIGNET_MESSAGE, unsigned char *associated, CK_ULONG associatedLen);
    SIGNET_FUNCTION(C_EncryptMessageNext, SIGNET_MESSAGE, SIGNET_DATA, unsigned char *output, CK_ULONG *outputLen,
                    CK_FLAGS flags);
    SIGNET_FUNCTION(C_MessageEncryptFinal, CK_SESSION_HANDLE session);
    SIGNET_FUNCTION(C_MessageDecryptInit, SIGNET_BEGIN);
    SIGNET_FUNCTION(C_DecryptMessage, SIGNET_MESSAGE, unsigned char *associated, CK_ULONG associatedLen, SIGNET_DATA,
                    unsigned char *output, CK_ULONG *outputLen);
    SIGNET_FUNCTION(C_DecryptMessageBegin, SIGNET_MESSAGE, unsigned char *associated, CK_ULONG associatedLen);
    SIGNET_FUNCTION(C_DecryptMessageNext, SIGNET_MESSAGE, SIGNET_DATA, unsigned char *output, CK_ULONG *outputLen,
                    CK_FLAGS flags);
    SIGNET_FUNCTION(C_MessageDecryptFinal, CK_SESSION_HANDLE session);
    SIGNET_FUNCTION(C_MessageSignInit, SIGNET_BEGIN);
    SIGNET_FUNCTION(C_SignMessage, SIGNET_MESSAGE, SIGNET_DATA, unsigned char *signature, CK_ULONG *signatureLen);
    SIGNET_FUNCTION(C_SignMessageBegin, SIGNET_MESSAGE);
    SIGNET_FUNCTION(C_SignMessageNext, SIGNET_MESSAGE, SIGNET_DATA, unsigned char *signature, CK_ULONG *signatureLen);
    SIGNET_FUNCTION(C_MessageSignFinal, CK_SESSION_HANDLE session);
    SIGNET_FUNCTION(C_MessageVerifyInit, SIGNET_BEGIN);
    SIGNET_FUNCTION(C_VerifyMessage, SIGNET_MESSAGE, SIGNET_DATA, unsigned char *signature, CK_ULONG signatureLen);
    SIGNET_FUNCTION(C_VerifyMessageBegin, SIGNET_MESSAGE);
    SIGNET_FUNCTION(C_VerifyMessageNext, SIGNET_MESSAGE, SIGNET_DATA, unsigned char *signature, CK_ULONG signatureLen);
    SIGNET_FUNCTION(C_MessageVerifyFinal, CK_SESSION_HANDLE session);
} SIGNET_CK_FUNCTION_LIST_3_0;

#undef SIGNET_FUNCTION
#undef SIGNET_BEGIN
#undef SIGNET_MESSAGE
#undef SIGNET_DATA

#endif
