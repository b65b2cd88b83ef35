package import Foundation

/// Which requests are wanted, in which order, and where the page begins.
package struct RequestQuery: Sendable, Equatable {
    package enum Order: String, Sendable, CaseIterable {
        case number
        case submitted
        /// Only requests with a certificate have one.
        case expires
    }

    /// Where a page ends and the next one begins: the last row that was looked at.
    package struct Position: Sendable, Equatable, LosslessStringConvertible {
        /// Milliseconds since 1970 for the orders by time, 0 for the order by number.
        package var key: Int64
        package var requestID: Int64

        package init(key: Int64, requestID: Int64) {
            self.key = key
            self.requestID = requestID
        }

        package init?(_ description: String) {
            let parts = description.split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
            guard parts.count == 2, let key = parts[0], let requestID = parts[1] else { return nil }
            self.init(key: key, requestID: requestID)
        }

        package var description: String { "\(self.key):\(self.requestID)" }
    }

    package var disposition: Disposition?
    /// Compared without regard to the case of ASCII letters, as are template and subject.
    package var requesterName: String?
    package var templateName: String?
    /// RFC 4514 text of the subject asked for.
    package var subject: String?
    /// A part of it.
    package var subjectPart: String?
    /// Upper-case hexadecimal.
    package var serialNumber: String?
    package var numbers: ClosedRange<Int64>?
    package var submitted: ClosedRange<Date>?
    package var expires: ClosedRange<Date>?
    package var order = Order.number
    package var isDescending = true
    package var after: Position?
    /// At most that many rows.
    package var limit = 100
    /// At most that many rows are looked at for one page, so that no search, whatever it asks for, holds a snapshot of the
    /// database for long.
    package var effort = 5_000

    package init() {}

    package func matches(_ row: RequestRow) -> Bool {
        let request = row.request
        func same(_ wanted: String?, _ found: String?) -> Bool {
            guard let wanted else { return true }
            return found.map { wanted.caseInsensitiveCompare($0) == .orderedSame } ?? false
        }
        return (self.disposition.map { $0 == request.disposition } ?? true)
            && same(self.requesterName, request.requesterName) && same(self.templateName, request.templateName)
            && same(self.subject, request.subject) && same(self.serialNumber, row.certificate?.serialNumber)
            && (self.subjectPart.map { request.subject.range(of: $0, options: .caseInsensitive) != nil } ?? true)
            && (self.numbers?.contains(request.requestID) ?? true)
            && (self.submitted?.contains(request.submittedWhen) ?? true)
            && (self.expires.map { range in row.certificate.map { range.contains($0.notAfter) } ?? false } ?? true)
    }
}

/// One row of the queue with what belongs to it.
package struct RequestRow: Sendable, Equatable {
    package var request: RequestRecord
    package var certificate: CertificateRecord?
    package var archivedKey: ArchivedKeyRecord?

    package init(request: RequestRecord, certificate: CertificateRecord?, archivedKey: ArchivedKeyRecord?) {
        self.request = request
        self.certificate = certificate
        self.archivedKey = archivedKey
    }
}

package struct RequestPage: Sendable, Equatable {
    package var rows: [RequestRow]
    /// Where to go on; `nil` when nothing more follows. A page may be short, or empty, and others follow all the same.
    package var next: RequestQuery.Position?

    package init(rows: [RequestRow], next: RequestQuery.Position?) {
        self.rows = rows
        self.next = next
    }
}

/// Searching the queue. Part of ``StorageReading``. All methods throw `StorageError`.
package protocol RequestStorageReading {
    func requests(matching query: RequestQuery) throws -> RequestPage
    func requestRow(_ requestID: Int64) throws -> RequestRow?
}
