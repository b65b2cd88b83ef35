import Diagnostics
import Foundation
import SwiftASN1
import Testing

@testable import PKIMessages

@Suite("CMC full response")
struct FullPKIResponseTests {
    private let authority: TestIdentity
    private let issued: TestIdentity
    private let keyHash = Digest.sha1.hash([1, 2, 3])

    init() throws {
        self.authority = try TestIdentities.ec.get()
        self.issued = try TestIdentities.user.get()
    }

    private func response(
        _ statusInfo: CMCStatusInfo, issued: FullPKIResponse.Issued?
    ) throws -> (draft: SignedDataDraft, message: [UInt8]) {
        let draft = try FullPKIResponse.draft(
            statusInfo: statusInfo, issued: issued,
            certificates: [self.authority.certificateDER] + (issued.map { [$0.certificateDER] } ?? []),
            signer: self.authority.name, signatureAlgorithm: .ecdsaWithSHA256)
        return (draft, try draft.assemble(signature: self.authority.sign(draft.bytesToSign)))
    }

    private func issuedResponse(keyHash: [UInt8]?) throws -> (draft: SignedDataDraft, message: [UInt8]) {
        try self.response(
            .issued(bodyPartID: 1),
            issued: .init(certificateDER: self.issued.certificateDER, encryptedKeyHash: keyHash))
    }

    @Test("The content is as long as in captured responses: 111 bytes, and 150 with an archived key")
    func contentLength() throws {
        #expect(try self.issuedResponse(keyHash: nil).draft.eContent.count == 111)
        #expect(try self.issuedResponse(keyHash: self.keyHash).draft.eContent.count == 150)
    }

    @Test("The content has the parts of captured responses, each in its encoding")
    func contentBytes() throws {
        let content = try self.issuedResponse(keyHash: self.keyHash).draft.eContent
        let statusType: [UInt8] = [0x02, 0x01, 0x01, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x07, 0x01, 0x31]
        #expect(Array(content[0..<3]) == [0x30, 0x81, 0x93])
        #expect(Array(content.suffix(4)) == [0x30, 0x00, 0x30, 0x00])
        #expect(content.firstRange(of: statusType) != nil)
        #expect(content.firstRange(of: [0x30, 0x03, 0x02, 0x01, 0x01, 0x0C, 0x06] + Array("Issued".utf8)) != nil)
        #expect(content.firstRange(of: [0x04, 0x14] + self.keyHash) != nil)
        #expect(content.firstRange(of: [0x04, 0x14] + Digest.sha1.hash(self.issued.certificateDER)) != nil)
    }

    @Test("A response is read back, verified with the CA's key, and judged good by openssl")
    func roundTrip() async throws {
        let (_, message) = try self.issuedResponse(keyHash: self.keyHash)
        let parsed = try FullPKIResponse(derEncoded: message)
        #expect(parsed.statusInfo == .issued(bodyPartID: 1))
        #expect(parsed.statusInfo.statusString == "Issued")
        #expect(try parsed.issuedCertificate() == self.issued.certificateDER)
        #expect(parsed.encryptedKeyHash == self.keyHash)
        #expect(parsed.signedData.version == 3)
        #expect(parsed.signedData.signerInfos.map(\.version) == [1])
        #expect(parsed.signedData.signerInfos.map { $0.signedAttributes?.count } == [2])
        #expect(parsed.signedData.certificates == [self.authority.certificateDER, self.issued.certificateDER])
        try parsed.verifySignature(key: self.authority.publicKey)
        #expect(throws: PKIMessageError.unsupportedAlgorithm("", "")) {
            try parsed.verifySignature(key: self.issued.publicKey)
        }
        #expect(try parsed.signedData.contentInfoDER() == message)

