import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SQLiteStorage
import SwiftASN1
import TestSupport
import Testing
import X509

@Suite struct RefusalTests {
    @Test("A request for an unknown template is denied with the words that clients look for")
    func unknownTemplate() async throws {
        let fixture = try await CAFixture()
        let result = try await fixture.submit(
            Requester().certificationRequest(), attributes: "CertificateTemplate:NoSuchThing")
        #expect(result.disposition == .denied)
        #expect(result.statusCode == HRESULT(rawValue: 0x8009_4800))
        #expect(
            result.dispositionMessage
                == "Denied by Policy Module  0x80094800, The request was for a certificate template that is not "
                + "supported by the Active Directory Certificate Services policy: NoSuchThing.")
        #expect(result.certificateDER == nil)
        #expect((result.failure as? PolicyError)?.code == .unsupportedTemplate)
        #expect(fixture.token.calls == 1, "only the root certificate was signed")
        #expect(try await fixture.auditEvents().last?.id == .policyDenied)
    }

    @Test("A request without a template is denied with 0x80094801")
    func noTemplate() async throws {
        let result = try await CAFixture().submit(Requester().certificationRequest())
        #expect(result.disposition == .denied)
        #expect(result.statusCode == .noCertType)
    }

    @Test(
        "Sources that name different templates are denied with 0x80094802",
        arguments: ["CertificateTemplate:KeyRecoveryAgent", "Certificate-Template: NoSuchThing"])
    func conflict(attributes: String) async throws {
        let result = try await CAFixture().submit(
            Requester().certificationRequest(template: "WebServer"), attributes: attributes)
        #expect(result.statusCode == .templateConflict)
    }

    @Test("Name, display name and identifier of one template do not conflict")
    func agreement() async throws {
        let oid = try ASN1ObjectIdentifier(dotRepresentation: BuiltInTemplates.webServer.oid)
        let request = try Requester().certificationRequest(
            template: "webserver", extensions: [ExtensionEncoding.microsoftTemplate(oid, major: 4, minor: 1)])
        let result = try await CAFixture().submit(request, attributes: "certificate template:Web Server")
        #expect(result.disposition == .issued)
    }

    @Test("The identifier of another template in extension 21.7 conflicts, and a newer version is 0x80094807")
    func identifier() async throws {
        let fixture = try await CAFixture()
        let other = try ASN1ObjectIdentifier(dotRepresentation: BuiltInTemplates.user.oid)
        let conflict = try await fixture.submit(
            Requester().certificationRequest(
                template: "WebServer", extensions: [ExtensionEncoding.microsoftTemplate(other, major: 1, minor: 0)]))
        #expect(conflict.statusCode == .templateConflict)
        let same = try ASN1ObjectIdentifier(dotRepresentation: BuiltInTemplates.webServer.oid)
        let newer = try await fixture.submit(
            Requester().certificationRequest(
                extensions: [ExtensionEncoding.microsoftTemplate(same, major: 999, minor: 0)]))
        #expect(newer.statusCode == .badTemplateVersion)
    }

    @Test("A request with a bad signature is an error with 0x80090006, and nothing is signed")
    func badSignature() async throws {
        let fixture = try await CAFixture()
        var request = try Requester().certificationRequest(template: "WebServer")
        // The subject's last letter: the message stays well-formed.
        let position = try #require(request.indices.first { Array(request[$0...].prefix(4)) == Array("www.".utf8) })
        request[position] = UInt8(ascii: "x")
        let result = try await fixture.submit(request)
        #expect(result.disposition == .error)
        #expect(result.statusCode == .badSignature)
        #expect(result.dispositionMessage == "Error Verifying Request Signature or Signing Certificate")
        #expect(fixture.token.calls == 1)
    }

    @Test("A request truncated at any length is a stored error, never a crash and never a certificate")
    func truncation() async throws {
        let fixture = try await CAFixture()
        let request = try Requester().certificationRequest(template: "WebServer")
        for length in stride(from: 0, to: request.count, by: 7) {
            let result = try await fixture.submit(Array(request[..<length]))
            #expect(result.disposition == .error)
            #expect(result.dispositionMessage == "Error Parsing Request")
            #expect(!result.statusCode.isSuccess)
            #expect(try await fixture.row(result.requestID)?.rawRequest.isEmpty == true)
        }
        #expect(fixture.token.calls == 1)
        #expect(try await fixture.auditChainVerifies())
    }

    @Test("A key shorter than the template's minimum is denied with 0x80094811")
    func keyTooShort() async throws {
        let result = try await CAFixture().submit(
            Requester(.rsa(bits: 1024)).certificationRequest(template: "WebServer"))
        #expect(result.disposition == .denied)
        #expect(result.statusCode == .keyLength)
    }

    @Test("A key that cannot encrypt is no key recovery agent's")
    func unsuitableKey() async throws {
        let result = try await CAFixture().submit(Requester().certificationRequest(template: "KeyRecoveryAgent"))
        #expect(result.disposition == .denied)
        #expect((result.failure as? PolicyError)?.code == .unsuitableKey)
    }

    @Test("A caller without the right on the template is denied with 0x80094012")
    func templateDenied() async throws {
        let fixture = try await CAFixture()
        let request = try Requester().certificationRequest(subject: "CN=Sub CA", template: "SubCA")
        let denied = try await fixture.submit(request)
        #expect(denied.statusCode == .templateDenied)
        let issued = try await fixture.submit(request, by: CAFixture.administrator)
        let fields = try CertificateFields(derEncoded: issued.certificateDER ?? [])
        #expect(fields.basicConstraints == .isCertificateAuthority(maxPathLength: nil))
        #expect(fields.keyUsage?.keyCertSign == true)
    }

    @Test(
        "A requester who may choose names may not choose a user principal name or a directory name",
        arguments: [true, false])
    func chosenNames(isPrincipalName: Bool) async throws {
        let name: GeneralName =
            try isPrincipalName
            ? .userPrincipalName("administrator@example.test")
            : .directoryName(DistinguishedNameText.parse("CN=administrator"))
        let result = try await CAFixture().submit(
            Requester().certificationRequest(template: "WebServer", alternativeNames: [name]))
        #expect(result.statusCode == .badRequestSubject)
    }

    @Test("A request without a subject needs alternative names, and then they are critical")
    func emptySubject() async throws {
        let fixture = try await CAFixture()
        let refused = try await fixture.submit(Requester().certificationRequest(subject: "", template: "WebServer"))
        #expect(refused.statusCode == .badRequestSubject)
        let issued = try await fixture.submit(
            Requester().certificationRequest(subject: "", template: "WebServer", dnsNames: ["a.example.test"]))
        let fields = try CertificateFields(derEncoded: issued.certificateDER ?? [])
        #expect(ExtensionDecoding(fields.extensions)[OID.subjectAlternativeName]?.critical == true)
    }

    @Test("A request with the CA's own key or name is not signed")
    func ownIdentity() async throws {
        let fixture = try await CAFixture()
        let result = try await fixture.submit(
            Requester().certificationRequest(subject: "CN=Example CA,O=Example", template: "WebServer"))
        #expect(result.disposition == .error)
        #expect((result.failure as? IssuanceError)?.code == .contentMismatch)
        #expect(fixture.token.calls == 1)
        #expect(try await fixture.openIntents().isEmpty)
    }

    @Test("A CA that lasts shorter than the template's overlap does not issue: 0x80094814")
    func overlap() async throws {
        let fixture = try await CAFixture(caValidity: 30 * 86400)
        let result = try await fixture.submit(Requester().certificationRequest(template: "WebServer"))
        #expect(result.statusCode == .certTypeOverlap)
    }

    @Test("No certificate outlasts the CA's own, and an expired CA issues nothing")
    func caExpiry() async throws {
        var template = BuiltInTemplates.webServer
        template.overlap = .days(0)
        let fixture = try await CAFixture(templates: [template], caValidity: 100 * 86400)
        let fields = try await fixture.issueWebServer()
        #expect(fields.notAfter == fixture.authority.caCertificate.notAfter)
        fixture.clock.advance(by: 100 * 86400)
        let result = try await fixture.submit(Requester().certificationRequest(template: "WebServer"))
        #expect(!result.statusCode.isSuccess)
        #expect(result.certificateDER == nil)
    }
}
