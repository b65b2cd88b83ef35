import CAService
import CertificateAuthority
import Diagnostics
import Foundation
import PKIMessages

extension WindowsTool {
    static let databaseVerbs: [WindowsVerb] = [
        WindowsVerb("schema", "[attrib | crl]", "Dump the database schema: columns, types and largest sizes", 0...1) {
            try $0.schema()
        },
        WindowsVerb(
            "view", "[queue | log | logfail | revoked | attrib | crl] [csv]",
            "Dump rows of the database (-restrict Column=Value, -out Column,Column)", 0...2
        ) { try await $0.view() },
        WindowsVerb(
            "ImportCert", "Certfile [ExistingRow]",
            "Import a certificate file into the database (-f: of another CA; ExistingRow: for the pending request)",
            1...2
        ) { try await $0.importCertificate() },
    ]
}

extension WindowsSession {
    fileprivate func schema() throws {
        let table = try DatabaseTable.named(self.values.first)
        Console.say("Schema:")
        let rows = table.columns.map { [$0.name, $0.heading, $0.type, $0.size] }
        for line in DatabaseTable.lines(["Column Name", "Localized Name", "Type", "MaxLength"], rows) {
            Console.say("  " + line)
        }
    }

    fileprivate func view() async throws {
        var words = self.values.map { $0.lowercased() }
        let isCSV = words.last == "csv"
        if isCSV { words.removeLast() }
        guard words.count <= 1 else { throw WindowsUsageError("-view takes one list, and csv") }
        if words.first == "crl" { return try await self.viewLists(isCSV: isCSV) }
        let list = try RequestList(words.first)
        let columns = try self.columns(list)
        let restrictions = try RowRestriction.parse(self.arguments["restrict"])
        let instance = try self.instance()
        let output = isCSV ? RowOutput(columns: columns, format: .csv) : nil
        var count = 0
        var query = RequestQuery()
        query.limit = .max
        query.isDescending = false
        query.disposition = list.only
        _ = try await instance.requests(matching: query, by: instance.localOperator()) { row in
            guard list.contains(row.request.disposition), restrictions.allSatisfy({ $0.fits(row) }) else { return }
            count += 1
            if let output { return output.add(row) }
            Console.say("Row \(count):")
            for column in columns { self.say(column, row) }
            Console.say("")
        }
        guard !isCSV else { return }
        Console.say("Maximum Row Index: \(count)")
        Console.say("")
        Console.say("\(count) Rows")
    }

    private func columns(_ list: RequestList) throws -> [RequestColumn] {
        guard let text = self.arguments["out"] else {
            return RequestColumn.all.filter { column in
                list == .attributes ? ["RequestID", "RequestAttributes"].contains(column.name) : true
            }
        }
        return try text.split(separator: ",").map { name in
            guard let column = RequestColumn.named(name.trimmingCharacters(in: .whitespaces)) else {
                throw WindowsUsageError("There is no column \(name)", advice: "See certutil -schema.")
            }
            return column
        }
    }

    private func say(_ column: RequestColumn, _ row: RequestRow) {
        switch column.value(row) {
        case .none: Console.say("  \(column.heading): EMPTY")
        case .number(let number): Console.say("  \(column.heading): 0x\(String(number, radix: 16)) (\(number))")
        case .date(let date): Console.say("  \(column.heading): \(self.time.text(date))")
        case .text(let text):
            let lines = text.split(whereSeparator: \.isNewline)
            guard lines.count > 1 else { return Console.say("  \(column.heading): \"\(text)\"") }
            Console.say("  \(column.heading):")
            for line in lines { Console.say("    \(line)") }
        case .binary(let bytes):
            Console.say("  \(column.heading):")
            let label = column.name == "RawCertificate" ? "CERTIFICATE" : "NEW CERTIFICATE REQUEST"
            let pem = TextEncoding.pem(bytes, label: label).split(separator: "\n")
            let shown = ["RawCertificate", "RawRequest"].contains(column.name) ? pem : pem.dropFirst().dropLast()
            for line in shown { Console.say(String(line)) }
        }
    }

    /// `ExistingRow` is a word: the row is that of the pending request for the certificate's key.
    fileprivate func importCertificate() async throws {
        let row = self.values.dropFirst().first
        guard row == nil || row?.lowercased() == "existingrow" else {
            throw WindowsUsageError("-ImportCert takes Certfile and ExistingRow")
        }
        let instance = try self.instance()
        let done = try await instance.importCertificate(
            CertificateImportOrder(
                certificate: FilePaths.read(self.values[0]), isForced: self.isForced, answersPending: row != nil),
            by: instance.localOperator())
        Console.say("RequestId: \(done.requestID)")
    }

