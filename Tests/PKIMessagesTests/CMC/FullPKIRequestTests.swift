import Diagnostics
import SwiftASN1
import Testing
import X509

@testable import PKIMessages

@Suite("CMC full request")
struct FullPKIRequestTests {
    private let request: TestRequest

    init() throws {
        self.request = try TestRequest()
    }

    private func expect(
        _ code: PKIMessageError.Code, _ hresult: UInt32, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws -> Void
    ) {
        let error = #expect(throws: PKIMessageError.self, sourceLocation: sourceLocation) { try body() }
        #expect(error?.code == code, sourceLocation: sourceLocation)
        #expect(error.map { $0.hresult.rawValue } == hresult, sourceLocation: sourceLocation)
        #expect(error?.advice.isEmpty == false, sourceLocation: sourceLocation)
    }

    @Test("A request that we make is read, verified, and written again byte for byte")
    func roundTrip() throws {
        let message = try self.request.message()
        let parsed = try FullPKIRequest(derEncoded: message)
        #expect(parsed.bodyPartID == 1)
        #expect(parsed.encryptedKeyAttribute == self.request.encryptedKey)
        #expect(parsed.encryptedKeyHash == Digest.sha256.hash(self.request.encryptedKey))
        #expect(parsed.regInfo == [.init(name: "CertificateTemplate", value: "User")])
        #expect(parsed.certificationRequest.subjectPublicKeyInfo == self.request.user.publicKey)
        #expect(
            parsed.signedData.signerInfos.map(\.sid) == [
                .subjectKeyIdentifier(self.request.user.publicKey.keyIdentifier)
            ])
        try parsed.verifySignatures()
        try parsed.verifyEncryptedKeyHash()
        #expect(try parsed.signedData.contentInfoDER() == message)
        #expect(try StrictDER.serialize(parsed.pkiData) == parsed.signedData.eContent)
    }

    @Test("openssl prints our request and verifies its signature")
    func judgedByOpenSSL() async throws {
        let openssl = try OpenSSLJudge()
        try self.request.user.place(in: openssl)
        try openssl.write(self.request.message(), to: "message")
        let printed = try await openssl.run("cms", "-cmsout", "-print", "-inform", "DER", "-in", "@message")
        #expect(printed.contains("id-cct-PKIData") || printed.contains("1.3.6.1.5.5.7.12.2"))
        #expect(printed.contains("1.3.6.1.4.1.311.21.13"))
        try await openssl.run(
            "cms", "-verify", "-inform", "DER", "-in", "@message", "-certfile", "@certificate.pem", "-noverify",
            "-binary",
            "-out", "@content")
        let parsed = try FullPKIRequest(derEncoded: self.request.message())
        #expect(try PKIData(derEncoded: openssl.read("content")) == parsed.pkiData)
    }

    @Test("A request as Windows makes it, with SHA-1 throughout and three kinds of controls, is accepted")
    func windows2003Layout() throws {
        let extensions = [
            Certificate.Extension(oid: OID.msApplicationPolicies, critical: false, value: [0x30, 0x00])
        ]
        let pkiData = try PKIData(
            controls: [
                TaggedAttribute(
                    bodyPartID: 2, type: OID.cmcAddExtensions,
                    value: AddExtensions(certReferences: [1], extensions: extensions)),
                TestRequest.adding(
                    [TestRequest.octets(OID.msEncryptedKeyHash, Digest.sha1.hash(self.request.encryptedKey))],
                    bodyPartID: 3),
                TaggedAttribute(
                    bodyPartID: 4, type: OID.cmcRegInfo,
                    value: ASN1OctetString(contentBytes: Array("CertificateTemplate=ArchiveTestBasicEFS&".utf8)[...])),
            ],
            requests: [
                .certificationRequest(bodyPartID: 1, derBytes: self.request.pkcs10(digest: .sha1).derBytes)
            ])
        let message = try self.request.message(
            pkiData: pkiData, digest: .sha1, unsignedAttributes: [self.request.keyAttribute])
        let parsed = try FullPKIRequest(derEncoded: message)
        try parsed.verifySignatures()
        try parsed.verifyEncryptedKeyHash()
        #expect(parsed.addedExtensions == extensions)
        #expect(parsed.addedAttributes.map(\.type) == [OID.msEncryptedKeyHash])
        #expect(parsed.regInfo == [.init(name: "CertificateTemplate", value: "ArchiveTestBasicEFS")])
        #expect(try parsed.signedData.contentInfoDER() == message)
    }

    @Test("A request without a key passes, and is stored as it came")
    func withoutKey() throws {
        let message = try self.request.message(withKey: false, templateName: nil)
        let parsed = try FullPKIRequest(derEncoded: message)
        #expect(parsed.encryptedKeyAttribute == nil)
        #expect(parsed.pkiData.controls.isEmpty)
        try parsed.verifySignatures()
        try parsed.verifyEncryptedKeyHash()
        #expect(try parsed.removingEncryptedKey() == message)
    }

    @Test("The stored form has no encrypted key, and its signatures still verify")
    func removingEncryptedKey() throws {
        let stored = try FullPKIRequest(derEncoded: self.request.message()).removingEncryptedKey()
        let parsed = try FullPKIRequest(derEncoded: stored)
        #expect(parsed.encryptedKeyAttribute == nil)
        #expect(parsed.signedData.signerInfos.map(\.unsignedAttributes) == [[]])
        try parsed.verifySignatures()
        self.expect(.badArchivalAttribute, 0x8009_400C) { try parsed.verifyEncryptedKeyHash() }
    }

    @Test("An encrypted key that is not the one hashed is a wrong hash")
    func wrongHash() throws {
        let other = try PKIData(
            controls: [
                TestRequest.adding([TestRequest.octets(OID.msEncryptedKeyHash, [UInt8](repeating: 0, count: 20))])
            ],
            requests: [.certificationRequest(bodyPartID: 1, derBytes: self.request.pkcs10().derBytes)])
        let parsed = try FullPKIRequest(
            derEncoded: self.request.message(pkiData: other, unsignedAttributes: [self.request.keyAttribute]))
        try parsed.verifySignatures()
        self.expect(.hashMismatch, 0x8009_1007) { try parsed.verifyEncryptedKeyHash() }
    }

    @Test("A hash of the inner EnvelopedData instead of the ContentInfo is a wrong hash")
    func hashOfTheWrongLayer() throws {
        let inner = try ContentInfo(derEncoded: self.request.encryptedKey).contentDER
        let pkiData = try PKIData(
            controls: [TestRequest.adding([TestRequest.octets(OID.msEncryptedKeyHash, Digest.sha1.hash(inner))])],
            requests: [.certificationRequest(bodyPartID: 1, derBytes: self.request.pkcs10().derBytes)])
        let parsed = try FullPKIRequest(
            derEncoded: self.request.message(pkiData: pkiData, unsignedAttributes: [self.request.keyAttribute]))
        self.expect(.hashMismatch, 0x8009_1007) { try parsed.verifyEncryptedKeyHash() }
    }

    @Test("A key without a hash, a hash of no known length, and two hashes are refused")
    func unusableHashes() throws {
        let tcr = TaggedRequest.certificationRequest(bodyPartID: 1, derBytes: try self.request.pkcs10().derBytes)
        func parse(_ controls: [TaggedAttribute]) throws -> FullPKIRequest {
            try FullPKIRequest(
                derEncoded: self.request.message(
                    pkiData: PKIData(controls: controls, requests: [tcr]),
                    unsignedAttributes: [self.request.keyAttribute]))
        }
        self.expect(.badArchivalAttribute, 0x8009_400C) { try parse([]).verifyEncryptedKeyHash() }
        let short = try TestRequest.adding([TestRequest.octets(OID.msEncryptedKeyHash, [1, 2, 3])])
        self.expect(.unsupportedAlgorithm, 0x8009_1002) { try parse([short]).verifyEncryptedKeyHash() }
        let hash = try TestRequest.octets(OID.msEncryptedKeyHash, Digest.sha1.hash(self.request.encryptedKey))
        self.expect(.malformed, 0x8007_000D) { _ = try parse([TestRequest.adding([hash, hash])]) }
    }

    @Test("An encrypted key anywhere but in the outermost first unsigned attributes is misplaced")
    func misplacedKey() throws {
        let key = self.request.keyAttribute
        let plain = TaggedRequest.certificationRequest(bodyPartID: 1, derBytes: try self.request.pkcs10().derBytes)
        let inPKCS10 = TaggedRequest.certificationRequest(
            bodyPartID: 1,
            derBytes: try self.request.pkcs10(attributes: [PKCSAttribute(type: key.type, values: key.values)]).derBytes)
        let control = TaggedAttribute(bodyPartID: 2, type: key.type, values: key.values)
        let wrong: [(PKIData, signed: [CMSAttribute], unsigned: [CMSAttribute])] = [
            (PKIData(controls: [], requests: [plain]), [key], []),
            (PKIData(controls: [], requests: [inPKCS10]), [], []),
            (PKIData(controls: [control], requests: [plain]), [], []),
            (PKIData(controls: [try TestRequest.adding([key])], requests: [plain]), [], []),
            (PKIData(controls: [], requests: [plain]), [], [key, key]),
            (
                PKIData(controls: [], requests: [plain]), [],
                [CMSAttribute(type: key.type, values: key.values + key.values)]
            ),
        ]
        for (pkiData, signed, unsigned) in wrong {
            let message = try self.request.message(
                pkiData: pkiData, signedAttributes: signed, unsignedAttributes: unsigned)
            self.expect(.badArchivalAttribute, 0x8009_400C) { _ = try FullPKIRequest(derEncoded: message) }
        }
    }

    @Test("An encrypted key at a second signer is misplaced")
    func keyAtSecondSigner() throws {
        let signedData = try SignedData(contentInfoDER: self.request.message())
        let first = try signedData.signerInfos[0].replacingUnsignedAttributes([])
        let message = try signedData.replacingSignerInfos([first, signedData.signerInfos[0]]).contentInfoDER()
        self.expect(.badArchivalAttribute, 0x8009_400C) { _ = try FullPKIRequest(derEncoded: message) }
    }

    @Test("A wrong outer signature, and one by another key, are wrong signatures")
    func badSignature() throws {
        let draft = try FullPKIRequest.Draft(
            certificationRequest: self.request.pkcs10(), encryptedKey: self.request.encryptedKey, templateName: nil,
            signatureAlgorithm: .sha256WithRSA)
        var signature = try self.request.user.sign(draft.bytesToSign[0])
        signature[0] ^= 1
        for wrong in [signature, try TestIdentities.rsa.get().sign(draft.bytesToSign[0])] {
            let parsed = try FullPKIRequest(derEncoded: draft.assemble(signatures: [wrong]))
            self.expect(.badSignature, 0x8009_0006) { try parsed.verifySignatures() }
        }
    }

    @Test("A PKCS #10 that is not signed with its own key is a wrong signature")
    func badProofOfPossession() throws {
        let good = try self.request.pkcs10()
        let stolen = try CertificationRequest(
            derEncoded: SignedObject.assemble(
                tbs: good.infoBytes, algorithm: .sha256WithRSA,
                signature: TestIdentities.rsa.get().sign(good.infoBytes)))
        let draft = try FullPKIRequest.Draft(
            certificationRequest: stolen, encryptedKey: nil, templateName: nil, signatureAlgorithm: .sha256WithRSA)
        let parsed = try FullPKIRequest(
            derEncoded: draft.assemble(signatures: [self.request.user.sign(draft.bytesToSign[0])]))
        self.expect(.badSignature, 0x8009_0006) { try parsed.verifySignatures() }
    }

    @Test("No request, two requests and a CRMF request are refused as invalid data")
    func notExactlyOneRequest() throws {
        let tcr = TaggedRequest.certificationRequest(bodyPartID: 1, derBytes: try self.request.pkcs10().derBytes)
        let second = TaggedRequest.certificationRequest(bodyPartID: 5, derBytes: try self.request.pkcs10().derBytes)
        let crm = TaggedRequest.other([0xA1, 0x02, 0x30, 0x00])
        for requests in [[], [tcr, second], [crm], [tcr, crm]] {
            let message = try self.request.message(
                pkiData: PKIData(controls: [], requests: requests), unsignedAttributes: [])
            self.expect(.malformed, 0x8007_000D) { _ = try FullPKIRequest(derEncoded: message) }
        }
    }

    @Test("Repeated body part numbers, references elsewhere and nested messages are refused")
    func inconsistentBodyParts() throws {
        let tcr = TaggedRequest.certificationRequest(bodyPartID: 1, derBytes: try self.request.pkcs10().derBytes)
        let elsewhere = try TaggedAttribute(
            bodyPartID: 2, type: OID.cmcAddAttributes, value: AddAttributes(certReferences: [7], attributes: []))
        let wrong = [
            PKIData(controls: [try TestRequest.adding([], bodyPartID: 1)], requests: [tcr]),
            PKIData(controls: [elsewhere], requests: [tcr]),
            PKIData(controls: [], requests: [tcr], cmsSequence: [[0x30, 0x00]]),
            PKIData(controls: [], requests: [tcr], otherMessages: [[0x30, 0x00]]),
        ]
        for pkiData in wrong {
            let message = try self.request.message(pkiData: pkiData, unsignedAttributes: [])
            self.expect(.malformed, 0x8007_000D) { _ = try FullPKIRequest(derEncoded: message) }
        }
    }

    @Test("A message without a signer has the code for it")
    func noSigner() throws {
        let signedData = try SignedData(contentInfoDER: self.request.message()).replacingSignerInfos([])
        self.expect(.noSigner, 0x8009_200E) { _ = try FullPKIRequest(derEncoded: signedData.contentInfoDER()) }
    }

    @Test("Another content than PKIData, and another message than SignedData, have the code for a wrong type")
    func wrongType() throws {
        let pkiData = PKIData(
            controls: [], requests: [.certificationRequest(bodyPartID: 1, derBytes: try self.request.pkcs10().derBytes)]
        )
        let message = try self.request.message(pkiData: pkiData, eContentType: OID.data, unsignedAttributes: [])
        self.expect(.wrongContentType, 0x8009_1004) { _ = try FullPKIRequest(derEncoded: message) }
        self.expect(.wrongContentType, 0x8009_1004) {
            _ = try FullPKIRequest(derEncoded: self.request.encryptedKey)
        }
    }

    @Test("Trailing bytes, after the message and inside PKIData, are refused")
    func trailingBytes() throws {
        let message = try self.request.message()
        self.expect(.trailingBytes, 0x8009_3109) { _ = try FullPKIRequest(derEncoded: message + [0]) }
        let content = try StrictDER.serialize(FullPKIRequest(derEncoded: message).pkiData) + [0]
        let draft = try SignedDataDraft(
            eContentType: OID.pkiData, eContent: content, signer: .subjectKeyIdentifier([1]),
            signatureAlgorithm: .sha256WithRSA)
        self.expect(.trailingBytes, 0x8009_3109) {
            _ = try FullPKIRequest(derEncoded: draft.assemble(signature: [1]))
        }
    }

    @Test("Damaged requests are refused or read as they are, and none of them still verifies as it was")
    func sweep() throws {
        let message = try self.request.message()
        Sweep.truncation(message, step: 13) { _ = try FullPKIRequest(derEncoded: $0) }
        Sweep.byteFlips(message, step: 5) { damaged in
            let parsed = try FullPKIRequest(derEncoded: damaged)
            _ = try parsed.removingEncryptedKey()
            do {
                try parsed.verifySignatures()
                try parsed.verifyEncryptedKeyHash()
                // The signer's name and the version of an algorithm's parameters are covered by nothing.
                #expect(parsed.encryptedKeyAttribute == self.request.encryptedKey)
            } catch {
                #expect(error is PKIMessageError)
            }
            return try parsed.signedData.contentInfoDER()
        }
    }
}

