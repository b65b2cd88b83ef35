import CertificateAuthority
import Foundation
import Testing

@Suite struct ValueTests {
    @Test("Request attributes are read without regard to case, blanks and hyphens, and bad lines are skipped")
    func requestAttributes() {
        let attributes = RequestAttributes("Certificate-Template: User \r\nno colon\n:x\nSAN:dns=a&dns=b:1\n")
        #expect(attributes.values(of: "CertificateTemplate") == ["User"])
        #expect(attributes.values(of: "san") == ["dns=a&dns=b:1"])
        #expect(attributes.pairs.count == 2)
    }

    @Test("Lines of request attributes end at every kind of line end, in ASCII as in other text", arguments: ["", "é"])
    func requestAttributeLines(mark: String) {
        let text = "A:1\u{0B}B:2\u{0C}C:3\r\nD:4\rE:5\n\nF:6\(mark)"
        let pairs = RequestAttributes(text).pairs
        #expect(pairs.map(\.name) == ["a", "b", "c", "d", "e", "f"])
        #expect(pairs.map(\.value) == ["1", "2", "3", "4", "5", "6\(mark)"])
    }

    @Test(
        "A period is a count and a unit",
        arguments: [("2 years", 63_072_000.0), ("6 weeks", 3_628_800), ("1 day", 86400), ("10 minutes", 600)])
    func period(text: String, seconds: TimeInterval) throws {
        let period = try #require(TemplatePeriod(text))
        #expect(period.timeInterval == seconds)
        #expect(period.description == text)
    }

    @Test(
        "Other texts are no period",
        arguments: ["", "2", "years", "-1 days", "2 fortnights", "99999999999 years", "1 2 days"])
    func noPeriod(text: String) {
        #expect(TemplatePeriod(text) == nil)
    }

    @Test("Every built-in template survives encoding, and their names and identifiers are unique")
    func templates() throws {
        for template in BuiltInTemplates.all {
            let encoded = try JSONEncoder().encode(template)
            #expect(try JSONDecoder().decode(CertificateTemplate.self, from: encoded) == template)
        }
        _ = try TemplateCatalog(BuiltInTemplates.all)
        #expect(throws: IssuanceError.self) {
            try TemplateCatalog([BuiltInTemplates.user, BuiltInTemplates.user])
        }
        var broken = BuiltInTemplates.user
        broken.oid = "1.99.3"
        #expect(throws: IssuanceError.self) { try TemplateCatalog([broken]) }
    }

    @Test("A template with an unknown usage or period is refused by the decoder")
    func badTemplate() throws {
        let encoded = String(decoding: try JSONEncoder().encode(BuiltInTemplates.webServer), as: UTF8.self)
        for (good, bad) in [("serverAuth", "serverAut"), ("2 years", "2 yarns"), ("keyEncipherment", "keyEnciphering")]
        {
            let text = encoded.replacingOccurrences(of: good, with: bad)
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(CertificateTemplate.self, from: Data(text.utf8))
            }
        }
    }

    @Test("Subordinate CAs may be asked for by either name")
    func subordinateNames() throws {
        let catalog = try TemplateCatalog(BuiltInTemplates.all)
        for name in ["SubCA", "subca", "SubordinateCA", "Subordinate Certification Authority"] {
            #expect(catalog.template(named: name) == BuiltInTemplates.subordinateCA)
        }
    }

    @Test("Publication addresses fill in name and suffixes, and refuse other tokens")
    func publicationURL() throws {
        let expand = { (pattern: String, certificate: Int, key: Int) in
            try PublicationURL.expand(pattern, caName: "Example CA/1", certificateIndex: certificate, keyIndex: key)
        }
        #expect(try expand("http://x/%3%8.crl", 0, 0) == "http://x/Example%20CA%21002f1.crl")
        #expect(try expand("http://x/%3%4.crt", 2, 1) == "http://x/Example%20CA%21002f1(2).crt")
        #expect(try expand("http://x/%3%8.crl", 2, 1) == "http://x/Example%20CA%21002f1(1).crl")
        #expect(try expand("http://x/a%%20b", 0, 0) == "http://x/a%20b")
        #expect(
            try PublicationURL.expand(
                "%3%4.crt", caName: "Example CA/1", certificateIndex: 0, keyIndex: 0, isFileName: true)
                == "Example CA!002f1.crt")
        var values = PublicationURL.Values(
            caName: "Example CA/1", certificateIndex: 2, keyIndex: 1, isDelta: true, shard: 4)
        values.serverName = "pki.example.test"
        #expect(
            try PublicationURL.expand("http://%1/%2/%3%8%12%9.crl", values)
                == "http://pki.example.test/pki/Example%20CA%21002f1(1)-shard4+.crl")
        #expect(try PublicationURL.expand("ldap:///CN=%7%10", values).hasSuffix("objectClass=cRLDistributionPoint"))
        for pattern in ["http://x/%6", "http://x/%"] {
            #expect(throws: IssuanceError.self) { try expand(pattern, 0, 0) }
        }
    }

    @Test("A CA's name is sanitised and cut as Windows does it")
    func names() {
        #expect(CAName.sanitized("Fabrikam, Inc. (test)") == "Fabrikam!002c Inc. !0028test!0029")
        #expect(CAName.sanitized("Zürich 😀") == "Z!00fcrich !d83d!de00")
        #expect(CAName.truncated(String(repeating: "a", count: 51)) == String(repeating: "a", count: 51))
        let long = CAName.truncated(String(repeating: "a", count: 44) + "ü" + String(repeating: "b", count: 9))
        // The escape does not fit into 45 characters, and is not cut.
        #expect(long.count == 50 && long.hasPrefix(String(repeating: "a", count: 44) + "-"))
    }
}
