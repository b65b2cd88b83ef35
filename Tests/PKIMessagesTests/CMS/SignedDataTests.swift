import Diagnostics
import SwiftASN1
import Testing

@testable import PKIMessages

@Suite("CMS SignedData")
struct SignedDataTests {
    static let content = Array("a content to sign".utf8)

    /// A message that `openssl cms -sign` made.
    static func signedByOpenSSL(_ identity: TestIdentity, _ options: [String] = []) async throws -> [UInt8] {
        let openssl = try OpenSSLJudge()
        try identity.place(in: openssl)
        try openssl.write(self.content, to: "content")
        try await openssl.run(
            ["cms", "-sign", "-nodetach", "-binary", "-outform", "DER", "-in", "@content", "-out", "@message"]
                + ["-signer", "@certificate.pem", "-inkey", "@key.pem"] + options)
        return try openssl.read("message")
    }

    @Test("An RSA signature by openssl is verified with every digest", arguments: Digest.allCases)
    func rsaSignatureByOpenSSL(digest: Digest) async throws {
        let signer = try TestIdentities.rsa.get()
        let option = digest.rawValue.lowercased().replacing("-", with: "")
        let message = try await Self.signedByOpenSSL(signer, ["-md", option])
        let signedData = try SignedData(contentInfoDER: message)
        #expect(signedData.eContentType == OID.data)
        #expect(signedData.eContent == Self.content)
        #expect(signedData.certificates == [signer.certificateDER])
        #expect(signedData.signerInfos.map(\.sid) == [.issuerAndSerialNumber(signer.name)])
        #expect(signedData.signerInfos.map(\.signatureAlgorithm.algorithm) == [OID.rsaEncryption])
        try signedData.verifySignature(key: signer.publicKey, acceptsSHA1: digest == .sha1)
        #expect(try signedData.contentInfoDER() == message)
    }