@Suite("CMC regInfo")
struct RegInfoTests {
    @Test(
        "Pairs are separated by & and may end with it",
        arguments: [("A=1&B=2&", 2), ("A=1&B=2", 2), ("A=1", 1), ("", 0), ("A=", 1), ("A=b=c", 1)])
    func pairs(text: String, count: Int) throws {
        #expect(try RegInfo(octets: Array(text.utf8)).pairs.count == count)
    }

    @Test("Parts without a name or =, and text that is not UTF-8, are refused", arguments: ["A", "=1", "A=1&B"])
    func malformed(text: String) throws {
        #expect(throws: PKIMessageError.malformed("", "")) { try RegInfo(octets: Array(text.utf8)) }
        #expect(throws: PKIMessageError.malformed("", "")) { try RegInfo(octets: [0x41, 0x3D, 0xFF]) }
    }

    @Test("What cannot be read back is not written")
    func unwritable() throws {
        #expect(try RegInfo(pairs: [.init(name: "A", value: "1")]).octets() == Array("A=1&".utf8))
        for pair in [
            RegInfo.Pair(name: "", value: "1"), .init(name: "A=", value: ""), .init(name: "A", value: "1&B=2"),
        ] {
            #expect(throws: PKIMessageError.malformed("", "")) { try RegInfo(pairs: [pair]).octets() }
        }
    }
}
