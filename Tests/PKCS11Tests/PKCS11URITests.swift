import Diagnostics
import PKCS11
import TestSupport
import Testing

@Suite struct PKCS11URITests {
    @Test(
        "A URI prints in canonical form, and the canonical form reads back equal",
        arguments: [
            ("pkcs11:", "pkcs11:"),
            ("pkcs11:token=CA%20Root", "pkcs11:token=CA%20Root"),
            ("pkcs11:id=%01%ab;token=a", "pkcs11:token=a;id=%01%AB"),
            ("pkcs11:id=%69%95A~;object=k;type=private", "pkcs11:object=k;type=private;id=%69%95%41%7E"),
            ("pkcs11:serial=1;token=t&u;slot-id=7", "pkcs11:token=t&u;serial=1;slot-id=7"),
            (
                "pkcs11:token=t?pin-source=file:/etc/pin&module-path=/usr/lib/m.so",
                "pkcs11:token=t?pin-source=file:/etc/pin&module-path=/usr/lib/m.so"
            ),
            ("pkcs11:library-version=3;library-manufacturer=M", "pkcs11:library-manufacturer=M;library-version=3.0"),
            ("pkcs11:token=%C3%84?x-vendor=1", "pkcs11:token=%C3%84?x-vendor=1"),
            (
                "pkcs11:x_v=%00;type=cert;manufacturer=M%3bN;model=m",
                "pkcs11:manufacturer=M%3BN;model=m;type=cert;x_v=%00"
            ),
            ("pkcs11:token=%41", "pkcs11:token=A"),
            ("pkcs11:token=?", "pkcs11:token="),
        ])
    func canonicalForm(text: String, canonical: String) throws {
        let uri = try PKCS11URI(text)
        #expect(uri.description == canonical)
        #expect(try PKCS11URI(canonical) == uri)
    }

    @Test(
        "A text outside the grammar is refused with its code and its position",
        arguments: [
            ("file:/key.pem", .wrongScheme, 0), ("PKCS11:token=a", .wrongScheme, 0),
            ("pkcs11:token", .malformedAttribute, 7), ("pkcs11:=a", .malformedAttribute, 7),
            ("pkcs11:token=a;", .malformedAttribute, 15), ("pkcs11:;token=a", .malformedAttribute, 7),
            ("pkcs11:to.ken=a", .malformedAttribute, 7), ("pkcs11:token=a b", .forbiddenCharacter, 14),
            ("pkcs11:token=a/b", .forbiddenCharacter, 14), ("pkcs11:token=ä", .forbiddenCharacter, 13),
            ("pkcs11:token=%4", .badPercentEncoding, 13), ("pkcs11:token=%4g", .badPercentEncoding, 13),
            ("pkcs11:token=%", .badPercentEncoding, 13), ("pkcs11:token=a;token=b", .duplicateAttribute, 15),
            ("pkcs11:?pin-source=a&pin-source=b", .duplicateAttribute, 21), ("pkcs11:token=%FF", .invalidValue, 7),
            ("pkcs11:type=key", .invalidValue, 7), ("pkcs11:slot-id=-1", .invalidValue, 7),
            ("pkcs11:slot-id=", .invalidValue, 7), ("pkcs11:library-version=1.2.3", .invalidValue, 7),
            ("pkcs11:library-version=1.", .invalidValue, 7),
            ("pkcs11:token=a?pin-source=b?&x", .malformedAttribute, 29),
        ] as [(String, PKCS11URIError.Code, Int)])
    func refusal(text: String, code: PKCS11URIError.Code, position: Int) throws {
        let error = try #require(throws: PKCS11URIError.self) { try PKCS11URI(text) }
        #expect(error.code == code)
        #expect(error.position == position)
        #expect(!error.advice.isEmpty)
    }

    @Test(
        "A PIN in a URI is refused by its own code, and stands nowhere in the error",
        arguments: ["pkcs11:token=a?pin-value=314159", "pkcs11:pin-value=314159"])
    func pinValue(text: String) throws {
        let error = try #require(throws: PKCS11URIError.self) { try PKCS11URI(text) }
        #expect(error.code == .pinValueRefused)
        #expect(!ErrorReport(error).lines.joined().contains("314159"))
        #expect(!"\(error)".contains("314159"))
    }

    @Test("A text longer than the limit is refused unread")
    func tooLong() {
        #expect(throws: PKCS11URIError.self) { try PKCS11URI("pkcs11:token=" + String(repeating: "a", count: 4096)) }
    }

    @Test("A URI matches the token whose every named property is equal, and no other")
    func matching() throws {
        let token = TokenIdentification(
            label: "Root", manufacturer: "M", model: "X", serialNumber: "01", firmware: "1.0", slotID: 5)
        let fitting = ["pkcs11:", "pkcs11:token=Root", "pkcs11:serial=01;model=X;manufacturer=M;slot-id=5;id=%01"]
        let others = [
            "pkcs11:token=root", "pkcs11:token=", "pkcs11:token=Root;serial=1", "pkcs11:slot-id=4", "pkcs11:model=Y",
            "pkcs11:manufacturer=", "pkcs11:token=Root;x-vendor=1",
        ]
        for text in fitting { #expect(try PKCS11URI(text).matches(token), "\(text)") }
        for text in others { #expect(try !PKCS11URI(text).matches(token), "\(text)") }
    }

    @Test("Truncated and flipped URIs are read or refused, and what is read prints and reads back equal")
    func damaged() throws {
        let text = "pkcs11:token=CA%20Root;serial=0a;id=%01%02;type=private?pin-source=file:/p&module-path=/m.so"
        for bytes in Array(text.utf8).damaged {
            guard let damaged = String(validating: bytes, as: UTF8.self) else { continue }
            do throws(PKCS11URIError) {
                let uri = try PKCS11URI(damaged)
                #expect(try PKCS11URI(uri.description) == uri)
            } catch {
                #expect(error.position <= bytes.count)
            }
        }
    }
}
