package import Foundation
import PKIMessages

/// The certificates that one revocation list speaks of: those of one CA key, or of one of its shards.
package struct CRLScope: Sendable, Hashable {
    /// Which CA key signed the certificates and signs the list, counted from 0.
    package var caKeyIndex: Int
    /// 0 for certificates issued without shards, 1... for the others; a certificate keeps its shard for ever.
    package var shard: Int

    package init(caKeyIndex: Int, shard: Int = 0) {
        self.caKeyIndex = caKeyIndex
        self.shard = shard
    }
}

/// Complete or delta.
package enum CRLKind: String, Sendable, Codable, CaseIterable {
    case base
    case delta
}

/// One signed revocation list.
package struct CRLRecord: Sendable, Equatable {
    package var number: UInt64
    package var kind: CRLKind
    package var caKeyIndex: Int
    package var shard: Int
    /// The moment of the snapshot that it shows; ``thisUpdate`` is earlier by the clock skew.
    package var issuedWhen: Date
    package var thisUpdate: Date
    package var nextUpdate: Date
    /// When the next one is to be published; `nil` for lists of an older version.
    package var nextPublish: Date?
    /// Number of the complete list that a delta list adds to.
    package var baseNumber: UInt64?
    /// The newest revocation change that it shows: see ``RevocationReading/highestRevocationChange()``.
    package var changeNumber: Int64
    /// `nil` for lists of an older version.
    package var entryCount: Int?
    /// The length of the signed list.
    package var byteCount: Int
    /// The signed list; empty for a large one, which is in the file ``fileName``.
    package var crlDER: [UInt8]
    /// Name of the file in the instance's directory of large lists; `nil` when the list is in ``crlDER``.
    package var fileName: String?
    /// SHA-256 of the to-be-signed bytes of a list in a file; `nil` for others, and for files of an older version.
    package var toBeSignedSHA256: [UInt8]?
    /// When it was at every place of publication; `nil` before.
    package var publishedWhen: Date?
    /// Why the last attempt to publish it failed.
    package var publicationError: String?

    package init(
        number: UInt64, caKeyIndex: Int, thisUpdate: Date, nextUpdate: Date, crlDER: [UInt8], kind: CRLKind = .base,
        shard: Int = 0, issuedWhen: Date? = nil, nextPublish: Date? = nil, baseNumber: UInt64? = nil,
        changeNumber: Int64 = 0, entryCount: Int? = nil, byteCount: Int? = nil, fileName: String? = nil,
        toBeSignedSHA256: [UInt8]? = nil, publishedWhen: Date? = nil, publicationError: String? = nil
    ) {
        self.number = number
        self.kind = kind
        self.caKeyIndex = caKeyIndex
        self.shard = shard
        self.issuedWhen = issuedWhen ?? thisUpdate
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
        self.nextPublish = nextPublish
        self.baseNumber = baseNumber
        self.changeNumber = changeNumber
        self.entryCount = entryCount
        self.byteCount = byteCount ?? crlDER.count
        self.crlDER = crlDER
        self.fileName = fileName
        self.toBeSignedSHA256 = toBeSignedSHA256
        self.publishedWhen = publishedWhen
        self.publicationError = publicationError
    }

    package var scope: CRLScope { CRLScope(caKeyIndex: self.caKeyIndex, shard: self.shard) }
}

/// Which revocations a list shows.
package struct RevocationQuery: Sendable {
    package var scope: CRLScope
    /// The date of a revocation may lie in the future; it is shown from then on.
    package var effectiveUntil: Date
    /// Certificates that expired before are left out; `nil` for none.
    package var notExpiredAt: Date?
    /// For a delta list: what changed after that change, or became effective after that time, with holds that were
    /// taken away. `nil` for everything that is revoked.
    package var since: Since?

    package struct Since: Sendable {
        package var changeNumber: Int64
        package var effective: Date

        package init(changeNumber: Int64, effective: Date) {
            self.changeNumber = changeNumber
            self.effective = effective
        }
    }

    package init(scope: CRLScope, effectiveUntil: Date, notExpiredAt: Date? = nil, since: Since? = nil) {
        self.scope = scope
        self.effectiveUntil = effectiveUntil
        self.notExpiredAt = notExpiredAt
        self.since = since
    }
}

/// What a revocation list says of one certificate.
package struct RevokedCertificate: Sendable, Equatable {
    /// Content octets of the INTEGER.
    package var serialNumber: [UInt8]
    /// `CRLReason` number; 8 for a hold that was taken away.
    package var reason: Int
    package var effectiveWhen: Date
    package var invalidityWhen: Date?

    package init(serialNumber: [UInt8], reason: Int, effectiveWhen: Date, invalidityWhen: Date? = nil) {
        self.serialNumber = serialNumber
        self.reason = reason
        self.effectiveWhen = effectiveWhen
        self.invalidityWhen = invalidityWhen
    }
}

extension CertificateRecord {
    /// The content octets of a serial number as the tables write it; `nil` when it is not hexadecimal.
    package static func serialNumberContent(_ serialNumber: String) -> [UInt8]? {
        PKIMessages.SerialNumber.content(hex: serialNumber)
    }
}
