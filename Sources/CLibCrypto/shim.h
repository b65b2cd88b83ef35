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

/* Constants that are computed in the headers. */
static inline int signet_ERR_GET_REASON(unsigned long code) { return ERR_GET_REASON(code); }
static inline int signet_ERR_GET_LIB(unsigned long code) { return ERR_GET_LIB(code); }

/* EVP_CIPHER_CTX_FLAG_WRAP_ALLOW (key wrap modes must be asked for). */
static inline void signet_EVP_CIPHER_CTX_allow_wrap(EVP_CIPHER_CTX *context) {
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
}

#endif
