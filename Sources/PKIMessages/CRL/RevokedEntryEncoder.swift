#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Writes the entries of a revocation list one after another (RFC 5280, section 5.1.2.6), so that a list of a million
/// needs no more memory than one.
package struct RevokedEntryEncoder {
    /// DER of the extension list of each reason: there are at most nine, so they are encoded once.
    private let extensions: [CRLReason: [UInt8]]

    package init() throws {
        self.extensions = try Dictionary(
            uniqueKeysWithValues: CRLReason.allCases.filter { $0 != .unspecified }.map { reason in
                (reason, try ExtensionEncoding.list([ExtensionEncoding.crlReason(reason)]))
            })
    }

    /// Appends the DER of one entry.
    ///
    /// - Throws: ``PKIMessageError`` with code `invalidValue` for a serial number that is none, or a time out of range.
    package func append(_ entry: RevokedEntry, to bytes: inout [UInt8]) throws {
        try SerialNumber.check(entry.serialNumber)
        let extensions = try self.extensions(of: entry)
        let time = try EncodedTime.encoded(entry.revocationDate)
        bytes += DERHeader.encoded(
            identifier: 0x30, contentBytes: 2 + entry.serialNumber.count + time.count + extensions.count)
        bytes.append(0x02)
        bytes.append(UInt8(entry.serialNumber.count))
        bytes += entry.serialNumber
        bytes += time
        bytes += extensions
    }

    private func extensions(of entry: RevokedEntry) throws -> [UInt8] {
        guard let invalidityDate = entry.invalidityDate else {
            return entry.reason.flatMap { self.extensions[$0] } ?? []
        }
        var list = [try ExtensionEncoding.invalidityDate(invalidityDate)]
        if let reason = entry.reason, reason != .unspecified {
            list.insert(try ExtensionEncoding.crlReason(reason), at: 0)
        }
        return try ExtensionEncoding.list(list)
    }
}

extension EncodedTime {
    /// The DER element that ``write(_:into:)`` writes, without a serializer: a long list has a million of them.
    static func encoded(_ date: Date) throws -> [UInt8] {
        let civil = try CivilTime(date)
        let isGeneralized = civil.year >= 2050
        var element: [UInt8] = isGeneralized ? [0x18, 15] : [0x17, 13]
        element.reserveCapacity(17)
        func append(_ number: Int) {
            element.append(UInt8(ascii: "0") + UInt8(number / 10))
            element.append(UInt8(ascii: "0") + UInt8(number % 10))
        }
        if isGeneralized { append(civil.year / 100) }
        append(civil.year % 100)
        append(civil.month)
        append(civil.day)
        append(civil.hours)
        append(civil.minutes)
        append(civil.seconds)
        element.append(UInt8(ascii: "Z"))
        return element
    }
}
