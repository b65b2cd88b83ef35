import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SwiftASN1
import TestSupport
import Testing
import X509

/// Every setting of a template by what it does to a certificate, or to a request that is refused.
@Suite struct TemplateSettingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var setting: String
        var change: @Sendable (inout CertificateTemplate) -> Void
        var key: SoftwareKeys.Kind = .p256
        var extensions: [Certificate.Extension] = []
        /// Holds for the issued certificate.
        var holds: @Sendable (CertificateFields, ExtensionDecoding) throws -> Bool

        var testDescription: String { self.setting }
    }

    static let plain = CertificateTemplate(
        name: "Test", displayName: "Test", oid: "1.3.6.1.4.1.311.21.8.1.2.3", validity: .years(1),
        subject: .fromRequest, keyUsage: [.digitalSignature])

    private static func subject(_ rule: SubjectRule, is text: String) -> Case {
        Case(setting: "subject \(rule)", change: { $0.subject = rule }) { fields, _ in
            DistinguishedNameText.text(of: fields.subject) == text
        }
    }

    private static func names(_ part: AlternativeNameRule.Part, are names: [GeneralName]) -> Case {
        Case(setting: "subjectAlternativeName \(part)", change: { $0.subjectAlternativeName = .init([part]) }) {
            _, found in try found.subjectAlternativeNames() == names
        }
    }

    private static func isCritical(_ name: CertificateExtensionName) -> Case {
        Case(
            setting: "criticalExtensions \(name)",
            change: {
                $0.criticalExtensions = [name]
                $0.extendedKeyUsages = [.serverAuth]
                $0.issuancePolicies = [.init(oid: "1.2.3.4")]
            }
        ) { _, found in
            // Basic constraints are for CAs and always critical there.
            name == .basicConstraints
                || found[name.oid]?.critical == true
                    && CertificateExtensionName.allCases.filter { $0 != name }.allSatisfy {
                        found[$0.oid]?.critical != true
                    }
        }
    }

    static let smime = Certificate.Extension(
        oid: CarriedExtensions.smimeCapabilities, critical: false, value: [0x30, 0x00])
    static let noMapping = Certificate.Extension(oid: [2, 5, 29, 36], critical: true, value: [0x30, 3, 0x80, 1, 0])

    static let cases: [Case] = [
        subject(.fromRequest, is: "CN=www.example.test"), subject(.built([.commonName]), is: "CN=Alice Example"),
        subject(.built([.dnsName]), is: "CN=pc7.example.test"),
        subject(.built([.commonName, .email]), is: "E=alice@mail.test,CN=Alice Example"),
        subject(.built([.directoryPath]), is: "CN=Alice,OU=People,DC=example,DC=test"),
        names(.fromRequest, are: [.dnsName("a.example.test")]), names(.email, are: [.rfc822Name("alice@mail.test")]),
        names(.dnsName, are: [.dnsName("pc7.example.test")]), names(.domainDNSName, are: [.dnsName("example.test")]),
        Case(setting: "SAN user-principal-name", change: { $0.subjectAlternativeName = .userPrincipalName }) {
            try $1.subjectAlternativeNames().compactMap(\.userPrincipalName) == ["alice@corp.test"]
        },
        Case(
            setting: "SAN service-principal-name",
            change: { $0.subjectAlternativeName = .init([.servicePrincipalName]) }
        ) {
            try $1.subjectAlternativeNames().compactMap(\.userPrincipalName) == ["http/pc7.example.test"]
        },
        Case(setting: "SAN directory-guid", change: { $0.subjectAlternativeName = .init([.directoryGUID]) }) {
            try $1[OID.subjectAlternativeName]?.value.suffix(16) == Array(1...16)[...]
                && $1.subjectAlternativeNames().count == 1
        },
        Case(setting: "keyUsage", change: { $0.keyUsage = [.digitalSignature, .nonRepudiation] }) { fields, _ in
            fields.keyUsage == KeyUsage(digitalSignature: true, nonRepudiation: true)
        },
        Case(setting: "extendedKeyUsages", change: { $0.extendedKeyUsages = [.codeSigning] }) {
            try $0.extendedKeyUsages == [ExtendedKeyPurpose.codeSigning.oid]
                && $1.applicationPolicies() == [ExtendedKeyPurpose.codeSigning.oid]
        },
        Case(
            setting: "applicationPolicies",
            change: {
                $0.extendedKeyUsages = [.serverAuth]
                $0.applicationPolicies = [.clientAuth]
            }
        ) {
            try $0.extendedKeyUsages == [OID.serverAuth] && $1.applicationPolicies() == [OID.clientAuth]
        },
        Case(
            setting: "issuancePolicies",
            change: {
                $0.issuancePolicies = [
                    .init(oid: "1.2.3.4", cps: "http://cps.example.test", notice: "Liability limited.")
                ]
            }
        ) {
            let value = Array($1[OID.certificatePolicies]?.value ?? [])
            return try $1.certificatePolicies() == [[1, 2, 3, 4]]
                && String(decoding: value, as: UTF8.self).contains("http://cps.example.test")
                && String(decoding: value, as: UTF8.self).contains("Liability limited.")
        },
        isCritical(.keyUsage), isCritical(.extendedKeyUsage), isCritical(.certificatePolicies),
        isCritical(.applicationPolicies), isCritical(.basicConstraints),
        Case(setting: "validity", change: { $0.validity = .weeks(8) }) { fields, _ in
            Int(fields.notAfter.timeIntervalSince(fields.notBefore)) == 8 * 7 * 86400 + 600
        },
        Case(
            setting: "certificationAuthority",
            change: {
                $0.certificationAuthority = .init(pathLength: 2)
                $0.keyUsage = [.keyCertSign, .cRLSign]
            }
        ) { fields, _ in fields.basicConstraints == .isCertificateAuthority(maxPathLength: 2) },
        Case(setting: "schemaVersion 1", change: { $0.schemaVersion = 1 }) {
            try $1.microsoftTemplateName() == "Test" && $1.microsoftTemplate() == nil
        },
        Case(
            setting: "schemaVersion 2, version",
            change: {
                $0.majorVersion = 7
                $0.minorVersion = 3
            }
        ) {
            let found = try $1.microsoftTemplate()
            return try $1.microsoftTemplateName() == nil && found?.majorVersion == 7 && found?.minorVersion == 3
                && found?.oid == [1, 3, 6, 1, 4, 1, 311, 21, 8, 1, 2, 3]
        },
        Case(setting: "addsTemplateName", change: { $0.addsTemplateName = true }) {
            try $1.microsoftTemplateName() == "Test" && $1.microsoftTemplate() != nil
        },
        Case(setting: "smimeCapabilities on", change: { $0.smimeCapabilities = true }, extensions: [smime]) {
            $1[CarriedExtensions.smimeCapabilities] == smime
        },
        Case(setting: "smimeCapabilities off", change: { _ in }, extensions: [smime]) {
            $1[CarriedExtensions.smimeCapabilities] == nil
        },
        Case(
            setting: "crossCertification",
            change: {
                $0.crossCertification = true
                $0.certificationAuthority = .init(pathLength: nil)
                $0.keyUsage = [.keyCertSign, .cRLSign]
            }, extensions: [noMapping]
        ) { $1[[2, 5, 29, 36]] == noMapping },
        Case(setting: "crossCertification off", change: { _ in }, extensions: [noMapping]) {
            $1[[2, 5, 29, 36]] == nil
        },
        Case(setting: "keyAlgorithms", change: { $0.keyAlgorithms = [.p256] }) { fields, _ in
            fields.subjectPublicKeyInfo.namedCurve == OID.secp256r1
        },
    ]

    @Test("A setting does what it says", arguments: cases)
    func effect(_ example: Case) async throws {
        var template = TemplateSettingTests.plain
        example.change(&template)
        let fixture = try await CAFixture(templates: [template], directory: TestDirectory())
        let result = try await fixture.submit(
            Requester(example.key).certificationRequest(
                template: "Test", dnsNames: ["a.example.test"], extensions: example.extensions))
        #expect(result.dispositionMessage == "Issued")
        let fields = try CertificateFields(derEncoded: result.certificateDER ?? [])
        #expect(try example.holds(fields, ExtensionDecoding(fields.extensions)))
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var setting: String
        var code: HRESULT
        var entry: RequesterEntry? = TestDirectory.full
        var key: SoftwareKeys.Kind = .p256
        var change: @Sendable (inout CertificateTemplate) -> Void

        var testDescription: String { self.setting }
    }

    static let refusals: [Refusal] = [
        Refusal(setting: "email unknown", code: .subjectEmailRequired, entry: nil) { $0.subject = .built([.email]) },
        Refusal(setting: "DNS name unknown", code: .subjectDNSRequired, entry: nil) { $0.subject = .built([.dnsName]) },
        Refusal(setting: "GUID unknown", code: .subjectDirectoryGUIDRequired, entry: nil) {
            $0.subjectAlternativeName = .init([.directoryGUID])
        },
        Refusal(setting: "domain unknown", code: .subjectDNSRequired, entry: nil) {
            $0.subjectAlternativeName = .init([.domainDNSName])
        },
        Refusal(setting: "SPN unknown", code: .subjectAltNameRequired, entry: nil) {
            $0.subjectAlternativeName = .init([.servicePrincipalName])
        },
        Refusal(setting: "directory path unknown", code: .badRequestSubject, entry: nil) {
            $0.subject = .built([.directoryPath])
        },
        Refusal(setting: "nothing to name", code: .badRequestSubject) { $0.subject = .built([]) },
        Refusal(setting: "keyAlgorithms", code: .badKey) { $0.keyAlgorithms = [.rsa, .p384] },
        Refusal(setting: "hashAlgorithms", code: .badAlgorithm) { $0.hashAlgorithms = [.sha384] },
        Refusal(setting: "minimumKeyBits.ec", code: .keyLength) { $0.minimumKeyBits.ec = 384 },
        Refusal(setting: "minimumKeyBits.rsa", code: .keyLength, key: .rsa(bits: 2048)) {
            $0.minimumKeyBits.rsa = 3072
        },
        Refusal(setting: "archival", code: .archivedKeyRequired) {
            $0.archival = .required
            $0.keyUsage = [.keyEncipherment, .digitalSignature]
        },
        Refusal(setting: "overlap longer than the CA lasts", code: .certTypeOverlap) {
            $0.overlap = .years(11)
            $0.validity = .years(12)
        },
        Refusal(setting: "overlap longer than the validity", code: .certTypeOverlap) { $0.validity = .weeks(5) },
        Refusal(setting: "permissions, none", code: .templateDenied) { $0.permissions = [] },
        Refusal(setting: "permissions, read only", code: .templateDenied) {
            $0.permissions = [TemplatePermission("authenticated", allow: [.read, .autoenroll, .write])]
        },
        Refusal(setting: "permissions, denied", code: .templateDenied) {
            $0.permissions = [
                TemplatePermission("authenticated", allow: [.fullControl]),
                TemplatePermission("example\\ALICE", allow: [], deny: [.enroll]),
            ]
        },
        Refusal(setting: "requiredSignatures without policy", code: .templatePolicyRequired) {
            $0.requiredSignatures = .init(count: 1)
        },
        Refusal(setting: "requiredSignatures", code: .signatureCount) {
            $0.requiredSignatures = .init(count: 1, applicationPolicies: [.certificateRequestAgent])
        },
    ]

    /// - Returns: the code with which the refusal of that name comes.
    static func code(of setting: String) async throws -> HRESULT? {
        let example = try #require(Self.refusals.first { $0.setting == setting })
        var template = Self.plain
        example.change(&template)
        let fixture = try await CAFixture(templates: [template], directory: TestDirectory(known: example.entry))
        return try await fixture.submit(Requester(example.key).certificationRequest(template: "Test")).statusCode
    }

    @Test("A request that a setting does not allow is denied with its code", arguments: refusals)
    func refusal(_ example: Refusal) async throws {
        var template = TemplateSettingTests.plain
        example.change(&template)
        let fixture = try await CAFixture(templates: [template], directory: TestDirectory(known: example.entry))
        let result = try await fixture.submit(Requester(example.key).certificationRequest(template: "Test"))
        #expect(result.statusCode == example.code)
        #expect(result.disposition == .denied)
        #expect(result.dispositionMessage.hasPrefix("Denied by Policy Module  \(example.code), "))
        #expect(fixture.token.calls == 1, "only the root certificate was signed")
    }

    @Test("A certificate is not issued when the CA lasts shorter than the overlap, with the words of Windows")
    func overlapMessage() async throws {
        let fixture = try await CAFixture(caValidity: 30 * 86400)
        let result = try await fixture.submit(Requester().certificationRequest(template: "WebServer"))
        #expect(result.statusCode == .certTypeOverlap)
        #expect(
            result.dispositionMessage
                == "Denied by Policy Module  0x80094814, Renewing a certificate with the 'Web Server' Certificate Template "
                + "failed because the renewal overlap period is longer than the certificate validity period.")
    }

    @Test("A template for signatures only never archives: a key is refused, and none is wanted")
    func signaturesAreNotArchived() async throws {
        var template = TemplateSettingTests.plain
        template.archival = .required
        let archiver = RecordingArchiver()
        let fixture = try await CAFixture(archiver: archiver, templates: [template])
        let refused = try await fixture.submit(
            Requester(.rsa(bits: 2048)).fullRequest(template: "Test", encryptedKey: Requester.encryptedKey()))
        #expect(refused.statusCode == .archivedKeyUnexpected)
        let issued = try await fixture.submit(Requester().certificationRequest(template: "Test"))
        #expect(issued.disposition == .issued)
        #expect(archiver.requests.isEmpty)
    }

    @Test("A requester of a group gets what the group is allowed, and loses what any entry denies")
    func groups() {
        var template = TemplateSettingTests.plain
        template.permissions = [
            TemplatePermission("Web Team", allow: [.read, .enroll]),
            TemplatePermission("certificate-manager", allow: [.write]),
            TemplatePermission("Interns", allow: [], deny: [.fullControl]),
        ]
        let member = Principal(name: "EXAMPLE\\w", roles: [.enrollee], groups: ["web team"])
        let intern = Principal(name: "EXAMPLE\\i", roles: [.enrollee], groups: ["Web Team", "interns"])
        #expect(template.allows(.enroll, to: member))
        #expect(!template.allows(.write, to: member))
        #expect(!template.allows(.enroll, to: intern))
        #expect(template.allows(.write, to: CAFixture.manager))
        #expect(!template.allows(.enroll, to: CAFixture.alice))
    }

    @Test("Autoenrolment needs the template's flag and the right, which enrolment alone does not give")
    func autoenrollment() async throws {
        // SEQUENCE { INTEGER 6 }: an autoenrolment program.
        let client = PKCSAttribute(type: OID.msRequestClientInfo, values: [[0x30, 3, 2, 1, 6]])
        func code(_ change: (inout CertificateTemplate) -> Void) async throws -> HRESULT {
            var template = TemplateSettingTests.plain
            change(&template)
            return try await CAFixture(templates: [template]).submit(
                Requester().certificationRequest(template: "Test", attributes: [client])
            ).statusCode
        }
        #expect(try await code { _ in } == .templateDenied)
        #expect(try await code { $0.autoenrollment = true } == .templateDenied)
        #expect(
            try await code {
                $0.autoenrollment = true
                $0.permissions = [TemplatePermission("authenticated", allow: [.read, .enroll, .autoenroll])]
            } == .ok)
    }
}
