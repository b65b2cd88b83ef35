import CertificateAuthority
import Diagnostics
import Foundation
import SQLiteStorage
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import PKIMessages

@Suite("Status codes of requests, roles and revocation")
struct StatusCodeCoverageTests {
    private static let proofs = StatusCodeProofs(
        .authority,
        general.merging(certificates) { $1 }.merging(requests) { $1 }.merging(archival) { $1 }
            .merging(templates) { $1 }.merging(signatures) { $1 })

    @Test("Each code comes out of the authority as it should", arguments: StatusCodeReference.rows(of: .authority))
    func code(_ row: StatusCodeReference) async throws {
        #expect(try await Self.proofs.run(row) == row.code)
    }

    @Test("Every code that this suite is to produce has its proof, and no other has one")
    func complete() {
        #expect(Self.proofs.unmatched == [])
    }

    private static func submitted(
        _ template: String?, kind: SoftwareKeys.Kind = .p256, subject: String = "CN=www.example.test",
        extensions: [Certificate.Extension] = [], attributes: String = ""
    ) async throws -> HRESULT? {
        try await CAFixture().submit(
            Requester(kind).certificationRequest(subject: subject, template: template, extensions: extensions),
            attributes: attributes
        ).statusCode
    }

    private static let general: [UInt32: StatusCodeProofs.Proof] = [
        0x8007_0005: {
            let fixture = try await CAFixture()
            return await StatusCodeProofs.thrown { _ = try await fixture.authority.publishCRL(by: CAFixture.alice) }
        },
        0x8007_000D: { try await CAFixture().submit([0x30, 0x01]).statusCode },
        0x8007_0057: {
            let fixture = try await CAFixture()
            let serial = try await fixture.issueWebServer().serialHex
            return await StatusCodeProofs.thrown {
                try await fixture.authority.revoke(serialNumber: serial, reason: .aACompromise, by: CAFixture.manager)
            }
        },
        0x8007_03E3: {
            let fixture = try await CAFixture()
            let abandoned = RequestRecord(
                type: .pkcs10, rawRequest: [0x30, 0], attributes: "", requesterName: CAFixture.alice.name,
                templateName: nil, subject: "", submittedWhen: Date(timeIntervalSince1970: 0), disposition: .active)
            let requestID = try await fixture.storage.write { try $0.insert(abandoned) }
            _ = try await fixture.authority.settleInterruptedWork()
            return try await fixture.row(requestID)?.statusCode
        },
        0x8009_0011: {
            let fixture = try await CAFixture()
            return await StatusCodeProofs.thrown {
                try await fixture.storage.write { try $0.closeIntent(999, outcome: .failed, at: Date()) }
            }
        },
        0x8009_1004: {
            // A ContentInfo of type data: a message, and none that asks for a certificate.
            try await CAFixture().submit(
                [0x30, 0x0F, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01]
                    + [0xA0, 0x02, 0x04, 0x00]
            ).statusCode
        },
        0x8009_4008: {
            let both = Principal(name: "x", roles: [.administrator, .auditor], isRoleSeparationEnforced: true)
            let fixture = try await CAFixture()
            return await StatusCodeProofs.thrown { _ = try await fixture.authority.publishCRL(by: both) }
        },
        0x8009_4009: {
            let fixture = try await CAFixture()
            let serial = try await fixture.issueWebServer().serialHex
            try await fixture.storage.write {
                try $0.insert(ManagerRestriction(manager: CAFixture.manager.name, effect: .allow, template: "User"))
            }
            return await StatusCodeProofs.thrown {
                try await fixture.authority.revoke(serialNumber: serial, reason: .keyCompromise, by: CAFixture.manager)
            }
        },
    ]

