import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SQLiteStorage
import Testing
import X509

/// The codes of protocols.md 3.3, each with the text that Windows has and with what gives it here. A code that another
/// suite produces names its suite; one that no part of the CA gives says so.
@Suite("Status codes that the CA gives")
struct StatusCodeCoverageTests {
    enum Source: Sendable {
        case produced(@Sendable () async throws -> HRESULT?)
        case elsewhere(String)
        /// `StatusCodeTable` says why.
        case notGiven
    }

    struct Code: Sendable, CustomTestStringConvertible {
        let number: UInt32
        let text: String
        let source: Source
        var testDescription: String { HRESULT(rawValue: self.number).description }
    }

    private static func caught(_ body: () async throws -> Void) async -> HRESULT? {
        do {
            try await body()
            return nil
        } catch { return (error as? any DiagnosableError)?.hresult }
    }

    private static func submitted(
        _ template: String?, kind: SoftwareKeys.Kind = .p256, subject: String = "CN=www.example.test",
        by caller: Principal = CAFixture.alice
    ) async throws -> HRESULT? {
        try await CAFixture().submit(
            Requester(kind).certificationRequest(subject: subject, dnsNames: ["www.example.test"]),
            attributes: template.map { "CertificateTemplate:\($0)" } ?? "", by: caller
        ).statusCode
    }