    @Test("SHA-1 is refused where it is not asked for")
    func sha1() async throws {
        let signer = try TestIdentities.rsa.get()
        let signedData = try await SignedData(contentInfoDER: Self.signedByOpenSSL(signer, ["-md", "sha1"]))
        #expect(throws: PKIMessageError.unsupportedAlgorithm("", "")) {
            try signedData.verifySignature(key: signer.publicKey)
        }
    }

    @Test("An ECDSA signature by openssl is verified")
    func ecdsaSignatureByOpenSSL() async throws {
        let signer = try TestIdentities.ec.get()
        let signedData = try await SignedData(contentInfoDER: Self.signedByOpenSSL(signer))
        try signedData.verifySignature(key: signer.publicKey)
    }

    @Test("A signer named by its key identifier has version 3 and is verified")
    func keyIdentifier() async throws {
        let signer = try TestIdentities.rsa.get()
        let message = try await Self.signedByOpenSSL(signer, ["-keyid"])
        let signedData = try SignedData(contentInfoDER: message)
        #expect(signedData.signerInfos.map(\.version) == [3])
        #expect(signedData.signerInfos.map(\.sid) == [.subjectKeyIdentifier(signer.publicKey.keyIdentifier)])
        #expect(signedData.signerInfos[0].sid.names(signer.certificate))
        try signedData.verifySignature(key: signer.publicKey)
        #expect(try signedData.contentInfoDER() == message)
    }

    @Test("A signature without signed attributes is over the content")
    func withoutSignedAttributes() async throws {
        let signer = try TestIdentities.rsa.get()
        let message = try await Self.signedByOpenSSL(signer, ["-noattr", "-nocerts"])
        let signedData = try SignedData(contentInfoDER: message)
        #expect(signedData.signerInfos.map(\.signedAttributes) == [nil])
        try signedData.verifySignature(key: signer.publicKey)
        #expect(throws: PKIMessageError.badSignature("")) {
            try signedData.signerInfos[0].verify(
                content: Self.content + [0], contentType: OID.data, key: signer.publicKey)
        }
        #expect(throws: PKIMessageError.malformed("", "")) {
            try signedData.signerInfos[0].verify(
                content: Self.content, contentType: OID.pkiData, key: signer.publicKey)
        }
        #expect(try signedData.contentInfoDER() == message)
    }

    @Test("Another content is a wrong hash, another signature or key a wrong signature")
    func wrongContentSignatureAndKey() async throws {
        let signer = try TestIdentities.rsa.get()
        let signerInfo = try await SignedData(contentInfoDER: Self.signedByOpenSSL(signer)).signerInfos[0]
        #expect(throws: PKIMessageError.hashMismatch("")) {
            try signerInfo.verify(content: Self.content + [0], contentType: OID.data, key: signer.publicKey)
        }
        var signature = signerInfo.signature
        signature[10] ^= 1
        let changed = try SignerInfo(
            sid: signerInfo.sid, digestAlgorithm: signerInfo.digestAlgorithm,
            signedAttributesDER: signerInfo.signedAttributesDER, signatureAlgorithm: signerInfo.signatureAlgorithm,
            signature: signature, unsignedAttributes: [])
        #expect(throws: PKIMessageError.badSignature("")) {
            try changed.verify(content: Self.content, contentType: OID.data, key: signer.publicKey)
        }
        #expect(throws: PKIMessageError.badSignature("")) {
            try signerInfo.verify(
                content: Self.content, contentType: OID.data, key: TestIdentities.recipient.get().publicKey)
        }
    }

    @Test("Content type and message digest must be among the signed attributes, once each")
    func requiredAttributes() throws {
        let signer = try TestIdentities.ec.get()
        let type = try CMSAttribute(type: OID.contentType, value: OID.data)
        let otherType = try CMSAttribute(type: OID.contentType, value: OID.pkiData)
        let digest = try CMSAttribute(
            type: OID.messageDigest, value: ASN1OctetString(contentBytes: Digest.sha256.hash(Self.content)[...]))
        for attributes in [[type], [digest], [type, digest, digest], [type, type, digest], [otherType, digest]] {
            var coder = DER.Serializer()
            try coder.serializeSetOf(attributes)
            let signerInfo = try SignerInfo(
                sid: .issuerAndSerialNumber(signer.name), digestAlgorithm: .digest(.sha256),
                signedAttributesDER: coder.serializedBytes,
                signatureAlgorithm: SignatureAlgorithmIdentifier.ecdsaWithSHA256.inSignerInfo,
                signature: signer.sign(coder.serializedBytes), unsignedAttributes: [])
            #expect(throws: PKIMessageError.malformed("", "")) {
                try signerInfo.verify(content: Self.content, contentType: OID.data, key: signer.publicKey)
            }
        }
    }

    @Test("A signature algorithm with another hash than the digest algorithm is refused")
    func conflictingHashes() throws {
        let signer = try TestIdentities.ec.get()
        let draft = try SignedDataDraft(
            eContentType: OID.data, eContent: Self.content, signer: .issuerAndSerialNumber(signer.name),
            signatureAlgorithm: .ecdsaWithSHA256)
        let signerInfo = try SignerInfo(
            sid: draft.signer, digestAlgorithm: .digest(.sha256), signedAttributesDER: draft.bytesToSign,
            signatureAlgorithm: SignatureAlgorithmIdentifier.ecdsaWithSHA384.inSignerInfo,
            signature: signer.sign(draft.bytesToSign, .sha384), unsignedAttributes: [])
        #expect(throws: PKIMessageError.malformed("", "")) {
            try signerInfo.verify(content: Self.content, contentType: OID.data, key: signer.publicKey)
        }
    }

    @Test("Our messages are verified by openssl and read back", arguments: [true, false], [true, false])
    func oursVerifiedByOpenSSL(isRSA: Bool, byKeyIdentifier: Bool) async throws {
        let signer = try isRSA ? TestIdentities.rsa.get() : TestIdentities.ec.get()
        let extra = try CMSAttribute(
            type: OID.msArchivedKeyCertHash, value: ASN1OctetString(contentBytes: [UInt8](repeating: 7, count: 20)[...])
        )
        let draft = try SignedDataDraft(
            eContentType: OID.data, eContent: Self.content,
            signer: byKeyIdentifier
                ? .subjectKeyIdentifier(signer.publicKey.keyIdentifier) : .issuerAndSerialNumber(signer.name),
            signatureAlgorithm: isRSA ? .sha256WithRSA : .ecdsaWithSHA256, signedAttributes: [extra],
            certificates: [signer.certificateDER])
        let message = try draft.assemble(signature: signer.sign(draft.bytesToSign))

        let openssl = try OpenSSLJudge()
        try signer.place(in: openssl)
        try openssl.write(message, to: "message")
        try await openssl.run(
            "cms", "-verify", "-inform", "DER", "-in", "@message", "-CAfile", "@certificate.pem", "-purpose", "any",
            "-out",
            "@content", "-binary")
        #expect(try openssl.read("content") == Self.content)
        let printed = try await openssl.run("cms", "-cmsout", "-print", "-inform", "DER", "-in", "@message")
        #expect(printed.contains(isRSA ? "rsaEncryption" : "ecdsa-with-SHA256"))
        #expect(printed.contains("1.3.6.1.4.1.311.21.16"))

        let signedData = try SignedData(contentInfoDER: message)
        #expect(signedData.version == (byKeyIdentifier ? 3 : 1))
        #expect(signedData.signerInfos[0].signedAttributesDER == draft.bytesToSign)
        try signedData.verifySignature(key: signer.publicKey)
        #expect(try signedData.contentInfoDER() == message)
    }

    @Test("Signed attributes are written in DER order")
    func attributeOrder() throws {
        let long = CMSAttribute(type: [1, 2, 3], values: [[0x04, 0x01, 0x01]])
        let draft = try SignedDataDraft(
            eContentType: OID.data, eContent: [], signer: .subjectKeyIdentifier([1]),
            signatureAlgorithm: .ecdsaWithSHA256, signedAttributes: [long])
        let attributes = try DER.set(of: RawDER.self, identifier: .set, rootNode: DER.parse(draft.bytesToSign))
        #expect(attributes.map(\.bytes.count) == [11, 26, 49])
    }

    @Test("Certificates alone keep the order in which they are given")
    func degenerate() async throws {
        let certificates = try [TestIdentities.rsa, .init { try TestIdentities.ec.get() }].map {
            try $0.get().certificateDER
        }
        for order in [certificates, certificates.reversed()] {
            let message = try SignedData.degenerate(certificates: Array(order))
            #expect(try SignedData(contentInfoDER: message).certificates == Array(order))
            let openssl = try OpenSSLJudge()
            try openssl.write(message, to: "message")
            let printed = try await openssl.run("pkcs7", "-inform", "DER", "-in", "@message", "-print_certs", "-noout")
            let subjects = printed.split(separator: "\n").filter { $0.hasPrefix("subject") }
            #expect(subjects.count == 2)
            #expect(subjects.first?.contains(order.first == certificates[0] ? "RSA signer" : "EC signer") == true)
        }
    }

    @Test("A content in pieces is refused, because it is BER")
    func streamedContent() async throws {
        let message = try await Self.signedByOpenSSL(TestIdentities.ec.get(), ["-stream"])
        #expect(throws: PKIMessageError.malformed("", "")) { try SignedData(contentInfoDER: message) }

        // The same with definite lengths: 24 80-free, so that only the constructed OCTET STRING is wrong.
        var pieces = DER.Serializer()
        try pieces.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(OID.data)
            try coder.appendConstructedNode(identifier: .contextSpecific(0)) { coder in
                try coder.appendConstructedNode(identifier: .octetString) { coder in
                    try coder.serialize(ASN1OctetString(contentBytes: [1, 2]))
                }
            }
        }
        #expect(throws: PKIMessageError.malformed("", "")) {
            try StrictDER.parse(EncapsulatedContentInfo.self, pieces.serializedBytes, what: "content")
        }
    }

    @Test("An EnvelopedData is not taken for a SignedData, and trailing bytes are not taken at all")
    func wrongTypeAndTrailingBytes() throws {
        let enveloped = try ContentInfo(contentType: OID.envelopedData, contentDER: [0x30, 0x00]).derBytes
        let error = #expect(throws: PKIMessageError.self) { try SignedData(contentInfoDER: enveloped) }
        #expect(error?.code == .wrongContentType)
        #expect(error?.hresult.rawValue == 0x8009_1004)
        let message = try SignedData.degenerate(certificates: [])
        #expect(throws: PKIMessageError.trailingBytes("", count: 1)) {
            try SignedData(contentInfoDER: message + [0])
        }
    }

    @Test("A message without a signer has no signature to verify")
    func noSigner() throws {
        let signedData = try SignedData(contentInfoDER: SignedData.degenerate(certificates: []))
        #expect(throws: PKIMessageError.noSigner("")) {
            try signedData.verifySignature(key: TestIdentities.ec.get().publicKey)
        }
    }

    @Test("Damaged messages are refused or read as they are", arguments: [[], ["-noattr"], ["-keyid"]])
    func sweep(options: [String]) async throws {
        let signer = try TestIdentities.ec.get()
        let message = try await Self.signedByOpenSSL(signer, options)
        Sweep.truncation(message, step: 5) { _ = try SignedData(contentInfoDER: $0) }
        Sweep.byteFlips(message, step: 3) { damaged in
            let signedData = try SignedData(contentInfoDER: damaged)
            for index in signedData.signerInfos.indices {
                // `try?`: whether the signature still verifies is not asked here, only that nothing crashes.
                try? signedData.verifySignature(at: index, key: signer.publicKey)
            }
            return try signedData.contentInfoDER()
        }
    }
}
