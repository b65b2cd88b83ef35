import CAService
import CertificateAuthority
import Foundation
import KeyProvider
import PKIMessages
import Testing
import X509

@Suite("CAPolicy.inf, and the same in YAML")
struct AuthorityPolicyTests {
    static let information = #"""
        ; what the installation of Windows Server 2003 reads
        [Version]
        Signature= "$Windows NT$"

        [Strings]
        Company = "Example"

        [PolicyStatementExtension]
        Policies = LegalPolicy, LimitedUse
        Critical = 0
        [LegalPolicy]
        OID = 1.3.6.1.4.1.311.21.43
        Notice = "Legal policy of %Company%; ""binding"""
        _continue_ = ", more"
        [LimitedUse]
        OID = 1.3.6.1.4.1.311.21.47
        URL = http://www.example.test/limited.asp
        URL = "ftp://ftp.example.test/limited.txt"

        [CRLDistributionPoint]
        URL = http://pki.example.test/%3%8.crl
        [AuthorityInformationAccess]
        Empty = True
        [BasicConstraintsExtension]
        PathLength = 2
        Critical = Yes
        [EnhancedKeyUsageExtension]
        OID = 1.3.6.1.5.5.7.3.1
        OID = 1.3.6.1.5.5.7.3.2
        [NameConstraintsExtension]
        Include = Permitted
        Exclude = Excluded
        Critical = True
        [Permitted]
        DNS = .example.test
        DirectoryName = "O=Example,C=DE"
        IPAddress = 192.0.2.0, 255.255.255.0
        UPN = @example.test
        [Excluded]
        Email = \
            .secret.example.test
        [CrossCertificateDistributionPointsExtension]
        SyncDeltaTime = 600
        URL = http://pki.example.test/cross.crt
        [PolicyMappingsExtension]
        1.3.6.1.4.1.311.21.43 = 1.2.3.4
        [PolicyConstraintsExtension]
        RequireExplicitPolicy = 3