    private func viewLists(isCSV: Bool) async throws {
        let instance = try self.instance()
        let lists = try await instance.crls(limit: .max, for: instance.localOperator())
        let headings = [
            "CRL Number", "CRL Base Number", "CRL Key Index", "CRL This Update", "CRL Next Update", "CRL Size",
        ]
        if isCSV { Console.say(headings.map { "\"\($0)\"" }.joined(separator: ",")) }
        for (index, list) in lists.reversed().enumerated() {
            let values = [
                "\(list.number)", list.baseNumber.map { "\($0)" } ?? "EMPTY", "\(list.caKeyIndex)",
                self.time.text(list.thisUpdate), self.time.text(list.nextUpdate), "\(list.byteCount)",
            ]
            if isCSV {
                Console.say(values.map { "\"\($0)\"" }.joined(separator: ","))
            } else {
                Console.say("Row \(index + 1):")
                for (heading, value) in zip(headings, values) { Console.say("  \(heading): \(value)") }
                Console.say("")
            }
        }
        if !isCSV { Console.say("\(lists.count) Rows") }
    }
}

/// Which rows `-view` shows.
enum RequestList: Equatable {
    case all, queue, log, failed, revoked, attributes

    init(_ name: String?) throws {
        switch name {
        case nil: self = .all
        case "queue": self = .queue
        case "log": self = .log
        case "logfail": self = .failed
        case "revoked": self = .revoked
        case "attrib": self = .attributes
        case "ext":
            throw WindowsUsageError(
                "The database has no table of extensions", advice: "They are in the certificate: certutil -dump FILE.")
        case let name?:
            throw WindowsUsageError(
                "There is no list \"\(name)\"", advice: "Known are queue, log, logfail, revoked, attrib and crl.")
        }
    }

    /// The only disposition that the list has, where it has one: the storage finds those by an index.
    var only: Disposition? {
        switch self {
        case .queue: .pending
        case .revoked: .revoked
        default: nil
        }
    }

    func contains(_ disposition: Disposition) -> Bool {
        switch self {
        case .all, .attributes: true
        case .queue: disposition == .pending
        case .log: ![.pending, .active].contains(disposition)
        case .failed: [.denied, .error].contains(disposition)
        case .revoked: disposition == .revoked
        }
    }
}

/// `Column=Value`, with `=`, `<`, `>`, `<=` or `>=`.
struct RowRestriction {
    private let column: RequestColumn
    private let relation: String
    private let value: String

    static func parse(_ text: String?) throws -> [RowRestriction] {
        try (text ?? "").split(separator: ",").map { part in
            for relation in ["<=", ">=", "=", "<", ">"] {
                guard let range = part.range(of: relation) else { continue }
                let name = part[..<range.lowerBound].trimmingCharacters(in: .whitespaces)
                guard let column = RequestColumn.named(name) else {
                    throw WindowsUsageError("There is no column \(name)", advice: "See certutil -schema.")
                }
                return RowRestriction(
                    column: column, relation: relation,
                    value: part[range.upperBound...].trimmingCharacters(in: .whitespaces))
            }
            throw WindowsUsageError("-restrict \(part): Column=Value is expected")
        }
    }

    func fits(_ row: RequestRow) -> Bool {
        switch self.column.value(row) {
        case .none: return self.relation == "=" && self.value.uppercased() == "EMPTY"
        case .number(let number):
            let wanted =
                self.value.lowercased().hasPrefix("0x") ? Int64(self.value.dropFirst(2), radix: 16) : Int64(self.value)
            return wanted.map { self.holds(number, $0) } ?? false
        case .date(let date):
            // `try?`: what is no time fits no row.
            let wanted = (try? RequestFilter.date(self.value))
            return wanted.map { self.holds(date, $0) } ?? false
        case .text(let text): return self.holds(text.lowercased(), self.value.lowercased())
        case .binary: return false
        }
    }

    private func holds<C: Comparable>(_ left: C, _ right: C) -> Bool {
        switch self.relation {
        case "<=": left <= right
        case ">=": left >= right
        case "<": left < right
        case ">": left > right
        default: left == right
        }
    }
}
