import ArgumentParser
import CertificateAuthority
import Foundation

enum RowFormat: String, ExpressibleByArgument {
    case table, csv, json
    /// Only the request's number.
    case numbers
}

/// Prints rows as they come; a table when all are there.
final class RowOutput {
    private let columns: [RequestColumn]
    private let format: RowFormat
    private var table: [[String]] = []
    private var count = 0

    init(columns: [RequestColumn], format: RowFormat) {
        self.columns = columns
        self.format = format
        if format == .csv { Console.say(columns.map { RowOutput.quoted($0.heading) }.joined(separator: ",")) }
    }

    func add(_ row: RequestRow) {
        switch self.format {
        case .numbers: Console.say("\(row.request.requestID)")
        case .table:
            self.table.append(self.columns.map { RowOutput.short($0, row) })
        case .csv:
            Console.say(self.columns.map { RowOutput.quoted(RowOutput.text($0.value(row))) }.joined(separator: ","))
        case .json:
            let members = self.columns.map { "\(RowOutput.json($0.name)):\(RowOutput.json($0.value(row)))" }
            Console.say((self.count == 0 ? "[" : ",") + "{" + members.joined(separator: ",") + "}")
        }
        self.count += 1
    }

    func finish() {
        switch self.format {
        case .numbers, .csv: break
        case .table: Console.table(self.columns.map(\.heading), self.table)
        case .json: Console.say(self.count == 0 ? "[]" : "]")
        }
    }

    /// Every column of one row that has a value, a line each.
    static func printAll(_ row: RequestRow) {
        let lines = RequestColumn.all.compactMap { column -> [String]? in
            column.value(row) == .none ? nil : [column.name, RowOutput.short(column, row)]
        }
        Console.table(["Column", "Value"], lines)
    }

    /// As a person reads it, on one line.
    private static func short(_ column: RequestColumn, _ row: RequestRow) -> String {
        switch column.value(row) {
        case .binary(let bytes): "(\(bytes.count) bytes)"
        case .number(let number) where column.name == "Disposition": "\(number) \(row.request.disposition)"
        case .number(let number) where column.name == "RequestFlags":
            "0x\(String(number, radix: 16)) \(row.request.flags.names.joined(separator: " "))"
        case .none: "-"
        case let value: RowOutput.text(value).split(whereSeparator: \.isNewline).joined(separator: "; ")
        }
    }

    private static func text(_ value: RequestColumn.Value) -> String {
        switch value {
        case .none: ""
        case .number(let number): "\(number)"
        case .date(let date): Output.time(date)
        case .text(let text): text
        case .binary(let bytes): Data(bytes).base64EncodedString()
        }
    }

    /// RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe before it.
    private static func quoted(_ text: String) -> String {
        let safe = text.first.map { "=+-@\t\r".contains($0) } ?? false ? "'" + text : text
        guard safe.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return safe }
        return "\"" + safe.replacing("\"", with: "\"\"") + "\""
    }

    private static func json(_ value: RequestColumn.Value) -> String {
        switch value {
        case .none: "null"
        case .number(let number): "\(number)"
        case .date, .text, .binary: RowOutput.json(RowOutput.text(value))
        }
    }

    private static func json(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20: result += String(format: "\\u%04x", scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
