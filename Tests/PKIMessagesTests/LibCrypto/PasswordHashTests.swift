import TestSupport
import Testing

@testable import PKIMessages

@Suite struct PasswordHashTests {
    @Test(
        "The PBKDF2 vectors of RFC 7914, section 11",
        arguments: [
            (
                "passwd", "salt", 1,
                "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
                    + "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
            ),
            (
                "Password", "NaCl", 80000,
                "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
                    + "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"
            ),
        ])
    func vectors(_ password: String, _ salt: String, _ rounds: Int, _ expected: String) throws {
        let derived = try PasswordHash.derive(secret(password), salt: Array(salt.utf8), rounds: rounds, count: 64)
        #expect(derived.exposed.hex == expected)
    }

    @Test("A stored password verifies with the password and with no other")
    func verification() throws {
        let stored = try PasswordHash.make(
            password: secret("s3cret"), salt: Array(repeating: 7, count: 16), rounds: 1000)
        #expect(stored.hasPrefix("$pbkdf2-sha256$1000$BwcHBwcHBwcHBwcHBwcHBw==$"))
        #expect(try PasswordHash.verify(secret("s3cret"), against: stored))
        #expect(try !PasswordHash.verify(secret("s3cres"), against: stored))
        #expect(try !PasswordHash.verify(secret(""), against: stored))
        let again = try PasswordHash.make(password: secret("s3cret"), rounds: 1000)
        #expect(again != stored)
        #expect(try PasswordHash.verify(secret("s3cret"), against: again))
    }

    @Test(
        "A stored text of another form is malformed",
        arguments: [
            "", "x", "$pbkdf2-sha256$1000$AAAA", "$pbkdf2-sha1$1000$AAAA$AAAA", "$pbkdf2-sha256$0$AAAA$AAAA",
            "$pbkdf2-sha256$99999999999$AAAA$AAAA", "$pbkdf2-sha256$1000$AAAA$AAAA", "$pbkdf2-sha256$1000$!$AAAA",
        ])
    func malformed(_ stored: String) {
        #expect(throws: PKIMessageError.malformed("", "")) {
            try PasswordHash.verify(secret("x"), against: stored)
        }
    }

    @Test("A short salt and too few rounds are refused")
    func weakParameters() {
        #expect(throws: PKIMessageError.invalidValue("", "")) {
            try PasswordHash.make(password: secret("x"), salt: [1, 2, 3], rounds: 1000)
        }
        #expect(throws: PKIMessageError.invalidValue("", "")) {
            try PasswordHash.make(password: secret("x"), rounds: 999)
        }
    }
}