    static let codes: [Code] = [
        Code(
            number: 0x8007_0005, text: "Access is denied.",
            source: .produced {
                let fixture = try await CAFixture()
                return await caught { _ = try await fixture.authority.publishCRL(by: CAFixture.alice) }
            }),
        Code(
            number: 0x8007_000D, text: "The data is invalid.",
            source: .produced { try await CAFixture().submit([0x30, 0x01]).statusCode }),
        Code(
            number: 0x8009_4001, text: "The request subject name is invalid or too long.",
            source: .elsewhere("RefusalTests")),
        Code(
            number: 0x8009_4003, text: "The request's current status does not allow this operation.",
            source: .produced {
                let fixture = try await CAFixture()
                let issued = try await fixture.submit(
                    Requester().certificationRequest(dnsNames: ["www.example.test"]),
                    attributes: "CertificateTemplate:WebServer"
                ).requestID
                return await caught { _ = try await fixture.authority.deny(request: issued, by: CAFixture.manager) }
            }),
        Code(
            number: 0x8009_4004, text: "The requested property value is empty.",
            source: .produced {
                let fixture = try await CAFixture()
                return await caught { _ = try await fixture.authority.approve(request: 999, by: CAFixture.manager) }
            }),
        Code(
            number: 0x8009_4005, text: "The certification authority's certificate contains invalid data.",
            source: .produced {
                let fixture = try await CAFixture()
                return await caught {
                    _ = try CertificationAuthority(
                        configuration: fixture.authority.configuration,
                        signingKeys: [], certificates: [],
                        storage: fixture.storage,
                        surroundings: CAFixture.surroundings(fixture.clock, fixture.random))
                }
            }),
        Code(
            number: 0x8009_4006,
            text: "Certificate service has been suspended for a database restore operation.",
            source: .elsewhere("BackupTests")),
        Code(
            number: 0x8009_4008,
            text: "The operation is denied. The user has multiple roles assigned and the certification authority is "
                + "configured to enforce role separation.",
            source: .produced {
                let both = Principal(
                    name: "x", roles: [.administrator, .auditor], isRoleSeparationEnforced: true)
                let fixture = try await CAFixture()
                return await caught { _ = try await fixture.authority.publishCRL(by: both) }
            }),
        Code(
            number: 0x8009_4009,
            text: "The operation is denied. It can only be performed by a certificate manager that is allowed to "
                + "manage certificates for the current requester.",
            source: .produced {
                let fixture = try await CAFixture()
                let serial = try await fixture.issueWebServer().serialHex
                try await fixture.storage.write {
                    try $0.insert(ManagerRestriction(manager: CAFixture.manager.name, effect: .allow, template: "User"))
                }
                return await caught {
                    try await fixture.authority.revoke(
                        serialNumber: serial, reason: .keyCompromise, by: CAFixture.manager)
                }
            }),
        Code(
            number: 0x8009_400A,
            text: "Cannot archive private key. The certification authority is not configured for key archival.",
            source: .elsewhere("ArchivalTests")),
        Code(
            number: 0x8009_400B,
            text:
                "Cannot archive private key. No valid key recovery agent is defined for this certification authority.",
            source: .elsewhere("KeyArchivalTests.AgentTests")),
        Code(
            number: 0x8009_400C,
            text: "The request is incorrectly formatted. The encrypted private key must be in an unauthenticated "
                + "attribute in an outermost signature.", source: .elsewhere("PKIMessagesTests")),
        Code(
            number: 0x8009_400E, text: "The request contains an invalid renewal certificate attribute.",
            source: .elsewhere("the requests' renewal tests")),
        Code(
            number: 0x8009_4011,
            text: "The permissions on this certification authority do not allow the current user to enroll for "
                + "certificates.",
            source: .produced {
                let fixture = try await CAFixture()
                return await caught {
                    _ = try await fixture.submit(
                        Requester().certificationRequest(), by: Principal(name: "x", roles: [.reader]))
                }
            }),
        Code(
            number: 0x8009_4012,
            text: "The permissions on the certificate template do not allow the current user to enroll for this type "
                + "of certificate.", source: .elsewhere("RefusalTests")),
        Code(
            number: 0x8009_4014, text: "The request was denied by a certificate manager or CA administrator.",
            source: .elsewhere("EnrollmentTests")),
        Code(
            number: 0x8009_4800, text: "The requested certificate template is not supported by this CA.",
            source: .produced { try await submitted("NoSuchThing") }),
        Code(
            number: 0x8009_4801, text: "The request contains no certificate template information.",
            source: .produced { try await submitted(nil) }),
        Code(
            number: 0x8009_4802, text: "The request contains conflicting template information.",
            source: .elsewhere("RefusalTests")),
        Code(
            number: 0x8009_4804, text: "The request is missing a required private key for archival by the server.",
            source: .produced { try await submitted("User", kind: .rsa(bits: 2048)) }),
        Code(
            number: 0x8009_4807,
            text: "The request template version is newer than the supported template version.",
            source: .elsewhere("RefusalTests")),
        Code(
            number: 0x8009_4810,
            text: "The request includes a private key for archival by the server, but key archival is not enabled for "
                + "the specified certificate template.", source: .elsewhere("ArchivalTests")),
        Code(
            number: 0x8009_4811,
            text: "The public key does not meet the minimum size required by the specified certificate template.",
            source: .elsewhere("RefusalTests")),
        Code(
            number: 0x8009_4814,
            text: "The certificate template renewal period is longer than the certificate validity period. The "
                + "template should be reconfigured or the CA certificate renewed.",
            source: .produced {
                try await CAFixture(caValidity: 10 * 86_400).submit(
                    Requester().certificationRequest(dnsNames: ["www.example.test"]),
                    attributes: "CertificateTemplate:WebServer"
                ).statusCode
            }),
        Code(
            number: 0x8009_1007, text: "The hash value is not correct.", source: .elsewhere("ArchivalTests")),
        Code(
            number: 0x8009_2004, text: "Cannot find object or property.",
            source: .elsewhere("KeyArchivalTests.RecoveryTests")),
        Code(
            number: 0x8009_200E,
            text: "The signed cryptographic message does not have a signer for the specified signer index.",
            source: .elsewhere("PKIMessagesTests")),
        Code(
            number: 0x8002_802C, text: "Ambiguous name.", source: .elsewhere("KeyArchivalTests.FinderTests")),
        Code(
            number: 0x8010_0028, text: "An attempt was made to write more data than would fit in the target object.",
            source: .elsewhere("CardCapacityTests")),
    ]