    /// The CA's own key and certificate, and those of co-signers.
    private static let certificates: [UInt32: StatusCodeProofs.Proof] = [
        0x8009_0006: {
            let fixture = try await CAFixture()
            fixture.token.behave(.signsWrongly)
            return try await fixture.submit(Requester().certificationRequest(template: "WebServer")).statusCode
        },
        0x8009_000B: {
            let fixture = try await CAFixture()
            fixture.token.behave(.signsWrongly)
            _ = try await fixture.submit(Requester().certificationRequest(template: "WebServer"))
            fixture.token.behave(.sound)
            return try await fixture.submit(Requester().certificationRequest(template: "WebServer")).statusCode
        },
        0x8009_4005: {
            let fixture = try await CAFixture()
            return await StatusCodeProofs.thrown {
                _ = try CertificationAuthority(
                    configuration: fixture.authority.configuration, signingKeys: [], certificates: [],
                    storage: fixture.storage, surroundings: CAFixture.surroundings(fixture.clock, fixture.random))
            }
        },
        0x8009_2010: {
            try await renewal { fixture, old in
                try await fixture.authority.revoke(
                    serialNumber: old.certificate.serialHex, reason: .keyCompromise, by: CAFixture.manager)
            }
        },
        0x800B_0101: { try await renewal { fixture, _ in fixture.clock.advance(by: 800 * 86_400) } },
        0x800B_010A: {
            let stranger = try await CAFixture().enroll(Requester())
            return try await renewal(of: stranger, at: CAFixture())
        },
        0x8009_2013: {
            let trust = TestTrust()
            let agent = Principal(name: "EXAMPLE\\agent", roles: [.enrollee])
            let other = try await CAFixture(templates: CAFixture.templates)
            let signatory = try await other.enroll(Requester(), template: "EnrollmentAgent", by: agent)
            let fixture = try await CAFixture(templates: CAFixture.templates, signerTrust: trust)
            trust.set([other.authority.caCertificate], [])
            let user = try Requester()
            let message = try user.fullRequest(
                around: user.certificationRequest(subject: "", template: "User"),
                regInfo: [.init(name: "RequesterName", value: CAFixture.bob.name)], cosigners: [signatory])
            return try await fixture.submit(message, by: agent).statusCode
        },
    ]

    /// Renews a certificate after something has happened to it.
    private static func renewal(
        _ change: (CAFixture, Signatory) async throws -> Void
    ) async throws -> HRESULT? {
        let fixture = try await CAFixture()
        let old = try await fixture.enroll(Requester())
        try await change(fixture, old)
        return try await self.renewal(of: old, at: fixture)
    }

    private static func renewal(of old: Signatory, at fixture: CAFixture) async throws -> HRESULT? {
        let request = try Requester().certificationRequest(
            template: "WebServer", attributes: [Requester.renewing(old.certificate)])
        return try await fixture.submit(Requester.pkcs7(around: request, by: old)).statusCode
    }

    private static let requests: [UInt32: StatusCodeProofs.Proof] = [
        0x8009_200E: {
            let requester = try Requester()
            let message = try requester.fullRequest(
                around: requester.certificationRequest(template: "WebServer"), cosigners: [])
            return try await CAFixture().submit(
                SignedData(contentInfoDER: message).replacingSignerInfos([]).contentInfoDER()
            ).statusCode
        },
        0x8009_4001: {
            try await CAFixture().submit(
                Requester().certificationRequest(
                    template: "WebServer", alternativeNames: [.userPrincipalName("administrator@example.test")])
            ).statusCode
        },
        0x8009_4003: {
            let fixture = try await CAFixture()
            let issued = try await fixture.submit(Requester().certificationRequest(template: "WebServer")).requestID
            return await StatusCodeProofs.thrown {
                _ = try await fixture.authority.deny(request: issued, by: CAFixture.manager)
            }
        },
        0x8009_4004: {
            let fixture = try await CAFixture()
            return await StatusCodeProofs.thrown {
                _ = try await fixture.authority.approve(request: 999, by: CAFixture.manager)
            }
        },
        0x8009_400E: {
            let fixture = try await CAFixture()
            let old = try await fixture.enroll(Requester())
            let request = try Requester().certificationRequest(template: "WebServer")
            return try await fixture.submit(Requester.pkcs7(around: request, by: old)).statusCode
        },
        0x8009_4011: {
            let fixture = try await CAFixture()
            return await StatusCodeProofs.thrown {
                _ = try await fixture.submit(
                    Requester().certificationRequest(), by: Principal(name: "x", roles: [.reader]))
            }
        },
        0x8009_4014: {
            let fixture = try await CAFixture()
            let pending = try await fixture.submit(
                Requester(.rsa(bits: 2048)).certificationRequest(subject: "CN=KRA", template: "KeyRecoveryAgent"))
            return try await fixture.authority.deny(request: pending.requestID, by: CAFixture.manager).statusCode
        },
    ]

