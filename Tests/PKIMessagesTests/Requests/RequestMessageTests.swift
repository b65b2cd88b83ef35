import SwiftASN1
import Testing
import X509

@testable import PKIMessages

@Suite("Requests in PKCS #7 and nested CMC messages")
struct RequestMessageTests {
    private let request: TestRequest
    private let agent: TestIdentity

    init() throws {
        self.request = try TestRequest()
        self.agent = try TestIdentities.ec.get()
    }

    private func pkcs7(signedAttributes: [CMSAttribute]? = nil) throws -> [UInt8] {
        let draft = try CosignedDataDraft(
            eContentType: OID.data, eContent: self.request.pkcs10().derBytes,
            signers: [
                .init(
                    .issuerAndSerialNumber(self.agent.name), algorithm: .ecdsaWithSHA256,
                    signedAttributes: signedAttributes)
            ], certificates: [self.agent.certificateDER])
        return try draft.assemble(signatures: draft.bytesToSign.map { try self.agent.sign($0) })
    }

    private func nested(_ message: [UInt8], unsignedAttributes: [CMSAttribute] = []) throws -> [UInt8] {
        let pkiData = try PKIData(
            nesting: message, regInfo: [.init(name: "RequesterName", value: "EXAMPLE\\bob")])
        let draft = try CosignedDataDraft(
            eContentType: OID.pkiData, eContent: StrictDER.serialize(pkiData),
            signers: [.init(.issuerAndSerialNumber(self.agent.name), algorithm: .ecdsaWithSHA256)])
        return try draft.assemble(
            signatures: draft.bytesToSign.map { try self.agent.sign($0) }, unsignedAttributes: unsignedAttributes)
    }

    @Test("A renewal is SignedData version 1 over id-data without signed attributes, as Windows writes it")
    func pkcs7Form() throws {
        let bytes = try self.pkcs7()
        let message = try RequestMessage(derEncoded: bytes)
        guard case .pkcs7(let parsed) = message.form else { Issue.record("not a PKCS #7"); return }
        #expect(parsed.signedData.version == 1)
        #expect(parsed.signedData.signerInfos.map(\.version) == [1])
        #expect(parsed.signedData.signerInfos[0].signedAttributes == nil)
        #expect(message.certificates == [self.agent.certificateDER])
        #expect(try message.storedBytes() == bytes)
        try message.verifyProofOfPossession()
        try message.furtherSignatures[0].verify(key: self.agent.publicKey)
        #expect(throws: PKIMessageError.self) {
            try message.furtherSignatures[0].verify(key: self.request.user.publicKey)
        }
    }

    @Test("A nested message gives the outer regInfo and the outer signature, and the inner proof of possession")
    func nestedForm() throws {
        let inner = try self.request.message(withKey: false)
        let message = try RequestMessage(derEncoded: self.nested(inner))
        #expect(message.nesting?.nestedDER == inner)
        #expect(message.regInfo.map(\.name) == ["RequesterName", "CertificateTemplate"])
        #expect(message.furtherSignatures.count == 1)
        try message.verifyProofOfPossession()
        try message.furtherSignatures[0].verify(key: self.agent.publicKey)
    }

    @Test("An encrypted key in a nested message, or on the agent's signature, is 0x8009400C")
    func nestedKey() throws {
        let inner = try self.request.message(withKey: true)
        let plain = try self.request.message(withKey: false)
        for bytes in [
            try self.nested(inner), try self.nested(plain, unsignedAttributes: [self.request.keyAttribute]),
        ] {
            let error = #expect(throws: PKIMessageError.self) { try RequestMessage(derEncoded: bytes) }
            #expect(error?.code == .badArchivalAttribute)
        }
    }

    @Test("A message in a message in a message is refused, and so are nine signatures")
    func limits() throws {
        let twice = try self.nested(self.nested(self.request.message(withKey: false)))
        #expect(throws: PKIMessageError.self) { try RequestMessage(derEncoded: twice) }
        let signer = CosignedDataDraft.Signer(
            .issuerAndSerialNumber(self.agent.name), algorithm: .ecdsaWithSHA256)
        let draft = try CosignedDataDraft(
            eContentType: OID.data, eContent: self.request.pkcs10().derBytes,
            signers: Array(repeating: signer, count: 9))
        let many = try draft.assemble(signatures: draft.bytesToSign.map { try self.agent.sign($0) })
        #expect(throws: PKIMessageError.self) { try RequestMessage(derEncoded: many) }
    }

    @Test("No truncation is accepted, and a changed byte is refused or written again as it is", arguments: [0, 1, 2])
    func sweep(form: Int) throws {
        let bytes =
            switch form {
            case 0: try self.pkcs7()
            case 1: try self.pkcs7(signedAttributes: [])
            default: try self.nested(self.request.message(withKey: false))
            }
        Sweep.truncation(bytes, step: 7) { _ = try RequestMessage(derEncoded: $0) }
        Sweep.byteFlips(bytes, step: 5) { damaged in try RequestMessage(derEncoded: damaged).storedBytes() }
    }

    @Test("Of a changed PKCS #7 request no signature verifies, wherever the change is in what is signed")
    func damage() throws {
        let bytes = try self.pkcs7(signedAttributes: [])
        let content = try self.request.pkcs10().derBytes
        let start = try #require(bytes.indices.first { bytes[$0...].starts(with: content) })
        for offset in stride(from: 4, to: content.count, by: 11) {
            var damaged = bytes
            damaged[start + offset] ^= 0x01
            #expect(throws: PKIMessageError.self, "byte \(offset)") {
                let message = try RequestMessage(derEncoded: damaged)
                try message.verifyProofOfPossession()
                for signature in message.furtherSignatures { try signature.verify(key: self.agent.publicKey) }
            }
        }
    }
}