    /// The rest of the rows.
    static let further: [Code] = [
        Code(
            number: 0x8007_0002, text: "The system cannot find the file specified.",
            source: .elsewhere("CAServiceTests.AccessTests")),
        Code(
            number: 0x8007_0057, text: "The parameter is incorrect.",
            source: .produced {
                let fixture = try await CAFixture()
                let serial = try await fixture.issueWebServer().serialHex
                return await caught {
                    try await fixture.authority.revoke(
                        serialNumber: serial, reason: .aACompromise, by: CAFixture.manager)
                }
            }),
        Code(number: 0x8007_010B, text: "The directory name is invalid.", source: .elsewhere("BackupTests")),
        Code(number: 0x8009_0009, text: "Invalid flags specified.", source: .notGiven),
        Code(
            number: 0x8009_0011, text: "Object was not found.",
            source: .produced {
                let fixture = try await CAFixture()
                return await caught {
                    try await fixture.storage.write { try $0.closeIntent(999, outcome: .failed, at: Date()) }
                }
            }),
        Code(number: 0x8009_0019, text: "The keyset is not defined.", source: .notGiven),
        Code(
            number: 0x8009_1004, text: "Invalid cryptographic message type.",
            source: .produced {
                // A ContentInfo of type data: a message, and none that asks for a certificate.
                try await CAFixture().submit(
                    [0x30, 0x0F, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01]
                        + [0xA0, 0x02, 0x04, 0x00]
                ).statusCode
            }),
        Code(number: 0x8009_2009, text: "Cannot find the requested object.", source: .notGiven),
        Code(
            number: 0x8009_2013,
            text: "The revocation function was unable to check revocation because the revocation server was offline.",
            source: .elsewhere("RequestFormTests")),
        Code(
            number: 0x8009_4803, text: "The request is missing a required Subject Alternate name extension.",
            source: .produced { try await TemplateSettingTests.code(of: "SPN unknown") }),
        Code(
            number: 0x8009_4806,
            text: "The request was made on behalf of a subject other than the caller. The certificate template must be "
                + "configured to require at least one signature to authorize the request.",
            source: .produced {
                try await signatures([([agent], [issuance])]) {
                    $0.onBehalfOf = CAFixture.bob
                    $0.template.onBehalfOf = true
                    $0.template.requiredSignatures = .init()
                }
            }),
        Code(
            number: 0x8009_4808, text: "The template is missing a required signature policy attribute.",
            source: .produced { try await TemplateSettingTests.code(of: "requiredSignatures without policy") }),
        Code(
            number: 0x8009_4809, text: "The request is missing required signature policy information.",
            source: .produced { try await signatures([([], [])]) }),
        Code(
            number: 0x8009_480A, text: "The request is missing one or more required signatures.",
            source: .produced { try await signatures([]) }),
        Code(
            number: 0x8009_480B,
            text: "One or more signatures did not include the required application or issuance policies.",
            source: .produced { try await signatures([(["1.3.6.1.5.5.7.3.2"], [issuance])]) }),
        Code(
            number: 0x8009_480C, text: "The request is missing one or more required signature issuance policies.",
            source: .produced { try await signatures([([agent], [])]) }),
        Code(
            number: 0x8009_480D, text: "The UPN is unavailable and cannot be added to the Subject Alternate name.",
            source: .produced {
                var template = TemplateSettingTests.plain
                template.subjectAlternativeName = .init([.userPrincipalName])
                let fixture = try await CAFixture(templates: [template], directory: TestDirectory(known: nil)) {
                    $0.userPrincipalNameSuffix = nil
                }
                return try await fixture.submit(Requester().certificationRequest(template: "Test")).statusCode
            }),
        Code(
            number: 0x8009_480E,
            text: "The Active Directory GUID is unavailable and cannot be added to the Subject Alternate name.",
            source: .produced { try await TemplateSettingTests.code(of: "GUID unknown") }),
        Code(
            number: 0x8009_480F, text: "The DNS name is unavailable and cannot be added to the Subject Alternate name.",
            source: .produced { try await TemplateSettingTests.code(of: "DNS name unknown") }),
        Code(
            number: 0x8009_4812,
            text: "The E-Mail name is unavailable and cannot be added to the Subject or Subject Alternate name.",
            source: .produced { try await TemplateSettingTests.code(of: "email unknown") }),
        Code(
            number: 0x8009_4813,
            text: "One or more certificate templates to be enabled on this certification authority could not be found.",
            source: .elsewhere("CAServiceTests.AccessTests")),
        Code(
            number: 0x8009_5002, text: "The certificate response is missing the expected archived key hash.",
            source: .notGiven),
        Code(
            number: 0x8009_5003, text: "The certificate response contains an unexpected archived key hash.",
            source: .notGiven),
        Code(
            number: 0x8009_5004,
            text: "The certificate response contains an archived key hash that does not match the request.",
            source: .notGiven),
    ]

    private static let agent = SignatureRequirementTests.agent
    private static let issuance = SignatureRequirementTests.issuance

    private static func signatures(
        _ signers: [([String], [String])], _ change: (inout PolicyQuestion) -> Void = { _ in }
    ) async throws -> HRESULT? {
        try await SignatureRequirementTests.code(signers: signers, change)
    }

    @Test("Each code has the text of Windows, and what produces it here produces it", arguments: codes + further)
    func code(_ code: Code) async throws {
        let expected = HRESULT(rawValue: code.number)
        #expect(expected.text == code.text)
        if case .produced(let body) = code.source { #expect(try await body() == expected) }
        // The table says of every one when it is given, or why it never is.
        let isNeverGiven = if case .notGiven = code.source { true } else { false }
        #expect((StatusCodeTable.neverGiven[expected] != nil) == isNeverGiven)
        #expect((StatusCodeTable.occasions[expected] != nil) == !isNeverGiven)
    }
}
