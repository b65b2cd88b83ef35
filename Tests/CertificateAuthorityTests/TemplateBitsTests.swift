import CertificateAuthority
import Foundation
import PKIMessages
import Testing

@Suite struct TemplateBitsTests {
    private static func values(_ template: CertificateTemplate) -> [String: [String]] {
        Dictionary(uniqueKeysWithValues: TemplateBits(template).attributes.map { ($0.name, $0.values) })
    }

    @Test(
        "Periods are negative int64 of 100 nanoseconds, as MS-CRTD lists them",
        arguments: [
            ("1 day", "004096D536FFFFFF"), ("1 week", "00C01BD77FFAFFFF"), ("6 weeks", "0080A60AFFDEFFFF"),
            ("1 year", "004039872EE1FEFF"), ("2 years", "0080720E5DC2FDFF"), ("5 years", "00401EA4E865FAFF"),
        ])
    func periods(text: String, octets: String) throws {
        var template = TemplateSettingTests.plain
        template.validity = try #require(TemplatePeriod(text))
        let values = TemplateBitsTests.values(template)
        #expect(values["pKIExpirationPeriod"] == [octets.lowercased()])
        let read = try TemplateImport(
            "cn: X\nmsPKI-Cert-Template-OID: 1.2.3\npKIExpirationPeriod = \"\(octets)\"\n"
                + "pKIOverlapPeriod = \"6 Weeks\"\n")
        #expect(read.template.validity.timeInterval == template.validity.timeInterval)
        #expect(read.template.overlap.description == "6 weeks")
    }

    @Test("Key usage, and the flags of the built-in templates, are those of MS-CRTD")
    func knownFlags() {
        let agent = TemplateBitsTests.values(BuiltInTemplates.keyRecoveryAgent)
        #expect(agent["pKIKeyUsage"] == ["2000"])
        // 39 less SMIME capabilities: pend, KRA container, autoenrolment.
        #expect(agent["msPKI-Enrollment-Flag"] == ["38"])
        #expect(agent["msPKI-Private-Key-Flag"] == ["16"])
        #expect(TemplateBitsTests.values(BuiltInTemplates.webServer)["pKIKeyUsage"] == ["a000"])
        #expect(TemplateBitsTests.values(BuiltInTemplates.subordinateCA)["pKIKeyUsage"] == ["8600"])
        #expect(TemplateBitsTests.values(BuiltInTemplates.subordinateCA)["flags"] == ["192"])
        let card = TemplateBitsTests.values(BuiltInTemplates.smartCardLogon)
        #expect(card["msPKI-Certificate-Name-Flag"] == ["\(0x4200_0000)"])
        #expect(card["msPKI-RA-Signature"] == ["1"])
        #expect(card["msPKI-RA-Application-Policies"] == ["1.3.6.1.4.1.311.20.2.1"])
    }

    /// Each flag by itself, with the settings that only bits of another place say left at their defaults.
    @Test("Every built-in template is the same after it was exported and imported", arguments: BuiltInTemplates.all)
    func roundTrip(_ template: CertificateTemplate) throws {
        var expected = template
        // Elliptic curves, access lists and texts of policies have no attribute.
        expected.permissions = TemplatePermission.enrolment(["administrator"])
        if expected.subject == .fromRequest, expected.subjectAlternativeName == .none {
            expected.subjectAlternativeName = .fromRequest
        }
        let read = try TemplateImport(TemplateBits(template).ldif)
        #expect(read.ignored.isEmpty)
        #expect(read.template.overlap.timeInterval == expected.overlap.timeInterval)
        var found = read.template
        (found.overlap, found.validity) = (expected.overlap, expected.validity)
        #expect(found == expected)
    }

