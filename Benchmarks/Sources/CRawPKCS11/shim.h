// PKCS #11 as the specification names it, for the side of a benchmark that uses nothing of Signet.
#ifndef BENCHMARK_PKCS11_SHIM_H
#define BENCHMARK_PKCS11_SHIM_H

#define CRYPTOKI_COMPAT 1
#include <p11-kit-1/p11-kit/pkcs11.h>

// The hash, for a side that signs messages.
#include <openssl/sha.h>
// PKCS #12, for a side that opens files.
#include <openssl/pkcs12.h>

#endif
