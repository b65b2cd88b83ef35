import PKIMessages
import SecretMemory

/// One share of the key that seals an archived key.
///
///     KeyShare ::= SEQUENCE {
///         version       INTEGER (1),
///         setIdentifier OCTET STRING (SIZE (16)),
///         threshold     INTEGER (2..127),
///         index         INTEGER (1..127),
///         value         OCTET STRING (SIZE (32)) }
///
/// Every field has one length, so the DER is always 63 bytes, and is read and written in locked memory.
package struct KeyShare: Sendable {
    /// Which sealed key it belongs to.
    package let setIdentifier: [UInt8]
    /// How many shares open it.
    package let threshold: Int
    /// Which share it is.
    package let index: Int
    let value: SecretBytes

    static let setIdentifierBytes = 16
    static let valueBytes = 32
    static let maximumCount = 127
    private static let derBytes = 63
    /// Before set identifier, threshold, index and value.
    private static let tags: [(offset: Int, bytes: [UInt8])] = [
        (0, [0x30, 61, 0x02, 1, 1, 0x04, 16]), (23, [0x02, 1]), (26, [0x02, 1]), (29, [0x04, 32]),
    ]
    private static let what = "share of an archived key"

    init(setIdentifier: [UInt8], threshold: Int, index: Int, value: SecretBytes) {
        self.setIdentifier = setIdentifier
        self.threshold = threshold
        self.index = index
        self.value = value
    }

    /// - Throws: ``PKIMessageError`` with `malformed` for anything but the one encoding.
    init(derEncoded secret: SecretBytes) throws {
        self = try secret.withUnsafeBytes { bytes in
            guard bytes.count == Self.derBytes,
                Self.tags.allSatisfy({ bytes[$0.offset..<$0.offset + $0.bytes.count].elementsEqual($0.bytes) }),
                (2...Self.maximumCount).contains(Int(bytes[25])), (1...Self.maximumCount).contains(Int(bytes[28]))
            else { throw PKIMessageError.malformed(Self.what, "it is not the encoding of a share") }
            return KeyShare(
                setIdentifier: Array(bytes[7..<23]), threshold: Int(bytes[25]), index: Int(bytes[28]),
                value: try SecretBytes(copying: UnsafeRawBufferPointer(rebasing: bytes[31..<Self.derBytes])))
        }
    }

    /// The DER.
    func encoded() throws -> SecretBytes {
        try SecretBytes(capacity: Self.derBytes) { buffer in
            for tag in Self.tags { buffer[tag.offset..<tag.offset + tag.bytes.count].copyBytes(from: tag.bytes) }
            buffer[7..<23].copyBytes(from: self.setIdentifier)
            buffer[25] = UInt8(self.threshold)
            buffer[28] = UInt8(self.index)
            self.value.withUnsafeBytes { buffer[31..<Self.derBytes].copyBytes(from: $0) }
            return Self.derBytes
        }
    }

    /// SHA-256 of the DER. It stands beside the sealed key, so that a wrong share is known by name; the value has 256
    /// random bits, so that its hash gives nothing away.
    func digest() throws -> [UInt8] {
        var state = DigestState(.sha256)
        try self.encoded().withUnsafeBytes { state.update($0) }
        return state.finalize()
    }

    /// The share as a message to one agent, that any CMS program can open with the agent's key.
    func message(
        to agent: CertificateFields, transport: TransportPadding, random: @Sendable (Int) throws -> [UInt8]
    ) throws -> EnvelopedData {
        // Under AES-CBC any content does.
        try EnvelopedData.sealing(
            privateKey: self.encoded(), to: [agent], encryption: .aes256CBC, transport: transport, random: random)
    }

    /// Opens a message with the content-encryption key that the agent's card has decrypted.
    ///
    /// - Throws: ``PKIMessageError``: `unsupportedAlgorithm`, `decryptionFailed`, `malformed`.
    init(_ message: EnvelopedData, contentEncryptionKey: SecretBytes) throws {
        guard case .aes256CBC(let vector) = message.contentEncryptionAlgorithm else {
            throw PKIMessageError.unsupportedAlgorithm(Self.what, "other than AES-256-CBC")
        }
        guard contentEncryptionKey.count == 32 else { throw PKIMessageError.decryptionFailed(Self.what) }
        try self.init(
            derEncoded: SymmetricCipher.aes256CBC.decrypt(
                message.encryptedContent, key: contentEncryptionKey, iv: vector))
    }
}
