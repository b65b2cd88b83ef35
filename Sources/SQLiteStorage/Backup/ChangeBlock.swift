import CertificateAuthority
import Foundation
import GRDB

/// Changes of one table, as an increment holds them.
///
///     table      text
///     columns    number, then their names
///     records    1: a range of keys (first, length less one) whose rows are replaced by those that follow
///                2: all rows of the table are replaced by those that follow
///                3: a row: a value for each column
///                4: a row that replaces the one with the same key
///                0: the end
///
/// Numbers are variable-length; a text is its length and UTF-8; a value is its kind (0 NULL, 1 integer as 8 bytes, 2 text,
/// 3 blob, 4 floating point as 8 bytes) and content.
struct ChangeBlock {
    static let maximumBytes = 4 << 20

    enum Record: Equatable {
        case range(ClosedRange<Int64>)
        case everything
        case row([DatabaseValue])
        case replacement([DatabaseValue])
    }

    let table: String
    let columns: [String]
    private(set) var bytes: [UInt8]

    init(table: String, columns: [String]) {
        self.table = table
        self.columns = columns
        self.bytes = []
        self.bytes.reserveCapacity(Self.maximumBytes)
        Self.append(table, to: &self.bytes)
        VariableLength.append(UInt64(columns.count), to: &self.bytes)
        for column in columns { Self.append(column, to: &self.bytes) }
    }

    var isFull: Bool { self.bytes.count >= Self.maximumBytes }

    mutating func append(_ record: Record) {
        switch record {
        case .range(let range):
            self.bytes.append(1)
            VariableLength.append(UInt64(bitPattern: range.lowerBound), to: &self.bytes)
            VariableLength.append(UInt64(range.upperBound - range.lowerBound), to: &self.bytes)
        case .everything: self.bytes.append(2)
        case .row(let values): self.append(values, tag: 3)
        case .replacement(let values): self.append(values, tag: 4)
        }
    }

    mutating func finish() {
        self.bytes.append(0)
    }

    private mutating func append(_ values: [DatabaseValue], tag: UInt8) {
        self.bytes.append(tag)
        for value in values {
            switch value.storage {
            case .null: self.bytes.append(0)
            case .int64(let number):
                self.bytes.append(1)
                withUnsafeBytes(of: number.bigEndian) { self.bytes.append(contentsOf: $0) }
            case .string(let text):
                self.bytes.append(2)
                Self.append(text, to: &self.bytes)
            case .blob(let data):
                self.bytes.append(3)
                VariableLength.append(UInt64(data.count), to: &self.bytes)
                self.bytes.append(contentsOf: data)
            case .double(let number):
                self.bytes.append(4)
                withUnsafeBytes(of: number.bitPattern.bigEndian) { self.bytes.append(contentsOf: $0) }
            }
        }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        VariableLength.append(UInt64(text.utf8.count), to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }
}

/// Reads a ``ChangeBlock``.
struct ChangeBlockReader {
    private static let maximumColumns = 200

    let table: String
    let columns: [String]
    private var rest: ArraySlice<UInt8>
    private var isAtEnd = false

    /// - Throws: ``StorageError`` with code `corrupt`.
    init(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        self.table = try Self.text(&rest)
        let count = try Self.number(&rest)
        guard count <= UInt64(Self.maximumColumns) else { throw Self.corrupt }
        self.columns = try (0..<count).map { _ in try Self.text(&rest) }
        self.rest = rest
    }

    /// - Returns: `nil` at the end.
    mutating func next() throws -> ChangeBlock.Record? {
        guard !self.isAtEnd else { return nil }
        switch self.rest.popFirst() {
        case 0:
            guard self.rest.isEmpty else { throw Self.corrupt }
            self.isAtEnd = true
            return nil
        case 1:
            let first = Int64(bitPattern: try Self.number(&self.rest))
            let length = try Self.number(&self.rest)
            let (last, overflow) = first.addingReportingOverflow(Int64(clamping: length))
            guard !overflow, length <= UInt64(Int64.max) else { throw Self.corrupt }
            return .range(first...last)
        case 2: return .everything
        case 3: return .row(try self.columns.map { _ in try Self.value(&self.rest) })
        case 4: return .replacement(try self.columns.map { _ in try Self.value(&self.rest) })
        default: throw Self.corrupt
        }
    }

    private static var corrupt: StorageError { .corrupt("changes", "read the changes of a backup") }

    private static func number(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
        guard let number = VariableLength.next(&rest) else { throw Self.corrupt }
        return number
    }

    private static func bytes(_ count: UInt64, _ rest: inout ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
        guard count <= UInt64(rest.count) else { throw Self.corrupt }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }

    private static func text(_ rest: inout ArraySlice<UInt8>) throws -> String {
        let bytes = try self.bytes(self.number(&rest), &rest)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Self.corrupt }
        return text
    }

    private static func integer(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
        try self.bytes(8, &rest).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func value(_ rest: inout ArraySlice<UInt8>) throws -> DatabaseValue {
        switch rest.popFirst() {
        case 0: .null
        case 1: Int64(bitPattern: try self.integer(&rest)).databaseValue
        case 2: try self.text(&rest).databaseValue
        case 3: Data(try self.bytes(self.number(&rest), &rest)).databaseValue
        case 4: Double(bitPattern: try self.integer(&rest)).databaseValue
        default: throw Self.corrupt
        }
    }
}
