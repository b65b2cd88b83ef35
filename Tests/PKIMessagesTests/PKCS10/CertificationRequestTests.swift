import Diagnostics
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import PKIMessages

@Suite struct CertificationRequestTests {
    @Test(
        "A request of openssl req is read, and its signature proves possession",
        arguments: [
            (["rsa:2048"], 2048), (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], 256),
            (["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], 384), (["ed25519"], 256),
        ])
    func opensslRequests(_ newKey: [String], _ bits: Int) async throws {
        let directory = try TemporaryDirectory()
        let result = try await run(
            ["openssl", "req", "-new", "-nodes", "-keyout", directory.path("key"), "-newkey"] + newKey + [
                "-subj", "/C=DE/O=Example/CN=www.example.com", "-addext", "subjectAltName=DNS:www.example.com",
                "-addext", "keyUsage=critical,digitalSignature",
            ])
        let request = try CertificationRequest(derEncoded: TextEncoding.decode(result.stdout, what: "request"))
        try request.verifyProofOfPossession()
        #expect(request.subjectPublicKeyInfo.keySizeBits == bits)
        #expect(DistinguishedNameText.commonName(of: request.subject) == "www.example.com")
        #expect(request.requestedExtensions.map(\.oid) == [OID.subjectAlternativeName, OID.keyUsage])
        #expect(
            try ExtensionDecoding(request.requestedExtensions).subjectAlternativeNames() == [
                .dnsName("www.example.com")
            ])
    }

    @Test("The stored requests are read, and their signatures prove possession", arguments: RequestVectors.all)
    func vectors(_ pem: String) throws {
        let request = try CertificationRequest(derEncoded: TextEncoding.decode(pem, what: "request"))
        try request.verifyProofOfPossession()
    }

    @Test("A request with one changed bit in what is signed has the code 0x80090006")
    func badSignature() throws {
        var der = try TextEncoding.decode(RequestVectors.p256, what: "request")
        // The last octet of the common name, "...example.com".
        let index = try #require(der.indices.first { der[$0...].starts(with: Array(".com".utf8)) }) + 3
        der[index] ^= 1
        let request = try CertificationRequest(derEncoded: der)
        #expect(throws: PKIMessageError.badSignature("")) { try request.verifyProofOfPossession() }
    }

    @Test("A truncated request is malformed, code 0x8007000D")
    func truncated() throws {
        let der = try TextEncoding.decode(RequestVectors.rsa2048, what: "request")
        do {
            _ = try CertificationRequest(derEncoded: Array(der.dropLast()))
            Issue.record("accepted")
        } catch let error as PKIMessageError {
            #expect(error.code == .malformed && error.hresult == .invalidData)
        }
        #expect(throws: PKIMessageError.trailingBytes("", count: 0)) {
            try CertificationRequest(derEncoded: der + [0])
        }
    }

    private func make(_ attributes: [PKCSAttribute], subject: String = "CN=Test") throws -> CertificationRequest {
        let key = try SoftwareKeys.generate(.p256)
        let info = try CertificationRequest.infoBytes(
            subject: DistinguishedNameText.parse(subject),
            subjectPublicKeyInfo: PrivateKeyInfo(derEncoded: key).subjectPublicKeyInfo(), attributes: attributes)
        return try CertificationRequest(derEncoded: SoftwareCA.signed(info, .ecdsaWithSHA256, with: key))
    }

    @Test("A request that we make is read and verified by openssl, with the attributes of Windows clients")
    func ours() async throws {
        let pair = CertificationRequest.NameValuePair(name: "CertificateTemplate", value: "User")
        let request = try self.make([
            PKCSAttribute(type: OID.msOSVersion, values: [StrictDER.serialize(ASN1IA5String("5.2.3790.2"))]),
            PKCSAttribute(type: OID.msEnrollmentNameValuePair, values: [StrictDER.serialize(pair)]),
            .extensionRequest([ExtensionEncoding.microsoftTemplateName("User")]),
        ])
        try request.verifyProofOfPossession()
        #expect(try request.osVersion() == "5.2.3790.2")
        #expect(try request.nameValuePairs() == [pair])
        #expect(try request.templateName() == "User")
        #expect(try request.renewalCertificate() == nil)
        #expect(try ExtensionDecoding(request.requestedExtensions).microsoftTemplateName() == "User")
        let text = try await judge(
            "openssl", "req", "-inform", "DER", "-noout", "-text", "-verify", input: request.derBytes)
        #expect(text.contains("Subject: CN = Test") && text.contains("1.3.6.1.4.1.311.13.2.3"))
    }

    @Test("Extensions are taken from both attributes, and the same extension in both is refused")
    func extensionAttributes() throws {
        let name = try ExtensionEncoding.list([ExtensionEncoding.microsoftTemplateName("User")])
        let usage = try ExtensionEncoding.list([ExtensionEncoding.extendedKeyUsage([OID.clientAuth])])
        let both = try self.make([
            PKCSAttribute(type: OID.extensionRequest, values: [name]),
            PKCSAttribute(type: OID.msCertExtensions, values: [usage]),
        ])
        #expect(Set(both.requestedExtensions.map(\.oid)) == [OID.msCertificateTemplateName, OID.extendedKeyUsage])
        #expect(throws: PKIMessageError.malformed("", "")) {
            try self.make([
                PKCSAttribute(type: OID.extensionRequest, values: [name]),
                PKCSAttribute(type: OID.msCertExtensions, values: [name]),
            ])
        }
        #expect(throws: PKIMessageError.malformed("", "")) {
            try self.make([PKCSAttribute(type: OID.extensionRequest, values: [name, usage])])
        }
    }

    @Test("Two different template names in one request are refused")
    func conflictingTemplates() throws {
        let values = try ["User", "WebServer"].map {
            try StrictDER.serialize(CertificationRequest.NameValuePair(name: "certificateTemplate", value: $0))
        }
        let request = try self.make([PKCSAttribute(type: OID.msEnrollmentNameValuePair, values: values)])
        #expect(throws: PKIMessageError.malformed("", "")) { try request.templateName() }
    }

    @Test("No truncation and no flipped bit of a request crashes or verifies", arguments: RequestVectors.all)
    func damage(_ pem: String) throws {
        let der = try TextEncoding.decode(pem, what: "request")
        for damaged in der.damaged {
            do {
                let read = try CertificationRequest(derEncoded: damaged)
                #expect(damaged.count == der.count)
                _ = try read.templateName()
                try read.verifyProofOfPossession()
                Issue.record("a damaged request verifies")
            } catch {
                #expect(error is PKIMessageError)
            }
        }
    }
}