    private static let archival: [UInt32: StatusCodeProofs.Proof] = [
        0x8009_1007: {
            let key = try Requester.encryptedKey()
            var request = try Requester().fullRequest(template: "User", encryptedKey: key)
            let start = try #require(request.indices.first { Array(request[$0...].prefix(key.count)) == key })
            request[start + key.count - 1] = 1
            return try await CAFixture(archiver: RecordingArchiver()).submit(request).statusCode
        },
        0x8009_400A: {
            try await CAFixture().submit(
                Requester().fullRequest(template: "User", encryptedKey: Requester.encryptedKey())
            ).statusCode
        },
        0x8009_400C: {
            // The key stands in the PKCS #10, which its own signature covers.
            let misplaced = PKCSAttribute(type: OID.msEncryptedKey, values: [try Requester.encryptedKey()])
            let requester = try Requester()
            let message = try requester.fullRequest(
                around: requester.certificationRequest(template: "User", attributes: [misplaced]), cosigners: [])
            return try await CAFixture(archiver: RecordingArchiver()).submit(message).statusCode
        },
        0x8009_4804: { try await submitted("User", kind: .rsa(bits: 2048)) },
        0x8009_4810: {
            try await CAFixture(archiver: RecordingArchiver()).submit(
                Requester().fullRequest(template: "WebServer", encryptedKey: Requester.encryptedKey())
            ).statusCode
        },
    ]

    private static let templates: [UInt32: StatusCodeProofs.Proof] = [
        0x8009_4012: { try await submitted("SubCA", subject: "CN=Sub CA") },
        0x8009_4800: { try await submitted("NoSuchThing") },
        0x8009_4801: { try await submitted(nil) },
        0x8009_4802: { try await submitted("WebServer", attributes: "CertificateTemplate:KeyRecoveryAgent") },
        0x8009_4803: { try await TemplateSettingTests.code(of: "SPN unknown") },
        0x8009_4807: {
            let identifier = try ASN1ObjectIdentifier(dotRepresentation: BuiltInTemplates.webServer.oid)
            return try await submitted(
                nil, extensions: [ExtensionEncoding.microsoftTemplate(identifier, major: 999, minor: 0)])
        },
        0x8009_4808: { try await TemplateSettingTests.code(of: "requiredSignatures without policy") },
        0x8009_480D: {
            var template = TemplateSettingTests.plain
            template.subjectAlternativeName = .init([.userPrincipalName])
            let fixture = try await CAFixture(templates: [template], directory: TestDirectory(known: nil)) {
                $0.userPrincipalNameSuffix = nil
            }
            return try await fixture.submit(Requester().certificationRequest(template: "Test")).statusCode
        },
        0x8009_480E: { try await TemplateSettingTests.code(of: "GUID unknown") },
        0x8009_480F: { try await TemplateSettingTests.code(of: "DNS name unknown") },
        0x8009_4811: { try await submitted("WebServer", kind: .rsa(bits: 1024)) },
        0x8009_4812: { try await TemplateSettingTests.code(of: "email unknown") },
        0x8009_4814: {
            try await CAFixture(caValidity: 10 * 86_400).submit(
                Requester().certificationRequest(template: "WebServer")
            ).statusCode
        },
    ]

    private static let agent = SignatureRequirementTests.agent
    private static let issuance = SignatureRequirementTests.issuance

    private static let signatures: [UInt32: StatusCodeProofs.Proof] = [
        0x8009_4806: {
            try await SignatureRequirementTests.code(signers: [([agent], [issuance])]) {
                $0.onBehalfOf = CAFixture.bob
                $0.template.onBehalfOf = true
                $0.template.requiredSignatures = .init()
            }
        },
        0x8009_4809: { try await SignatureRequirementTests.code(signers: [([], [])]) },
        0x8009_480A: { try await SignatureRequirementTests.code(signers: []) },
        0x8009_480B: { try await SignatureRequirementTests.code(signers: [(["1.3.6.1.5.5.7.3.2"], [issuance])]) },
        0x8009_480C: { try await SignatureRequirementTests.code(signers: [([agent], [])]) },
    ]
}
