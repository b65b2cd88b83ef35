import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages
import SwiftASN1
import TestSupport
import Testing
import X509

@Suite("Renewal, registration authorities and enrolment agents")
struct RequestFormTests {
    private static let agent = Principal(name: "EXAMPLE\\agent", roles: [.enrollee])

    @Test("A PKCS #7 signed with the old key renews a certificate, without and with signed attributes")
    func renewal() async throws {
        let fixture = try await CAFixture()
        for attributes in [nil, [CMSAttribute]()] {
            let old = try await fixture.enroll(Requester(.rsa(bits: 2048)))
            let new = try Requester()
            let request = try new.certificationRequest(
                template: "WebServer", attributes: [Requester.renewing(old.certificate)])
            let result = try await fixture.submit(
                Requester.pkcs7(around: request, by: old, signedAttributes: attributes))
            #expect(result.disposition == .issued, "\(result.dispositionMessage)")
            let row = try #require(try await fixture.row(result.requestID))
            #expect(row.type == .renewal)
            #expect(row.flags == [.renewal])
            #expect(row.oldCertificateDER == old.certificate.derBytes)
            #expect(row.signerApplicationPolicies.isEmpty, "the old key is nobody else's")
        }
    }

    @Test("A CMC request may carry the old key's signature as its second")
    func renewalByCMC() async throws {
        let fixture = try await CAFixture()
        let old = try await fixture.enroll(Requester())
        let new = try Requester()
        let request = try new.certificationRequest(
            template: "WebServer", attributes: [Requester.renewing(old.certificate)])
        let result = try await fixture.submit(new.fullRequest(around: request, cosigners: [old]))
        #expect(result.disposition == .issued, "\(result.dispositionMessage)")
        #expect(try await fixture.row(result.requestID)?.flags == [.renewal])
        #expect(result.fullResponseDER != nil)
    }

    @Test("A renewal without the old certificate, or without its key's signature, is 0x8009400E")
    func badRenewal() async throws {
        let fixture = try await CAFixture()
        let old = try await fixture.enroll(Requester())
        let other = try await fixture.enroll(Requester())
        let new = try Requester()
        let plain = try new.certificationRequest(template: "WebServer")
        let naming = try new.certificationRequest(
            template: "WebServer", attributes: [Requester.renewing(old.certificate)])
        for request in [
            try Requester.pkcs7(around: plain, by: old), try Requester.pkcs7(around: naming, by: other), naming,
            try new.fullRequest(around: naming, cosigners: []), try new.fullRequest(around: naming, cosigners: [other]),
        ] {
            let result = try await fixture.submit(request)
            #expect(result.disposition == .error)
            #expect(result.statusCode == HRESULT(rawValue: 0x8009_400E))
            #expect(result.certificateDER == nil)
        }
    }

    @Test("A signer's certificate that is revoked, expired or of another CA is refused with its own code")
    func signerStatus() async throws {
        let fixture = try await CAFixture()
        let stranger = try await CAFixture().enroll(Requester())
        let old = try await fixture.enroll(Requester())
        func renew(_ signatory: Signatory) async throws -> HRESULT {
            let request = try Requester().certificationRequest(
                template: "WebServer", attributes: [Requester.renewing(signatory.certificate)])
            return try await fixture.submit(Requester.pkcs7(around: request, by: signatory)).statusCode
        }
        #expect(try await renew(stranger) == .chaining)
        try await fixture.authority.revoke(
            serialNumber: old.certificate.serialHex, reason: .keyCompromise, by: CAFixture.manager)
        #expect(try await renew(old) == .revoked)
        let expiring = try await fixture.enroll(Requester())
        fixture.clock.advance(by: 800 * 86400)
        #expect(try await renew(expiring) == .certificateExpired)
    }

