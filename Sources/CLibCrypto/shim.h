/* OpenSSL 3 libcrypto as the Swift targets see it. Functions that OpenSSL declares as macros, which Swift does not
 * import, stand below as inline functions named signet_<OpenSSL name>. */
#ifndef SIGNET_CLIBCRYPTO_SHIM_H
#define SIGNET_CLIBCRYPTO_SHIM_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

/* STACK_OF(X509) */
static inline STACK_OF(X509) *signet_sk_X509_new_null(void) { return sk_X509_new_null(); }
static inline int signet_sk_X509_push(STACK_OF(X509) *stack, X509 *certificate) {
    return sk_X509_push(stack, certificate);
}
static inline int signet_sk_X509_num(const STACK_OF(X509) *stack) { return sk_X509_num(stack); }
static inline X509 *signet_sk_X509_value(const STACK_OF(X509) *stack, int index) {
    return sk_X509_value(stack, index);
}
/* Frees the stack and every certificate in it. */
static inline void signet_sk_X509_pop_free(STACK_OF(X509) *stack) { sk_X509_pop_free(stack, X509_free); }

/* STACK_OF(PKCS12_SAFEBAG), STACK_OF(PKCS7) */
static inline int signet_sk_PKCS12_SAFEBAG_num(const STACK_OF(PKCS12_SAFEBAG) *stack) {
    return sk_PKCS12_SAFEBAG_num(stack);
}
static inline PKCS12_SAFEBAG *signet_sk_PKCS12_SAFEBAG_value(const STACK_OF(PKCS12_SAFEBAG) *stack, int index) {
    return sk_PKCS12_SAFEBAG_value(stack, index);
}
/* Frees the stack and every bag in it. */
static inline void signet_sk_PKCS12_SAFEBAG_pop_free(STACK_OF(PKCS12_SAFEBAG) *stack) {
    sk_PKCS12_SAFEBAG_pop_free(stack, PKCS12_SAFEBAG_free);
}
/* Frees the stack and everything in it. */
static inline void signet_sk_PKCS7_pop_free(STACK_OF(PKCS7) *stack) { sk_PKCS7_pop_free(stack, PKCS7_free); }
static inline void signet_OPENSSL_free(void *memory) { OPENSSL_free(memory); }

/* The bags of all parts of a file, those in parts that the password encrypts included; NULL when a part does not open. */
static inline STACK_OF(PKCS12_SAFEBAG) *signet_PKCS12_bags(const PKCS12 *file, const char *password) {
    STACK_OF(PKCS7) *parts = PKCS12_unpack_authsafes(file);
    STACK_OF(PKCS12_SAFEBAG) *all = sk_PKCS12_SAFEBAG_new_null();
    int is_good = parts != NULL && all != NULL;
    for (int index = 0; is_good && index < sk_PKCS7_num(parts); index++) {
        PKCS7 *part = sk_PKCS7_value(parts, index);
        STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
        if (PKCS7_type_is_data(part)) bags = PKCS12_unpack_p7data(part);
        else if (PKCS7_type_is_encrypted(part)) bags = PKCS12_unpack_p7encdata(part, password, -1);
        else continue;
        is_good = bags != NULL;
        while (is_good && sk_PKCS12_SAFEBAG_num(bags) > 0) {
            PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_shift(bags);
            if (sk_PKCS12_SAFEBAG_push(all, bag) <= 0) {
                PKCS12_SAFEBAG_free(bag);
                is_good = 0;
            }
        }
        sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    }
    sk_PKCS7_pop_free(parts, PKCS7_free);
    if (is_good) return all;
    sk_PKCS12_SAFEBAG_pop_free(all, PKCS12_SAFEBAG_free);
    return NULL;
}

/* Constants that are computed in the headers. */
static inline int signet_ERR_GET_REASON(unsigned long code) { return ERR_GET_REASON(code); }
static inline int signet_ERR_GET_LIB(unsigned long code) { return ERR_GET_LIB(code); }
static inline int signet_EVP_PKEY_PUBLIC_KEY(void) { return EVP_PKEY_PUBLIC_KEY; }
static inline int signet_EVP_PKEY_KEYPAIR(void) { return EVP_PKEY_KEYPAIR; }

/* EVP_CIPHER_CTX_FLAG_WRAP_ALLOW (key wrap modes must be asked for). */
static inline void signet_EVP_CIPHER_CTX_allow_wrap(EVP_CIPHER_CTX *context) {
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
}

#endif
