package import Foundation

/// What can be read of revocations and revocation lists. All methods throw `StorageError`.
package protocol RevocationReading: ReplacementReading, NoticeReading {
    /// Lends every revocation that `query` describes to `body`, one after another in the order of the serial numbers:
    /// a large CA has more than fit in memory.
    func forEachRevocation(_ query: RevocationQuery, _ body: (RevokedCertificate) throws -> Void) throws

    /// The number of the newest change of a revocation; 0 when there was none. Every revocation, hold and release
    /// has one of its own.
    func highestRevocationChange() throws -> Int64

    /// The shards in which a CA key has certificates, 0 always among them, in order.
    func crlShards(caKeyIndex: Int) throws -> [Int]

    /// The highest number of a CRL, or of an intent to sign one whatever its outcome; 0 when there was none.
    func highestCRLNumber() throws -> UInt64

    func latestCRL(_ scope: CRLScope, _ kind: CRLKind) throws -> CRLRecord?
    /// Newest first, without their bytes.
    func crls(limit: Int) throws -> [CRLRecord]
    func crl(number: UInt64, kind: CRLKind) throws -> CRLRecord?
}

extension RevocationReading {
    /// The newest base CRL of a CA key without shards.
    package func latestCRL(caKeyIndex: Int) throws -> CRLRecord? {
        try self.latestCRL(CRLScope(caKeyIndex: caKeyIndex), .base)
    }
}

/// What can be written of them, inside one transaction.
package protocol RevocationWriting: RevocationReading, ReplacementWriting, NoticeWriting {
    /// A number that no list has had and none will have again.
    func reserveCRLNumber() throws -> UInt64
    /// Makes every later number higher than `number`: after a restore of an older database.
    func raiseCRLNumber(to number: UInt64) throws

    func insert(_ crl: CRLRecord) throws
    /// Notes the outcome of an attempt to publish: the time, or why it failed.
    func setPublication(of crl: CRLRecord, publishedWhen: Date?, error: String?) throws
}
