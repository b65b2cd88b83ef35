/* Generates P-256 key pairs until the card is full, then makes good what the failure left behind.
 *
 *   cc -o card_full card_full.c -ldl
 *   SIGNET_SIMULATOR=simulator.yaml ./card_full libsignet-token-simulator.so PIN
 *
 * Exit status 0: the card got full, the program was told so, and no key is left that has only one half.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#define CRYPTOKI_COMPAT 1
#include <p11-kit-1/p11-kit/pkcs11.h>

static CK_FUNCTION_LIST *p11;
static CK_BBOOL yes = CK_TRUE;
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

/* The first slot with a token, and a session in which the user is logged in. */
static CK_RV login(const char *pin, CK_SESSION_HANDLE *session)
{
    CK_SLOT_ID slots[16];
    CK_ULONG count = 16;
    CK_RV rv = p11->C_GetSlotList(CK_TRUE, slots, &count);
    if (rv == CKR_OK)
        rv = count ? p11->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, session)
                   : CKR_TOKEN_NOT_PRESENT;
    return rv == CKR_OK ? p11->C_Login(*session, CKU_USER, (CK_BYTE *)pin, strlen(pin)) : rv;
}

static CK_RV generate(CK_SESSION_HANDLE session, CK_BYTE id)
{
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_ATTRIBUTE public_half[] = {
        {CKA_TOKEN, &yes, 1}, {CKA_ID, &id, 1}, {CKA_EC_PARAMS, p256, sizeof p256}, {CKA_VERIFY, &yes, 1}};
    CK_ATTRIBUTE private_half[] = {
        {CKA_TOKEN, &yes, 1}, {CKA_ID, &id, 1}, {CKA_PRIVATE, &yes, 1}, {CKA_SIGN, &yes, 1}};
    CK_OBJECT_HANDLE public_key, private_key;
    return p11->C_GenerateKeyPair(session, &mechanism, public_half, 4, private_half, 4, &public_key, &private_key);
}

/* Objects of a class with an id. */
static CK_ULONG find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS type, CK_BYTE id, CK_OBJECT_HANDLE *object)
{
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &type, sizeof type}, {CKA_ID, &id, 1}};
    CK_ULONG count = 0;
    if (p11->C_FindObjectsInit(session, wanted, 2) != CKR_OK)
        return 0;
    p11->C_FindObjects(session, object, 1, &count);
    p11->C_FindObjectsFinal(session);
    return count;
}

int main(int argc, char **argv)
{
    CK_RV (*get_list)(CK_FUNCTION_LIST **);
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE object;
    CK_RV rv;
    CK_BYTE id;

    void *module = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (!module || !(*(void **)&get_list = dlsym(module, "C_GetFunctionList")) || get_list(&p11) != CKR_OK) {
        fprintf(stderr, "usage: card_full MODULE PIN\n");
        return 2;
    }
    if ((rv = p11->C_Initialize(NULL)) != CKR_OK || (rv = login(argv[2], &session)) != CKR_OK) {
        fprintf(stderr, "no session: 0x%lx\n", rv);
        return 2;
    }
    for (id = 1; id < 100; id++)
        if ((rv = generate(session, id)) != CKR_OK)
            break;
    printf("%d key pairs, then 0x%lx\n", id - 1, rv);

    /* A full card may keep the private key of the pair that it refused. */
    if (find(session, CKO_PRIVATE_KEY, id, &object)) {
        printf("removing a private key without its public key\n");
        p11->C_DestroyObject(session, object);
    }
    int is_clean = !find(session, CKO_PRIVATE_KEY, id, &object) && !find(session, CKO_PUBLIC_KEY, id, &object);
    p11->C_Finalize(NULL);
    return rv == CKR_OK || !is_clean;
}
