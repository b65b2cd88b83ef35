import CAService
import CertificateAuthority
import Diagnostics
import KeyProvider
import PKIMessages
import Testing

@Suite("signet.yaml")
struct ConfigurationTests {
    private static let text = """
        version: 1
        name: Example CA
        type: subordinate
        tokens:
          ca:
            module: /usr/lib/module.so
            module-environment: {MODULE_CONF: /etc/module.conf}
            token: "pkcs11:token=HSM;serial=1"
            profile: softhsm2
            profile-overrides: {capacity.bytes: unknown}
            pin: env:CA_PIN
        keys:
          signing-token: ca
        web:
          publication-url: http://pki.example.com
        """

    @Test("Settings that are left out have their documented defaults")
    func defaults() throws {
        let read = try InstanceConfiguration(yaml: Self.text, file: "signet.yaml")
        #expect(read.exchangeToken == "ca")
        #expect(read.exchangeKeyAlgorithm == .rsa(modulusBits: 2048))
        #expect(read.certificates.maximumValidityDays == 730)
        #expect(read.crl.periodDays == 7)
        #expect(read.archival.recoveryAgents == 1)
        #expect(read.archival.hostPlaintextAllowed && read.archival.trustedAgents == nil)
        #expect(read.archival.threshold == nil && read.archival.releaseApprovals == 0)
        #expect(read.exchange == InstanceConfiguration.ExchangePolicy())
        #expect(read.web.host == "127.0.0.1" && read.web.port == 8443 && read.web.publicationPort == 8080)
        #expect(read.tokens["ca"]?.pin == .environment("CA_PIN"))
        #expect(read.tokens["ca"]?.profileOverrides == ["capacity.bytes": "unknown"])
    }

    @Test("What is written is what is read")
    func roundTrip() throws {
        var written = try InstanceConfiguration(yaml: Self.text, file: "signet.yaml")
        written.name = "A \"quoted\" name: with\ttab \\ and é"
        written.certificates.userPrincipalNameSuffix = "example.com"
        written.description = "Run by nobody"
        written.database = "/data/signet.sqlite"
        written.hashAlgorithm = .sha384
        written.archival.trustedAgents = "agents"
        written.archival.recoveryAgents = 3
        written.archival.threshold = 2
        written.archival.releaseApprovals = 2
        written.archival.releaseValidity = .days(3)
        written.exchange = .init(
            validity: .days(14), overlap: .days(2), keep: .days(30), retiresAutomatically: false, requiresTemplate: true
        )
        written.web.tls = .init(certificate: "web.crt", key: .token("ca"))
        #expect(try InstanceConfiguration(yaml: written.yamlText, file: "signet.yaml") == written)
    }

    @Test(
        "A mistake is told with file, field and reason",
        arguments: [
            (
                "version: 1", "archival: {threshold: {required: 2}}\nversion: 1",
                "archival.threshold.required: at most archival.recovery-agents is expected"
            ),
            (
                "version: 1",
                "archival: {recovery-agents: 2, format: microsoft-2003, threshold: {required: 2}}\nversion: 1",
                "archival.threshold.required: the format microsoft-2003 knows one agent alone"
            ),
            ("version: 1", "version: 2", "version: a whole number from 1 to 1 is expected"),
            ("name: Example CA", "nme: Example CA", "name: it is missing"),
            ("type: subordinate", "type: leaf", "type: root or subordinate is expected, not \"leaf\""),
            ("web:", "exchange: {validity: soon}\nweb:", "exchange.validity: a period such as \"7 days\" is expected"),
            (
                "web:", "exchange: {validity: 2 days, overlap: 30 hours}\nweb:",
                "exchange.overlap: at most half of the validity is expected"
            ),
            ("signing-token: ca", "signing-token: hsm", "keys.signing-token: there is no token \"hsm\" under tokens"),
            ("signing-token: ca", "signing-token: ca\n  colour: red", "keys.colour: there is no such setting"),
            (
                "token: \"pkcs11:token=HSM;serial=1\"", "token: /etc/key.pem",
                "tokens.ca.token: a pkcs11: URI is expected; keys are only ever on tokens"
            ),
            ("http://pki.example.com", "https://pki.example.com/", "web.publication-url: an http:// address"),
            ("type: subordinate", "type: root\ntype: root", "(whole file): it has a key twice: type, near line"),
            ("name: Example CA", "name: [", "(whole file): it is not YAML: "),
        ])
    func mistakes(present: String, wrong: String, complaint: String) throws {
        let text = Self.text.replacing(present, with: wrong)
        let error = try #require(throws: ServiceError.self) {
            try InstanceConfiguration(yaml: text, file: "signet.yaml")
        }
        #expect(error.code == .invalidField)
        #expect(error.headline.hasPrefix("signet.yaml: \(complaint)"), "\(error.headline)")
        #expect(!error.advice.isEmpty)
    }

    @Test("A PIN in place of its source is refused, and not repeated")
    func pinInPlaceOfSource() throws {
        let text = Self.text.replacing("env:CA_PIN", with: "12345678")
        let error = try #require(throws: ServiceError.self) {
            try InstanceConfiguration(yaml: text, file: "signet.yaml")
        }
        #expect(error.code == .invalidPINSource)
        #expect(!ErrorReport(error).lines.joined().contains("12345678"))
    }
}
