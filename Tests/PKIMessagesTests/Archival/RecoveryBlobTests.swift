import Diagnostics
import SecretMemory
import SwiftASN1
import Testing

@testable import PKIMessages

@Suite("Key recovery blob")
struct RecoveryBlobTests {
    private let authority: TestIdentity
    private let agent: TestIdentity
    private let user: TestIdentity
    private let archivedKey: [UInt8]

    init() throws {
        self.authority = try TestIdentities.ec.get()
        self.agent = try TestIdentities.recipient.get()
        self.user = try TestIdentities.user.get()
        self.archivedKey = try EnvelopedData.sealing(
            privateKey: SecretBytes(copying: self.user.keyDER), to: [self.agent.certificate],
            encryption: .aesKeyWrapPadded,
            transport: .oaep(.sha1), random: LibCrypto.randomBytes
        ).contentInfoDER()
    }

    private func blob(certificates: [[UInt8]]? = nil) throws -> [UInt8] {
        let draft = try RecoveryBlob.draft(
            archivedKeyDER: self.archivedKey, userCertificateDER: self.user.certificateDER,
            certificates: certificates
                ?? [self.user.certificateDER, self.authority.certificateDER, self.agent.certificateDER],
            signer: self.authority.name, signatureAlgorithm: .ecdsaWithSHA256)
        return try draft.assemble(signature: self.authority.sign(draft.bytesToSign))
    }

    /// A blob with any content type and content, signed rightly.
    private func blob(type: ASN1ObjectIdentifier, content: [UInt8], attributes: [CMSAttribute]? = nil) throws -> [UInt8]
    {
        let hash = try TestRequest.octets(OID.msArchivedKeyCertHash, Digest.sha1.hash(self.user.certificateDER))
        let draft = try SignedDataDraft(
            eContentType: type, eContent: content, signer: .issuerAndSerialNumber(self.authority.name),
            signatureAlgorithm: .ecdsaWithSHA256, signedAttributes: attributes ?? [hash])
        return try draft.assemble(signature: self.authority.sign(draft.bytesToSign))
    }

    @Test("A blob is verified with the CA's key and gives back the user's key to the agent")
    func recover() throws {
        let message = try self.blob()
        let blob = try RecoveryBlob(derEncoded: message)
        try blob.verifySignature(key: self.authority.publicKey)
        #expect(blob.userCertificateHash == Digest.sha1.hash(self.user.certificateDER))
        #expect(try blob.userCertificate() == self.user.certificateDER)
        #expect(try blob.envelopedData.contentInfoDER() == self.archivedKey)
        #expect(try blob.signedData.contentInfoDER() == message)

        let recipient = try blob.envelopedData.recipient(namingOneOf: [self.agent.certificate]).recipient
        let key = try SecretBytes(copying: self.agent.decrypt(recipient.encryptedKey, recipient.keyEncryption))
        let opened = try blob.envelopedData.openPrivateKey(contentEncryptionKey: key)
        #expect(try opened.matches(self.user.publicKey))
    }

    @Test("openssl prints the blob, verifies it, and finds the archived key in it")
    func judgedByOpenSSL() async throws {
        let openssl = try OpenSSLJudge()
        try self.authority.place(in: openssl)
        try openssl.write(self.blob(), to: "message")
        let printed = try await openssl.run("cms", "-cmsout", "-print", "-inform", "DER", "-in", "@message")
        #expect(printed.contains("1.3.6.1.4.1.311.21.16"))
        try await openssl.run(
            "cms", "-verify", "-inform", "DER", "-in", "@message", "-CAfile", "@certificate.pem", "-purpose", "any",
            "-binary", "-out", "@content")
        #expect(try openssl.read("content") == self.archivedKey)
    }

    @Test("The content may also be an EnvelopedData by its own type, in an OCTET STRING or as PKCS #7 has it")
    func otherContentTypes() throws {
        let inner = try ContentInfo(derEncoded: self.archivedKey).contentDER
        let octets = try RecoveryBlob(derEncoded: self.blob(type: OID.envelopedData, content: inner))
        #expect(try octets.envelopedData.contentInfoDER() == self.archivedKey)
        try octets.verifySignature(key: self.authority.publicKey)

        // PKCS #7: the element itself inside [0]; its content octets are what is hashed.
        let content = try DER.parse(inner)
        guard case .constructed(let children) = content.content else {
            Issue.record("an EnvelopedData is constructed")
            return
        }
        let hashed = children.flatMap { Array($0.encodedBytes) }
        let signedData = try SignedData(contentInfoDER: self.blob(type: OID.envelopedData, content: hashed))
        let encapsulated = try StrictDER.serialize { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                try coder.serialize(OID.envelopedData)
                coder.appendConstructedNode(identifier: .contextSpecific(0)) { $0.serializeRawBytes(inner) }
            }
        }
        let message = try SignedData(
            version: 3, digestAlgorithms: signedData.digestAlgorithms,
            encapContentInfo: StrictDER.parse(EncapsulatedContentInfo.self, encapsulated, what: "content"),
            certificates: [], signerInfos: signedData.signerInfos
        ).contentInfoDER()
        let pkcs7 = try RecoveryBlob(derEncoded: message)
        #expect(try pkcs7.envelopedData.contentInfoDER() == self.archivedKey)
        try pkcs7.verifySignature(key: self.authority.publicKey)
    }

    @Test("Another content, a missing hash and a missing signer each have their code")
    func refusals() throws {
        let expectations: [(PKIMessageError, () throws -> [UInt8])] = [
            (
                .wrongContentType("", expected: "", found: ""),
                { try self.blob(type: OID.pkiData, content: self.archivedKey) }
            ),
            (
                .wrongContentType("", expected: "", found: ""),
                { try self.blob(type: OID.data, content: SignedData.degenerate(certificates: [])) }
            ),
            (.malformed("", ""), { try self.blob(type: OID.data, content: self.archivedKey, attributes: []) }),
            (.noSigner(""), { try SignedData(contentInfoDER: self.blob()).replacingSignerInfos([]).contentInfoDER() }),
        ]
        for (error, make) in expectations {
            let message = try make()
            #expect(throws: error) { try RecoveryBlob(derEncoded: message) }
        }
        #expect(throws: PKIMessageError.malformed("", "")) {
            try RecoveryBlob.draft(
                archivedKeyDER: [0x30, 0x00], userCertificateDER: [], certificates: [], signer: self.authority.name,
                signatureAlgorithm: .ecdsaWithSHA256)
        }
    }

    @Test("A blob without the user's certificate, and one that somebody else signed, are refused")
    func wrongCertificateAndSigner() throws {
        let blob = try RecoveryBlob(derEncoded: self.blob(certificates: [self.agent.certificateDER]))
        #expect(throws: PKIMessageError.hashMismatch("")) { try blob.userCertificate() }
        let other = try TestIdentity(.p256, name: "Another authority")
        #expect(throws: PKIMessageError.badSignature("")) { try blob.verifySignature(key: other.publicKey) }
    }

    @Test("Damaged blobs are refused or read as they are")
    func sweep() throws {
        let message = try self.blob()
        Sweep.truncation(message, step: 23) { _ = try RecoveryBlob(derEncoded: $0) }
        Sweep.byteFlips(message, step: 17) { damaged in
            let blob = try RecoveryBlob(derEncoded: damaged)
            return try blob.signedData.contentInfoDER()
        }
    }
}