    @Test("A setting that is a flag is set and taken away by that flag")
    func everyFlag() throws {
        var template = TemplateSettingTests.plain
        template.machine = true
        template.autoenrollment = true
        template.addsTemplateName = true
        template.crossCertification = true
        template.smimeCapabilities = true
        template.pendAll = true
        template.previousApprovalSuffices = true
        template.onBehalfOf = true
        template.sameKeyRenewal = true
        template.renewalKeepsNames = true
        template.archival = .required
        template.publication = .init(requester: true, keyRecoveryAgents: true)
        template.client = .init(
            exportableKey: true, strongKeyProtection: true, alternateSignatureAlgorithm: true, userInteraction: true,
            removesInvalid: true, checksDirectory: true, keySpecification: .signature, providers: ["A, B", "C"])
        template.subject = .built([.directoryPath, .email])
        template.subjectAlternativeName = .init(AlternativeNameRule.Part.allCases)
        template.supersedes = ["Old", "Older"]
        let values = TemplateBitsTests.values(template)
        #expect(values["flags"] == ["\(0xA60)"])
        #expect(
            values["msPKI-Enrollment-Flag"] == ["\(0xD7F)"]
        )
        #expect(values["msPKI-Private-Key-Flag"] == ["\(0xF1)"])
        let name: UInt32 = 0xAFC1_0008
        #expect(values["msPKI-Certificate-Name-Flag"] == ["\(Int32(bitPattern: name))"])
        let read = try TemplateImport(TemplateBits(template).ldif).template
        #expect(read.client == template.client)
        #expect(read.publication == template.publication)
        #expect(Set(read.subjectAlternativeName.parts) == Set(template.subjectAlternativeName.parts))
        #expect(read.subject == template.subject)
        #expect(read.supersedes == template.supersedes)
        #expect(read.archival == .required && read.onBehalfOf && read.sameKeyRenewal && read.renewalKeepsNames)
    }

    static let printed = """
        [Version]
        Signature = "$Windows NT$"

        [SmartUser]
          objectClass = "top", "pKICertificateTemplate"
          cn = "SmartUser"
          displayName = "Smart User"
          flags = "131640", CT_FLAG_ADD_EMAIL -- 2
          revision = "101"
          pKIDefaultKeySpec = "1"
          pKIKeyUsage = "a0 00"
          pKIMaxIssuingDepth = "0"
          pKICriticalExtensions = "2.5.29.15", "2.5.29.7"
          pKIExpirationPeriod = "1 Years"
          pKIOverlapPeriod = "6 Weeks"
          pKIExtendedKeyUsage = "1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2"
          pKIDefaultCSPs = "1,Microsoft Base Smart Card Crypto Provider"
          msPKI-RA-Signature = "1"
          msPKI-Enrollment-Flag = "0x829"
          msPKI-Private-Key-Flag = "-2147483632"
          msPKI-Certificate-Name-Flag = "-1509949440"
          msPKI-Minimal-Key-Size = "3072"
          msPKI-Template-Schema-Version = "3"
          msPKI-Template-Minor-Revision = "5"
          msPKI-Cert-Template-OID = "1.3.6.1.4.1.311.21.8.1.2.3.4.5.6.7"
          msPKI-RA-Application-Policies = "msPKI-Asymmetric-Algorithm`PZPWSTR`RSA`msPKI-RA-Application-Policies`PZPWSTR`1.3.6.1.4.1.311.20.2.1`"
        """

    @Test("What certutil -dstemplate prints is read, and what means nothing here is named")
    func certutil() throws {
        let read = try TemplateImport(TemplateBitsTests.printed)
        let template = read.template
        #expect(template.name == "SmartUser")
        #expect(template.displayName == "Smart User")
        #expect((template.majorVersion, template.minorVersion) == (101, 5))
        #expect(template.keyUsage == [.digitalSignature, .keyEncipherment])
        #expect(template.minimumKeyBits.rsa == 3072)
        #expect(template.requiredSignatures.applicationPolicies == [.certificateRequestAgent])
        #expect(template.subject == .built([.directoryPath, .email]))
        #expect(template.subjectAlternativeName.parts == [.userPrincipalName, .email])
        #expect(template.onBehalfOf && template.autoenrollment && template.smimeCapabilities)
        #expect(template.client.exportableKey)
        #expect(template.client.providers == ["Microsoft Base Smart Card Crypto Provider"])
        #expect(template.criticalExtensions == [.keyUsage])
        #expect(template.permissions == TemplatePermission.enrolment(["administrator"]))
        #expect(
            read.ignored == ["flags 0x18", "msPKI-Private-Key-Flag 0x80000000", "pKICriticalExtensions 2.5.29.7"])
    }

    @Test("A text cut off or changed anywhere is a template or an error, and never a crash")
    func hostile() {
        let text = TemplateBits(BuiltInTemplates.crossCA).ldif
        for length in stride(from: 0, to: text.count, by: 7) {
            // `try?`: either is right; reaching the end is the test.
            _ = try? TemplateImport(String(text.prefix(length)))
        }
        let bytes = Array(TemplateBitsTests.printed.utf8)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x10
            // `try?`: either is right; reaching the end is the test.
            _ = try? TemplateImport(String(decoding: changed, as: UTF8.self))
        }
        #expect(throws: TemplateError.badImport("", "")) { try TemplateImport("") }
        #expect(throws: TemplateError.badImport("", "")) {
            try TemplateImport("cn: X\nmsPKI-Cert-Template-OID: 1.2.3\npKIExpirationPeriod:: !\n")
        }
    }
}
