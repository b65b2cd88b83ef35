/* A revocation list of N entries with libcrypto's own functions, signed with a P-256 key in software: what signet's list is
 * measured against. Prints seconds and the peak of the resident memory in KiB.
 *
 * usage: crl-libcrypto N FILE */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

#define CHECK(condition) do { if (!(condition)) { fprintf(stderr, "failed: %s\n", #condition); exit(1); } } while (0)

int main(int argc, char **argv) {
    CHECK(argc == 3);
    long count = atol(argv[1]);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    CHECK(key != NULL);
    double start = now();
    X509_CRL *crl = X509_CRL_new();
    X509_NAME *name = X509_NAME_new();
    CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"Benchmark CA", -1, -1, 0));
    CHECK(X509_CRL_set_version(crl, 1) && X509_CRL_set_issuer_name(crl, name));
    ASN1_TIME *date = ASN1_TIME_set(NULL, time(NULL));
    CHECK(X509_CRL_set1_lastUpdate(crl, date) && X509_CRL_set1_nextUpdate(crl, ASN1_TIME_set(NULL, time(NULL) + 604800)));
    for (long index = 0; index < count; index++) {
        unsigned char serial[14];
        CHECK(RAND_bytes(serial, sizeof serial));
        serial[0] = 0x61;
        BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
        ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
        X509_REVOKED *revoked = X509_REVOKED_new();
        CHECK(X509_REVOKED_set_serialNumber(revoked, integer) && X509_REVOKED_set_revocationDate(revoked, date));
        ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
        CHECK(ASN1_ENUMERATED_set(reason, 1 + index % 5));
        CHECK(X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, reason, 0, 0));
        CHECK(X509_CRL_add0_revoked(crl, revoked));
        ASN1_ENUMERATED_free(reason);
        ASN1_INTEGER_free(integer);
        BN_free(number);
    }
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    CHECK(ASN1_INTEGER_set(number, 1) && X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0));
    CHECK(X509_CRL_sort(crl) && X509_CRL_sign(crl, key, EVP_sha256()));
    FILE *file = fopen(argv[2], "wb");
    CHECK(file != NULL && i2d_X509_CRL_fp(file, crl) && fclose(file) == 0);
    double seconds = now() - start;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%.3f %ld\n", seconds, usage.ru_maxrss);
    return 0;
}