    @Test("A signature that is not the signer's, or not over this request, is refused")
    func wrongSignature() async throws {
        let fixture = try await CAFixture()
        let old = try await fixture.enroll(Requester())
        let thief = Signatory(requester: try Requester(), certificate: old.certificate)
        let request = try Requester().certificationRequest(
            template: "WebServer", attributes: [Requester.renewing(old.certificate)])
        let result = try await fixture.submit(Requester.pkcs7(around: request, by: thief))
        #expect(result.statusCode == .badSignature)
        #expect(result.disposition == .error)
        #expect(
            result.dispositionMessage == "Error Verifying Request Signature or Signing Certificate")
    }

    @Test("An enrolment agent gets a certificate for somebody else, by CMC, PKCS #7 and a nested message")
    func onBehalfOf() async throws {
        let fixture = try await CAFixture(templates: CAFixture.templates)
        let agent = try await fixture.enroll(Requester(), template: "EnrollmentAgent", by: Self.agent)
        let bob = [RegInfo.Pair(name: "RequesterName", value: "EXAMPLE\\bob")]
        let user = try Requester()
        let request = try user.certificationRequest(subject: "", template: "User")
        let named = try CMSAttribute(
            type: OID.msEnrollmentNameValuePair,
            value: CertificationRequest.NameValuePair(name: "RequesterName", value: "EXAMPLE\\bob"))
        for message in [
            try user.fullRequest(around: request, regInfo: bob, cosigners: [agent]),
            try Requester.pkcs7(around: request, by: agent, signedAttributes: [named]),
            try Requester.nesting(user.fullRequest(around: request, cosigners: []), regInfo: bob, by: agent),
        ] {
            let result = try await fixture.submit(message, by: Self.agent)
            #expect(result.disposition == .issued, "\(result.dispositionMessage)")
            let fields = try CertificateFields(derEncoded: result.certificateDER ?? [])
            #expect(DistinguishedNameText.text(of: fields.subject) == "CN=bob")
            let row = try #require(try await fixture.row(result.requestID))
            #expect(row.requesterName == "EXAMPLE\\bob")
            #expect(row.callerName == "EXAMPLE\\agent")
            #expect(row.flags == [.enrollOnBehalfOf])
            #expect(row.signerApplicationPolicies == ["1.3.6.1.4.1.311.20.2.1"])
            // Both may fetch it, and nobody else.
            _ = try await fixture.authority.result(ofRequest: result.requestID, for: CAFixture.bob)
            _ = try await fixture.authority.result(ofRequest: result.requestID, for: Self.agent)
            await #expect(throws: RequestError.self) {
                try await fixture.authority.result(ofRequest: result.requestID, for: CAFixture.alice)
            }
        }
    }

    @Test("Who is no enrolment agent cannot ask for others: 0x8009480A unsigned, 0x8009480B signed by a wrong purpose")
    func notAnAgent() async throws {
        let fixture = try await CAFixture(templates: CAFixture.templates)
        let server = try await fixture.enroll(Requester())
        let bob = [RegInfo.Pair(name: "RequesterName", value: "EXAMPLE\\bob")]
        let user = try Requester()
        let request = try user.certificationRequest(subject: "", template: "User")
        let unsigned = try await fixture.submit(request, attributes: "RequesterName:EXAMPLE\\bob")
        #expect(unsigned.statusCode == .signatureCount)
        #expect(unsigned.disposition == .denied)
        let wrong = try await fixture.submit(user.fullRequest(around: request, regInfo: bob, cosigners: [server]))
        #expect(wrong.statusCode == .signatureRejected)
        let agent = try await fixture.enroll(Requester(), template: "EnrollmentAgent", by: Self.agent)
        let two = try await fixture.submit(
            user.fullRequest(around: request, regInfo: bob, cosigners: [agent]),
            attributes: "RequesterName:EXAMPLE\\carol", by: Self.agent)
        #expect((two.failure as? RequestError)?.code == .ambiguousRequester)
    }

    @Test("The no-signature mechanism is refused, and taken where the setting allows it")
    func noSignature() async throws {
        let refusing = try await CAFixture()
        let requester = try Requester()
        let message = try requester.unsignedFullRequest(
            around: requester.certificationRequest(template: "WebServer"))
        #expect(try await refusing.submit(message).statusCode == .unknownAlgorithm)
        let allowing = try await CAFixture { $0.allowsNoSignature = true }
        #expect(try await allowing.submit(message).disposition == .issued)
        var damaged = message
        damaged[message.count - 1] ^= 1
        #expect(try await allowing.submit(damaged).statusCode == .hashValue)
    }

    @Test("A registration authority of a trusted CA may sign while its CRL is current and does not name it")
    func trustedSigner() async throws {
        let trust = TestTrust()
        let fixture = try await CAFixture(templates: CAFixture.templates, signerTrust: trust)
        let other = try await CAFixture(templates: CAFixture.templates)
        let agent = try await other.enroll(Requester(), template: "EnrollmentAgent", by: Self.agent)
        let user = try Requester()
        let message = try user.fullRequest(
            around: user.certificationRequest(subject: "", template: "User"),
            regInfo: [.init(name: "RequesterName", value: "EXAMPLE\\bob")], cosigners: [agent])
        func submit() async throws -> EnrollmentResult { try await fixture.submit(message, by: Self.agent) }
        #expect(try await submit().statusCode == .chaining)
        trust.set([other.authority.caCertificate], [])
        #expect(try await submit().statusCode == .revocationOffline)
        func list() async throws -> CertificateListFields {
            try CertificateListFields(
                derEncoded: try await other.authority.publishCRL(by: CAFixture.administrator).crlDER)
        }
        trust.set([other.authority.caCertificate], [try await list()])
        #expect(try await submit().disposition == .issued)
        try await other.authority.revoke(
            serialNumber: agent.certificate.serialHex, reason: .cessationOfOperation, by: CAFixture.manager)
        trust.set([other.authority.caCertificate], [try await list()])
        #expect(try await submit().statusCode == .revoked)
    }

    @Test("openssl and Python's cryptography read the renewal request and verify its signature")
    func judges() async throws {
        let fixture = try await CAFixture()
        let old = try await fixture.enroll(Requester(.rsa(bits: 2048)))
        let request = try Requester().certificationRequest(
            template: "WebServer", attributes: [Requester.renewing(old.certificate)])
        let directory = try TemporaryDirectory()
        let message = try directory.write("renewal.p7", Requester.pkcs7(around: request, by: old))
        let certificate = try directory.write("old.der", old.certificate.derBytes)
        let verified = try await run([
            "openssl", "cms", "-verify", "-inform", "DER", "-in", message, "-noverify", "-binary", "-out",
            directory.path("request.der"),
        ])
        #expect(verified.status == 0, "\(verified.stderr)")
        #expect(try directory.read("request.der") == request)
        let script = """
            import sys
            from cryptography import x509
            from cryptography.hazmat.primitives.serialization import pkcs7, Encoding
            old = x509.load_der_x509_certificate(open(sys.argv[2], 'rb').read())
            found = pkcs7.load_der_pkcs7_certificates(open(sys.argv[1], 'rb').read())
            assert found == [old]
            assert x509.load_der_x509_csr(open(sys.argv[3], 'rb').read()).is_signature_valid
            """
        let judged = try await run(["python3", "-c", script, message, certificate, directory.path("request.der")])
        #expect(judged.status == 0, "\(judged.stderr)")
    }

    @Test("UTF-16 with a byte order mark, bare base64 and PEM of any label are read", arguments: [true, false])
    func texts(isLittleEndian: Bool) async throws {
        let fixture = try await CAFixture()
        let der = try Requester().certificationRequest(template: "WebServer")
        let pem = TextEncoding.pem(der, label: "NEW CERTIFICATE REQUEST").replacing("\n", with: "\r\n")
        let units = [0xFEFF] + Array(pem.utf16)
        let wide = units.flatMap { unit in
            let bytes = [UInt8(unit & 0xFF), UInt8(unit >> 8)]
            return isLittleEndian ? bytes : bytes.reversed()
        }
        #expect(try await fixture.submit(wide).disposition == .issued)
        #expect(try await fixture.submit([0xEF, 0xBB, 0xBF] + Array(pem.utf8)).disposition == .issued)
        #expect(try await fixture.submit(Array(Data(der).base64EncodedString().utf8)).disposition == .issued)
        #expect(try await fixture.submit(Array(wide.dropLast())).statusCode == .invalidData)
    }
}
