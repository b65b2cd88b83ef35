/* A module of v3.0 that signs messages: SoftHSM, which has v2.40, with C_SignMessage made of C_SignInit and C_Sign, and
   C_LoginUser for one name. No module without hardware has these functions. */
#define CRYPTOKI_COMPAT 1
#include <dlfcn.h>
#include <string.h>
#include <p11-kit-1/p11-kit/pkcs11.h>

struct interface { const char *name; void *functions; CK_FLAGS flags; };
static struct { CK_FUNCTION_LIST v2; void *added[24]; } table;
static CK_FUNCTION_LIST *inner;
static struct { CK_MECHANISM mechanism; CK_OBJECT_HANDLE key; } signing, verifying;

static CK_RV login_user(CK_SESSION_HANDLE session, CK_USER_TYPE type, CK_BYTE *pin, CK_ULONG pin_length, CK_BYTE *name,
                        CK_ULONG name_length) {
    if (name_length != 5 || memcmp(name, "alice", 5)) return CKR_USER_TYPE_INVALID;
    return inner->C_Login(session, type, pin, pin_length);
}
static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
    signing.mechanism = *mechanism;
    signing.key = key;
    return CKR_OK;
}
static CK_RV sign(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_length, CK_BYTE *data, CK_ULONG length,
                  CK_BYTE *signature, CK_ULONG *signature_length) {
    if (!signature_length) return CKR_OK; /* a part that is not the last one */
    if (!signature) return *signature_length = 64, CKR_OK;
    CK_RV rv = inner->C_SignInit(session, &signing.mechanism, signing.key);
    return rv ? rv : inner->C_Sign(session, data, length, signature, signature_length);
}
static CK_RV verify_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
    verifying.mechanism = *mechanism;
    verifying.key = key;
    return CKR_OK;
}
static CK_RV verify(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_length, CK_BYTE *data, CK_ULONG length,
                    CK_BYTE *signature, CK_ULONG signature_length) {
    CK_RV rv = inner->C_VerifyInit(session, &verifying.mechanism, verifying.key);
    return rv ? rv : inner->C_Verify(session, data, length, signature, signature_length);
}
static CK_RV begin(CK_SESSION_HANDLE session, void *parameter, CK_ULONG length) { return CKR_OK; }
static CK_RV final(CK_SESSION_HANDLE session) { return CKR_OK; }

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
    CK_RV (*get)(CK_FUNCTION_LIST **) = dlsym(dlopen(SOFTHSM, RTLD_NOW), "C_GetFunctionList");
    CK_RV rv = get(&inner);
    *list = inner;
    return rv;
}
CK_RV C_GetInterfaceList(struct interface *list, CK_ULONG *count) {
    CK_FUNCTION_LIST *unused;
    if (list) {
        C_GetFunctionList(&unused);
        table.v2 = *inner;
        table.v2.version.major = 3;
        table.v2.version.minor = 0;
        table.added[2] = login_user;
        table.added[14] = sign_init;
        table.added[15] = table.added[17] = sign;
        table.added[16] = table.added[21] = begin;
        table.added[18] = table.added[23] = final;
        table.added[19] = verify_init;
        table.added[20] = table.added[22] = verify;
        *list = (struct interface){"PKCS 11", &table, 0};
    }
    *count = 1;
    return CKR_OK;
}