        [Certsrv_Server]
        RenewalKeyLength = 4096
        RenewalValidityPeriod = Years
        RenewalValidityPeriodUnits = 8
        CRLPeriod = Weeks
        CRLPeriodUnits = 2
        CRLDeltaPeriod = Days
        CRLDeltaPeriodUnits = 1
        ClockSkewMinutes = 5
        LoadDefaultTemplates = 0
        AlternateSignatureAlgorithm = 0
        """#

    static let yaml = #"""
        path-length: 2
        policies:
          1.3.6.1.4.1.311.21.43: {notices: ['Legal policy of Example; "binding", more']}
          1.3.6.1.4.1.311.21.47:
            urls: ["http://www.example.test/limited.asp", "ftp://ftp.example.test/limited.txt"]
        crl-distribution-points: ["http://pki.example.test/%3%8.crl"]
        authority-information-access: []
        extended-key-usage: [serverAuth, 1.3.6.1.5.5.7.3.2]
        name-constraints:
          permitted:
            directory-name: ["O=Example,C=DE"]
            dns: [.example.test]
            ip: [192.0.2.0/24]
            upn: ["@example.test"]
          excluded: {email: [.secret.example.test]}
        policy-mappings: {1.3.6.1.4.1.311.21.43: 1.2.3.4}
        policy-constraints: {require-explicit-policy: 3}
        cross-certificates: {urls: ["http://pki.example.test/cross.crt"], interval-seconds: 600}
        renewal-key-length: 4096
        renewal-validity: 8 years
        crl-period: 2 weeks
        crl-delta-period: 1 days
        clock-skew-minutes: 5
        load-default-templates: false
        """#

    private func parse(_ text: String, _ file: String = "CAPolicy.inf") throws -> AuthorityPolicy {
        try AuthorityPolicy(bytes: Array(text.utf8), file: file)
    }

    private func refusal(_ text: String, _ file: String = "CAPolicy.inf") -> String? {
        do {
            _ = try self.parse(text, file)
            return nil
        } catch {
            return (error as? ServiceError)?.headline
        }
    }

    @Test("Both say the same, and every setting arrives")
    func equal() throws {
        let one = try self.parse(Self.information)
        var two = try self.parse(Self.yaml, "policy.yaml")
        #expect(one.notes == ["line 60: alternatesignaturealgorithm has no effect here"])
        two.notes = one.notes
        // The order within a kind of names is the file's.
        #expect(
            Set(one.settings.nameConstraints.permitted.map { "\($0)" })
                == Set(two.settings.nameConstraints.permitted.map { "\($0)" }))
        two.settings.nameConstraints.permitted = one.settings.nameConstraints.permitted
        #expect(one == two)
        #expect(one.settings.pathLength == 2)
        #expect(one.settings.policies.values[0].furtherNotices == ["Legal policy of Example; \"binding\", more"])
        #expect(one.settings.caIssuerURLs.values.isEmpty)
        #expect(one.renewalValidity?.seconds == 8 * 365.2425 * 86_400)
        #expect(one.crlDeltaPeriod.map { "\($0.count) \($0.unit)" } == "1 days")
        #expect(one.clockSkewMinutes == 5)
        #expect(!one.loadsDefaultTemplates)
        #expect(try one.renewalAlgorithm(after: .rsa(modulusBits: 2048)) == .rsa(modulusBits: 4096))
        #expect(throws: ServiceError.self) { try one.renewalAlgorithm(after: .p256) }
        #expect(
            try one.settings.extensions().map(\.oid) == [
                OID.keyUsage, OID.basicConstraints, OID.certificatePolicies, OID.extendedKeyUsage,
                OID.nameConstraints, OID.policyMappings, OID.policyConstraints,
                OID.msCrossCertificateDistributionPoints,
            ])
    }

    @Test("The period of a renewal is read as Windows 2000 wrote it and as Windows Server 2003 does; the hash is taken")
    func server() throws {
        func policy(_ lines: String) throws -> AuthorityPolicy {
            try self.parse("[Version]\nSignature=\"$Windows NT$\"\n[Certsrv_Server]\n" + lines)
        }
        for lines in [
            "RenewalValidityPeriod=Years\nRenewalValidityPeriodUnits=8",
            "RenewalValidityPeriod=8\nRenewalValidityPeriodUnits=Years",
        ] {
            #expect(try policy(lines).renewalValidity == .init(count: 8, unit: .years))
        }
        #expect(throws: ServiceError.self) { try policy("RenewalValidityPeriod=8\nRenewalValidityPeriodUnits=8") }
        let hash = try policy("CNGHashAlgorithm=SHA384").hashAlgorithm
        #expect(try hash == .sha384 && hash == self.parse("hash-algorithm: sha-384", "p.yaml").hashAlgorithm)
        #expect(throws: ServiceError.self) { try policy("CNGHashAlgorithm=SHA1") }
    }

    @Test(
        "Months and years end on the same day at the same time, also over leap years and at the end of a month",
        arguments: [
            ("20 years", "2026-11-21T21:18:50Z", "2046-11-21T21:18:50Z"),
            ("1 years", "2028-02-29T12:00:00Z", "2029-02-28T12:00:00Z"),
            ("1 months", "2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z"),
            ("30 days", "2027-01-31T00:00:00Z", "2027-03-02T00:00:00Z"),
        ])
    func calendar(text: String, from: String, to: String) throws {
        let period = try #require(AuthorityPolicy.Period(text))
        let (from, to) = try (Date(from, strategy: .iso8601), Date(to, strategy: .iso8601))
        #expect(from.addingTimeInterval(period.seconds(after: from)) == to)
    }

    @Test("UTF-16 with its mark and CR LF are read as Windows writes them")
    func utf16() throws {
        let text = Self.information.replacingOccurrences(of: "\n", with: "\r\n")
        let bytes = [0xFF, 0xFE] + Array(text.data(using: .utf16LittleEndian) ?? Data())
        #expect(try AuthorityPolicy(bytes: bytes, file: "CAPolicy.inf") == self.parse(Self.information))
        #expect(try AuthorityPolicy(bytes: bytes, file: "unnamed") == self.parse(Self.information))
    }

    @Test(
        "What is wrong is told with its line or field",
        arguments: [
            ("[Certsrv_Server]\nCRLPeriod=Days", "line 1: [Version] with Signature"),
            ("CRLPeriod=Days", "line 1: there is no section yet"),
            (
                "[Version]\nSignature=\"$Windows NT$\"\n[Certsrv_Server]\nCRLPerod=Days",
                "line 4: [Certsrv_Server] has no setting crlperod"
            ),
            (
                "[Version]\nSignature=\"$Windows NT$\"\n[Certsrv_Server]\nCRLPeriod=Days",
                "line 3: crlperiod and crlperiodunits belong together"
            ),
            ("[Version]\nSignature=\"$Windows NT$\"\n[Typo]\nA=B", "line 3: nothing uses the section [Typo]"),
            ("[Version]\nSignature=\"$Windows NT$\"\n[Version]", "line 3: section [Version] stands there twice"),
            ("[Version]\nSignature=\"$Windows NT$", "line 2: a quote is not closed"),
            (
                "[Version]\nSignature=\"$Windows NT$\"\n[PolicyStatementExtension]\nPolicies=A",
                "line 4: there is no section [A]"
            ),
            (
                "[Version]\nSignature=\"$Windows NT$\"\n[BasicConstraintsExtension]\nPathLength=-1",
                "line 4: pathlength: a number from 0 to 255"
            ),
            (
                "[Version]\nSignature=\"$Windows NT$\"\n[CRLDistributionPoint]\nURL=nowhere",
                "line 4: an address without blanks"
            ),
            (
                "[Version]\nSignature=\"$Windows NT$\"\n[Certsrv_Server]\nCRLPeriod=Days\\",
                "line 4: it ends after a backslash"
            ),
        ])
    func refusals(text: String, reason: String) {
        #expect(self.refusal(text)?.contains(reason) == true, "\(self.refusal(text) ?? "taken")")
    }

    @Test(
        "YAML with a setting that does not exist, or a wrong value, is refused by its field",
        arguments: [
            ("path-lenght: 1", "path-lenght: there is no such setting"),
            ("path-length: 300", "path-length: a whole number from 0 to 255"),
            ("renewal-validity: 8 fortnights", "renewal-validity: a number and hours"),
            ("name-constraints: {permitted: {ip: [10.0.0.0]}}", "name-constraints.permitted.ip: each item must be"),
            ("policy-mappings: {1.2.3: x}", "policy-mappings.1.2.3: two object identifiers"),
        ])
    func yamlRefusals(text: String, reason: String) {
        #expect(self.refusal(text, "p.yaml")?.contains(reason) == true, "\(self.refusal(text, "p.yaml") ?? "taken")")
    }

    @Test("A file cut off anywhere or with any byte changed is read or refused, and never ends the program")
    func damage() {
        for (text, file) in [(Self.information, "CAPolicy.inf"), (Self.yaml, "policy.yaml")] {
            let bytes = Array(text.utf8)
            for length in stride(from: 0, to: bytes.count, by: 17) {
                #expect(throwsNothingElse(Array(bytes.prefix(length)), file))
            }
            for index in stride(from: 0, to: bytes.count, by: 9) {
                var changed = bytes
                changed[index] ^= UInt8(1 << (index % 8))
                #expect(throwsNothingElse(changed, file))
            }
        }
    }

    private func throwsNothingElse(_ bytes: [UInt8], _ file: String) -> Bool {
        do {
            _ = try AuthorityPolicy(bytes: bytes, file: file)
            return true
        } catch {
            return error is ServiceError || error is PKIMessageError
        }
    }
}
