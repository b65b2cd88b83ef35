import PKIMessages

/// Which of a CA's certificates one is: every renewal has the next index, every new key the next key index.
package struct CACertificatePosition: Hashable, Sendable {
    /// 0 for the first certificate.
    package let index: Int
    /// 0 for the first key.
    package let keyIndex: Int
    /// SHA-1 of the certificate that it follows; `nil` for the first.
    package let previousSHA1: [UInt8]?

    package static let first = CACertificatePosition(index: 0, keyIndex: 0, previousSHA1: nil)

    package init(index: Int, keyIndex: Int, previousSHA1: [UInt8]?) {
        self.index = index
        self.keyIndex = keyIndex
        self.previousSHA1 = previousSHA1
    }

    /// The one that follows the newest certificate.
    ///
    /// - Throws: ``IssuanceError`` with code `invalidCACertificate` when there is none.
    package init(following records: [CACertificateRecord], hasNewKey: Bool) throws {
        let own = records.filter { $0.use == .own }
        guard let newest = own.max(by: { $0.index < $1.index }) else {
            throw IssuanceError.invalidCACertificate("this instance has no certificate of its own yet")
        }
        let highestKey = own.map(\.keyIndex).max() ?? 0
        self.init(
            index: newest.index + 1, keyIndex: hasNewKey ? highestKey + 1 : newest.keyIndex,
            previousSHA1: Digest.sha1.hash(newest.certificateDER))
    }

    /// 1.3.6.1.4.1.311.21.1: certificate index in the low, key index in the high 16 bits.
    package var version: Int { self.keyIndex << 16 | self.index }
}
