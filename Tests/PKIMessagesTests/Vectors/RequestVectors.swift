/// PKCS #10 requests made once by `openssl req`; see README.md beside this file.
enum RequestVectors {
    static let all = [rsa2048, p256, ed25519, rsa1024SHA1]

    /// RSA-2048, SHA-256, subject alternative names.
    static let rsa2048 = """
        -----BEGIN CERTIFICATE REQUEST-----
        MIICujCCAaICAQAwOTELMAkGA1UEBhMCREUxEDAOBgNVBAoMB0V4YW1wbGUxGDAW
        BgNVBAMMD3JzYS5leGFtcGxlLmNvbTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCC
        AQoCggEBANm3DIkhMlV74X40juPIrwSIXhKLJw1ESUNfNkUZyaz1dNzb5mV+4WLD
        CRGbQCgkMHkkauBfdA1npUM5iKzNVCl10Iv/cQ9kfUynW000oSjtdxAW9slvYVTO
        SGWB1/pxEM1WBBPi/v+USZMVUZFPAadGtyseUdZvi6ozyAIn5Hv47hKC1c4J7oFY
        zc8V0FMSkvGcYAMY+p6++FwzgTVlxXbzGm4hkOhN8/1Qt9Pwa/hVXcSp8TgSaXRh
        8NqmE1LblZbyz8l1aDVtjtuIGoxIl2wbDhkY47G9zFymxNHgznjHaZrgI4FjOdRK
        76n4FyqiX/sPyXdKi45xf5EUTS7Dg3sCAwEAAaA8MDoGCSqGSIb3DQEJDjEtMCsw
        KQYDVR0RBCIwIIIPcnNhLmV4YW1wbGUuY29tgQ1hQGV4YW1wbGUuY29tMA0GCSqG
        SIb3DQEBCwUAA4IBAQCKzXPgzSn9ReG9ZiSe0HpXYE8toC+M9N07FzN+slADl/38
        WCEC1jHOf1zim5pS/WDHyHJQC11wy+59ZgHYja8+zZAEcsoLYPexp5abhxe5NDxO
        Ae8s3y1rHKFpk92wIc3+xkrfazj+X8YuFF5V2HzXj18eaqQYhN0E+YIHNMboDA+O
        6hiASDXaOb4nEh6AYw8hpguQ2owCOile+ereB0+OzbeFYKgYRDzJWGGfox6Qiqgh
        J3/tNKSeYC4qWqiUubKBN2SeXGd22epJxceL4TO/wWl15+MQxevJCrotrkCAjQeC
        X1UHDS5KQ3muytUQxSC1JTkA8wYb3l5tHVVwV2vM
        -----END CERTIFICATE REQUEST-----
        """

    /// P-256, SHA-256, a subject alternative name.
    static let p256 = """
        -----BEGIN CERTIFICATE REQUEST-----
        MIIBIzCBygIBADA6MQswCQYDVQQGEwJERTEQMA4GA1UECgwHRXhhbXBsZTEZMBcG
        A1UEAwwQcDI1Ni5leGFtcGxlLmNvbTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA
        BAbx7SwqEfdBCY2QJYLCRP/KayBVVtXy+arvO51mr4pA45ofyh+jtjsxbApJMKEh
        0ZFLFLmGYot/R9R/x3/SOPugLjAsBgkqhkiG9w0BCQ4xHzAdMBsGA1UdEQQUMBKC
        EHAyNTYuZXhhbXBsZS5jb20wCgYIKoZIzj0EAwIDSAAwRQIgclCi7SzUve0Pom5E
        CWAS791EulLBGIz2/1jc/rnBvmgCIQDgPlxcufkiuKna/VDssd8Z4OK5scMqlhS+
        otW4PUOMuw==
        -----END CERTIFICATE REQUEST-----
        """

    /// Ed25519, no attributes.
    static let ed25519 = """
        -----BEGIN CERTIFICATE REQUEST-----
        MIGdMFECAQAwHjEcMBoGA1UEAwwTZWQyNTUxOS5leGFtcGxlLmNvbTAqMAUGAytl
        cAMhAL181HAIFnWoaHoyv9ejjQJcRH0nktURA8ERI8l8qiUtoAAwBQYDK2VwA0EA
        bOps9dRtitAyuc3haeItRpwAQ2IuGQt8JpcIpEwPo+HSy1JK5vli/LsiauT+9hEl
        Nz9Sf4ttOIrmHTQue0qNDA==
        -----END CERTIFICATE REQUEST-----
        """

    /// RSA-1024 with SHA-1, as clients of 2003 sign, with the certificate template name extension.
    static let rsa1024SHA1 = """
        -----BEGIN CERTIFICATE REQUEST-----
        MIIBmTCCAQICAQAwGDEWMBQGA1UEAwwNTG9uZ2hvcm4gVXNlcjCBnzANBgkqhkiG
        9w0BAQEFAAOBjQAwgYkCgYEAvicDNOeO4kPjXTFsL7TXMpVzNF0YpWTW+g6Y1Hu1
        sTaRtFdCDtv5gKf6XWaE5AI3oP9iN2OhZULLPX0DgHzZ+fS0+v8i9P7mm37rxBwp
        mp1sIAkbk+Iu0RSq4S+jG7IKLiqm9qbcL4zoX/CgpCz5FiDd3jyvy3NCCaL+MEZO
        NIUCAwEAAaBBMD8GCSqGSIb3DQEJDjEyMDAwFwYJKwYBBAGCNxQCBAoeCABVAHMA
        ZQByMBUGA1UdJQQOMAwGCisGAQQBgjcKAwQwDQYJKoZIhvcNAQEFBQADgYEAVxJ1
        LSUmIB9s5UkYhgM7yxc2J16OZzCuFIhf7rByp9dzNst871bmAptnQL6DNe7SfkMK
        9K2ICMudTva/9YcMCHIHbvEzLLG/DNMTJ2aMn67/F9z3OiPAGCZsslvwEk6WZ05Y
        aZSpDShKZSTd51HGJEqqNzpJUVQJKMGeRNU3W1s=
        -----END CERTIFICATE REQUEST-----
        """
}
