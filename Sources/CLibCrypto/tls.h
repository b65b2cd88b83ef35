/* OpenSSL 3 libssl, for requesters who talk to an enrolment service. Macros as in shim.h. */
#ifndef SIGNET_CLIBCRYPTO_TLS_H
#define SIGNET_CLIBCRYPTO_TLS_H

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static inline int signet_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}
static inline int signet_SSL_set_tlsext_host_name(SSL *connection, const char *name) {
    return (int)SSL_set_tlsext_host_name(connection, name);
}

#endif
