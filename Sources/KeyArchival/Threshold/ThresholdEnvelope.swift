import PKIMessages
import SecretMemory
import SwiftASN1

/// An archived key that several agents have to open together.
///
/// The EnvelopedData that any one agent could open is sealed once more, under a random key of 256 bits with AES-256 key
/// wrap with padding (RFC 5649), which is authenticated. That sealing key is shared by ``SecretSharing``, and each share
/// is a message to one agent. So the private key's own encryption stays as the token made it, and neither its plaintext
/// nor its content-encryption key is seen by the host; the sealing key is, in locked memory, and opens nothing by itself.
///
/// It is an EnvelopedData, too: each recipient is an OtherRecipientInfo of type ``OID/thresholdShare`` with
///
///     ThresholdShareInfo ::= SEQUENCE {
///         version       INTEGER (1),
///         setIdentifier OCTET STRING (SIZE (16)),
///         threshold     INTEGER (2..127),
///         index         INTEGER (1..127),
///         shareDigest   OCTET STRING (SIZE (32)),  -- SHA-256 of the KeyShare
///         share         ContentInfo }              -- EnvelopedData to one agent, its content a KeyShare
package struct ThresholdEnvelope: Sendable {
    /// What can be known of a share without opening it.
    struct Sealed: Sendable {
        let index: Int
        let digest: [UInt8]
        let message: EnvelopedData
        let recipient: KeyTransRecipientInfo
    }

    /// How many shares open it.
    package let threshold: Int
    /// How many there are.
    package var count: Int { self.shares.count }
    let setIdentifier: [UInt8]
    /// In the order of their indices, 1 to n.
    let shares: [Sealed]
    private let sealedContent: [UInt8]
    private static let what = "sealed archived key"

    /// Seals an archived key to agents, of whom `threshold` have to act together.
    ///
    /// - Parameters:
    ///   - envelopedData: what any one of the agents can open.
    ///   - agents: with distinct keys, at least `threshold`.
    /// - Throws: ``ArchivalError`` with code `noValidAgent` (0x8009400B) for fewer agents, or two with one key.
    static func sealing(
        _ envelopedData: EnvelopedData, to agents: [CertificateFields], threshold: Int, transport: TransportPadding,
        random: @Sendable (Int) throws -> [UInt8]
    ) throws -> EnvelopedData {
        let keys = Set(agents.map(\.subjectPublicKeyInfo.sha256)).count
        guard (2...KeyShare.maximumCount).contains(threshold), threshold <= keys, keys == agents.count,
            keys <= KeyShare.maximumCount
        else { throw ArchivalError.tooFewForThreshold(threshold, distinctKeys: keys) }
        var bytes = try random(KeyShare.valueBytes)
        let sealingKey = try SecretBytes(moving: &bytes)
        let setIdentifier = try random(KeyShare.setIdentifierBytes)
        let values = try SecretSharing.split(sealingKey, threshold: threshold, count: agents.count, random: random)
        let recipients = try zip(agents, values).enumerated().map { position, pair in
            let share = KeyShare(
                setIdentifier: setIdentifier, threshold: threshold, index: position + 1, value: pair.1)
            let message = try share.message(to: pair.0, transport: transport, random: random)
            return OtherRecipientInfo(
                type: OID.thresholdShare,
                valueDER: try StrictDER.serialize(
                    ShareInfo(
                        setIdentifier: setIdentifier, threshold: threshold, index: share.index,
                        digest: share.digest(), messageDER: message.contentInfoDER())))
        }
        return try EnvelopedData(
            otherRecipients: recipients, contentEncryptionAlgorithm: .aes256WrapPad,
            encryptedContent: SymmetricCipher.aesKeyWrapPadded(
                SecretBytes(copying: envelopedData.contentInfoDER()), under: sealingKey))
    }

    /// - Returns: `nil` for an archived key that one agent opens.
    /// - Throws: ``PKIMessageError`` with `malformed` for a sealed key that is not one of these to the last field.
    init?(_ envelopedData: EnvelopedData) throws {
        let others = try envelopedData.otherRecipients().filter { $0.type == OID.thresholdShare }
        guard !others.isEmpty else { return nil }
        let infos = try others.map { try StrictDER.parse(ShareInfo.self, $0.valueDER, what: Self.what) }
            .sorted { $0.index < $1.index }
        guard let first = infos.first, others.count == envelopedData.recipientInfos.count,
            envelopedData.contentEncryptionAlgorithm == .aes256WrapPad,
            envelopedData.encryptedContentType == OID.data, infos.map(\.index) == Array(1...infos.count),
            first.threshold <= infos.count,
            infos.allSatisfy({ $0.setIdentifier == first.setIdentifier && $0.threshold == first.threshold })
        else { throw PKIMessageError.malformed(Self.what, "its shares do not belong together") }
        self.threshold = first.threshold
        self.setIdentifier = first.setIdentifier
        self.sealedContent = envelopedData.encryptedContent
        self.shares = try infos.map { info in
            let message = try EnvelopedData(contentInfoDER: info.messageDER)
            guard let recipient = message.recipients.first, message.recipientInfos.count == 1 else {
                throw PKIMessageError.malformed(Self.what, "a share is not for one agent")
            }
            return Sealed(index: info.index, digest: info.digest, message: message, recipient: recipient)
        }
    }

    /// Checks that a share is one of this key's, unchanged.
    ///
    /// - Parameter holder: who gave it, for the error.
    /// - Throws: ``ArchivalError``: `foreignShare` for another key's, `badShare` for one that was changed.
    func check(_ share: KeyShare, from holder: String) throws {
        guard share.setIdentifier == self.setIdentifier else { throw ArchivalError.foreignShare(holder) }
        guard share.threshold == self.threshold, let sealed = self.shares.first(where: { $0.index == share.index }),
            try share.digest() == sealed.digest
        else { throw ArchivalError.badShare(holder) }
    }

    /// Opens the seal.
    ///
    /// - Parameter shares: checked, at least ``threshold``, each once.
    /// - Returns: what any one of the agents can open.
    /// - Throws: ``ArchivalError``: `sharesNeeded`, `duplicateShare`; ``PKIMessageError`` with `decryptionFailed` when
    ///   the sealed content was changed.
    func open(with shares: [KeyShare]) throws -> EnvelopedData {
        var seen: Set<Int> = []
        for share in shares where !seen.insert(share.index).inserted {
            throw ArchivalError.duplicateShare(share.index)
        }
        guard shares.count >= self.threshold else {
            throw ArchivalError.sharesNeeded(self.threshold, of: self.count, present: shares.count)
        }
        let key = try SecretSharing.combine(shares.map { (UInt8($0.index), $0.value) })
        let content = try SymmetricCipher.aesKeyUnwrapPadded(self.sealedContent, under: key)
        return try EnvelopedData(contentInfoDER: content.withUnsafeBytes { Array($0) })
    }
}