        let openssl = try OpenSSLJudge()
        try self.authority.place(in: openssl)
        try openssl.write(message, to: "message")
        try await openssl.run(
            "cms", "-verify", "-inform", "DER", "-in", "@message", "-CAfile", "@certificate.pem", "-purpose", "any",
            "-binary", "-out", "@content")
        #expect(try PKIResponse(derEncoded: openssl.read("content")) == parsed.pkiResponse)
        let printed = try await openssl.run("cms", "-cmsout", "-print", "-inform", "DER", "-in", "@message")
        #expect(printed.contains("id-cct-PKIResponse") || printed.contains("1.3.6.1.5.5.7.12.3"))
    }

    @Test("A pending response carries the request's number, and no certificate")
    func pending() throws {
        let pendInfo = PendInfo(requestID: 0x0102_0304, pendTime: Date(timeIntervalSince1970: 1_800_000_000))
        #expect(pendInfo.pendToken == [4, 3, 2, 1])
        let (_, message) = try self.response(.pending(bodyPartID: 1, pendInfo: pendInfo), issued: nil)
        let parsed = try FullPKIResponse(derEncoded: message)
        #expect(parsed.statusInfo.status == .pending)
        #expect(parsed.statusInfo.statusString == "Taken Under Submission")
        #expect(parsed.statusInfo.pendInfo == pendInfo)
        #expect(parsed.statusInfo.pendInfo?.requestID == 0x0102_0304)
        #expect(try parsed.issuedCertificate() == nil)
        #expect(parsed.pkiResponse.controls.count == 1)
    }

    @Test("A denied response says why, and nothing else")
    func denied() throws {
        let (_, message) = try self.response(
            .failed(bodyPartID: 1, dispositionMessage: "Denied by Policy Module"), issued: nil)
        let parsed = try FullPKIResponse(derEncoded: message)
        #expect(parsed.statusInfo.status == .failed)
        #expect(parsed.statusInfo.statusString == "Denied by Policy Module")
        #expect(parsed.statusInfo.otherInfo == nil)
    }

    @Test("A failInfo is read")
    func failInfo() throws {
        let info = CMCStatusInfo(status: .failed, bodyList: [1], statusString: nil, otherInfo: .failInfo(6))
        let bytes = try StrictDER.serialize(info)
        #expect(try StrictDER.parse(CMCStatusInfo.self, bytes, what: "status") == info)
    }

    @Test("A requester tells a missing, an unexpected and a wrong echo of its key's hash apart")
    func keyHashChecks() throws {
        let with = try FullPKIResponse(derEncoded: self.issuedResponse(keyHash: self.keyHash).message)
        let without = try FullPKIResponse(derEncoded: self.issuedResponse(keyHash: nil).message)
        try with.verifyEncryptedKeyHash(sent: self.keyHash)
        try without.verifyEncryptedKeyHash(sent: nil)
        let cases: [(FullPKIResponse, [UInt8]?, PKIMessageError.Code, UInt32)] = [
            (without, self.keyHash, .responseKeyHashNotFound, 0x8009_5002),
            (with, nil, .responseKeyHashUnexpected, 0x8009_5003),
            (with, Digest.sha1.hash([4]), .responseKeyHashMismatch, 0x8009_5004),
        ]
        for (response, sent, code, hresult) in cases {
            let error = #expect(throws: PKIMessageError.self) { try response.verifyEncryptedKeyHash(sent: sent) }
            #expect(error?.code == code)
            #expect(error?.hresult.rawValue == hresult)
            #expect(error?.advice.isEmpty == false)
        }
    }

    @Test("A response that names a certificate it does not bring is refused")
    func missingCertificate() throws {
        let draft = try FullPKIResponse.draft(
            statusInfo: .issued(bodyPartID: 1),
            issued: .init(certificateDER: self.issued.certificateDER, encryptedKeyHash: nil),
            certificates: [self.authority.certificateDER], signer: self.authority.name,
            signatureAlgorithm: .ecdsaWithSHA256)
        let parsed = try FullPKIResponse(derEncoded: draft.assemble(signature: [1]))
        #expect(throws: PKIMessageError.hashMismatch("")) { try parsed.issuedCertificate() }
    }

    @Test("A request is not taken for a response")
    func wrongType() throws {
        #expect(throws: PKIMessageError.wrongContentType("", expected: "", found: "")) {
            try FullPKIResponse(derEncoded: TestRequest().message())
        }
    }

    @Test("Damaged responses are refused or read as they are")
    func sweep() throws {
        let pendInfo = PendInfo(requestID: 7, pendTime: Date(timeIntervalSince1970: 1_800_000_000))
        let (_, pending) = try self.response(.pending(bodyPartID: 1, pendInfo: pendInfo), issued: nil)
        let (_, issued) = try self.issuedResponse(keyHash: self.keyHash)
        for message in [pending, issued] {
            Sweep.truncation(message, step: 11) { _ = try FullPKIResponse(derEncoded: $0) }
            Sweep.byteFlips(message, step: 7) { damaged in
                let parsed = try FullPKIResponse(derEncoded: damaged)
                return try parsed.signedData.contentInfoDER()
            }
        }
    }
}
