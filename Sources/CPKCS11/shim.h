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

#endif
