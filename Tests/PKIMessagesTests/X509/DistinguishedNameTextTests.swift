import SwiftASN1
import TestSupport
import Testing
import X509

@testable import PKIMessages

@Suite struct DistinguishedNameTextTests {
    @Test(
        "Names of RFC 4514 read and print back the same",
        arguments: [
            "CN=Steve Kille,O=Isode Limited,C=GB",
            "OU=Sales+CN=J.  Smith,DC=example,DC=net",
            #"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#,
            "CN=Lu\u{10D}i\u{107}",
            #"CN=\ leading and trailing\ "#,
            #"CN=a\+b\;c\<d\>e\\f"#,
            "",
        ])
    func roundTrip(_ text: String) throws {
        let name = try DistinguishedNameText.parse(text)
        #expect(
            DistinguishedNameText.text(of: name).split(separator: ",").map { Set($0.split(separator: "+")) }
                == text.split(separator: ",").map { Set($0.split(separator: "+")) })
        let der = try StrictDER.serialize(name)
        #expect(try StrictDER.parse(NameWithBytes.self, der, what: "name").name == name)
    }

    @Test("The order in the encoding is the reverse of that in the text, and C is a PrintableString")
    func encoding() throws {
        let der = try StrictDER.serialize(DistinguishedNameText.parse("CN=x, C=DE"))
        #expect(der.hex == "3019" + "310b3009060355040613024445" + "310a300806035504030c0178")
    }

    @Test("Escapes of single octets make UTF-8, and # gives the value's DER")
    func escapes() throws {
        #expect(try DistinguishedNameText.commonName(of: .init("Lu\\C4\\8Di\\C4\\87")) == "Lu\u{10D}i\u{107}")
        let raw = try DistinguishedNameText.parse("1.3.6.1.4.1.1466.0=#04024869")
        #expect(try StrictDER.serialize(raw).hex == "30123110300e" + "06082b060104018b3a00" + "04024869")
    }

    @Test(
        "What RFC 4514 does not allow is refused",
        arguments: [
            "CN", "CN=", "=x", "XX=y", "CN=a,", "CN=a,,O=b", "CN=a;O=b", "CN=\"a\"", #"CN=a\"#, #"CN=a\zz"#, "CN=a ",
            "CN= a", "C=DEU", "C=D_", "DC=\u{E4}", "CN=#0402", "CN=#zz", "1=x", "9.1=x", "1.99=x", #"CN=\C4"#,
            "CN=" + String(repeating: "x", count: 65), "1.99999999999999999999=x",
        ])
    func refusals(_ text: String) {
        #expect(throws: PKIMessageError.self) { try DistinguishedNameText.parse(text) }
    }

    @Test("The common name is the most specific one, in any string type")
    func commonName() throws {
        #expect(try DistinguishedNameText.commonName(of: .init("CN=inner,CN=outer")) == "inner")
        #expect(try DistinguishedNameText.commonName(of: .init("CN=#1e0400410042")) == "AB")
        #expect(try DistinguishedNameText.commonName(of: .init("O=x")) == nil)
    }
}

extension DistinguishedName {
    fileprivate init(_ text: String) throws {
        self = try DistinguishedNameText.parse(text.contains("=") ? text : "CN=" + text)
    }
}
