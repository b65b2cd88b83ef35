import Foundation
import PKIMessages

/// One list between its snapshot of the database and its signature.
struct CRLDraft: Sendable {
    var list: TBSCertList
    let kind: CRLKind
    let scope: CRLScope
    let issuedWhen: Date
    /// The newest revocation change that the snapshot shows.
    let changeNumber: Int64
    let entryCount: Int
    let entries: SpooledBytes
    let frame: TBSCertList.Frame

    /// - Parameter list: without entries.
    init(
        list: TBSCertList, kind: CRLKind, scope: CRLScope, issuedWhen: Date, changeNumber: Int64, entryCount: Int,
        entries: SpooledBytes
    ) throws {
        self.list = list
        self.kind = kind
        self.scope = scope
        self.issuedWhen = issuedWhen
        self.changeNumber = changeNumber
        self.entryCount = entryCount
        self.entries = entries
        self.frame = try list.frame(entryBytes: entries.count)
    }

    /// The length of the bytes to sign.
    var toBeSignedBytes: Int { self.frame.head.count + self.entries.count + self.frame.tail.count }

    func forEachChunk(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try self.frame.head.withUnsafeBytes(body)
        try self.entries.forEachChunk(body)
        try self.frame.tail.withUnsafeBytes(body)
    }

    /// The hash of the bytes to sign.
    func hash(_ digest: Digest) throws -> [UInt8] {
        var state = DigestState(digest)
        try self.forEachChunk { state.update($0) }
        return state.finalize()
    }

    /// The bytes to sign, in memory.
    func toBeSigned() throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(self.toBeSignedBytes)
        try self.forEachChunk { bytes += $0 }
        return bytes
    }

    /// The signed list: its row, and for a large one its file.
    func signed(
        _ signature: [UInt8], algorithm: SignatureAlgorithmIdentifier, directory: String?
    ) throws -> CRLRecord {
        let outer = try SignedObject.frame(
            tbsBytes: self.toBeSignedBytes, algorithm: algorithm, signature: signature)
        var record = CRLRecord(
            number: self.list.number, caKeyIndex: self.scope.caKeyIndex, thisUpdate: self.list.thisUpdate,
            nextUpdate: self.list.nextUpdate, crlDER: [], kind: self.kind, shard: self.scope.shard,
            issuedWhen: self.issuedWhen, nextPublish: self.list.nextPublish, baseNumber: self.list.baseNumber,
            changeNumber: self.changeNumber, entryCount: self.entryCount,
            byteCount: outer.head.count + self.toBeSignedBytes + outer.tail.count)
        guard self.entries.isInFile, let directory else {
            record.crlDER = try outer.head + self.toBeSigned() + outer.tail
            return record
        }
        let name = "\(record.number)-\(self.kind.rawValue).crl"
        try CRLFile.create("\(directory)/\(name)") { write in
            try outer.head.withUnsafeBytes(write)
            try self.forEachChunk(write)
            try outer.tail.withUnsafeBytes(write)
        }
        record.fileName = name
        return record
    }
}