/// The value of a recipient: see ``ThresholdEnvelope``.
private struct ShareInfo: DERParseable, DERSerializable {
    let setIdentifier: [UInt8]
    let threshold: Int
    let index: Int
    let digest: [UInt8]
    let messageDER: [UInt8]

    init(setIdentifier: [UInt8], threshold: Int, index: Int, digest: [UInt8], messageDER: [UInt8]) {
        self.setIdentifier = setIdentifier
        self.threshold = threshold
        self.index = index
        self.digest = digest
        self.messageDER = messageDER
    }

    init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            let version = try Int(derEncoded: &nodes)
            let info = ShareInfo(
                setIdentifier: Array(try ASN1OctetString(derEncoded: &nodes).bytes),
                threshold: try Int(derEncoded: &nodes), index: try Int(derEncoded: &nodes),
                digest: Array(try ASN1OctetString(derEncoded: &nodes).bytes),
                messageDER: StrictDER.raw(try StrictDER.next(&nodes, "share")))
            guard version == 1, info.setIdentifier.count == KeyShare.setIdentifierBytes, info.digest.count == 32,
                (2...KeyShare.maximumCount).contains(info.threshold), (1...KeyShare.maximumCount).contains(info.index)
            else { throw ASN1Error.invalidASN1Object(reason: "a share has a value out of its range") }
            return info
        }
    }

    func serialize(into coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(1)
            try coder.serialize(ASN1OctetString(contentBytes: self.setIdentifier[...]))
            try coder.serialize(self.threshold)
            try coder.serialize(self.index)
            try coder.serialize(ASN1OctetString(contentBytes: self.digest[...]))
            coder.serializeRawBytes(self.messageDER)
        }
    }
}
