import CertificateAuthority
import Diagnostics
import Foundation
import GRDB
import KeyProvider

/// Reads one row, and says which column is wrong when it cannot.
struct RowReader {
    let row: Row
    let operation: String

    func text(_ column: String) throws -> String { try self.value(column) }
    func textIfPresent(_ column: String) throws -> String? { try self.optional(column) }
    func integer(_ column: String) throws -> Int64 { try self.value(column) }
    func integerIfPresent(_ column: String) throws -> Int64? { try self.optional(column) }
    func int(_ column: String) throws -> Int { try self.value(column) }

    func bytes(_ column: String) throws -> [UInt8] {
        try self.row.withUnsafeData(named: column) { data in
            guard let data else { throw StorageError.corrupt(column, self.operation) }
            return Array(data)
        }
    }

    func bytesIfPresent(_ column: String) throws -> [UInt8]? {
        try self.row.withUnsafeData(named: column) { $0.map { Array($0) } }
    }

    /// Texts without blanks, separated by them.
    func list(_ column: String) throws -> [String] {
        try self.textIfPresent(column)?.split(separator: " ").map(String.init) ?? []
    }

    func date(_ column: String) throws -> Date { Date(storedMilliseconds: try self.integer(column)) }

    func dateIfPresent(_ column: String) throws -> Date? {
        try self.integerIfPresent(column).map(Date.init(storedMilliseconds:))
    }

    func code<C: RawRepresentable<Int>>(_ column: String) throws -> C {
        guard let code = C(rawValue: try self.int(column)) else { throw StorageError.corrupt(column, self.operation) }
        return code
    }

    func word<W: RawRepresentable<String>>(_ column: String) throws -> W {
        guard let word = W(rawValue: try self.text(column)) else { throw StorageError.corrupt(column, self.operation) }
        return word
    }

    func json<J: Decodable>(_ column: String) throws -> J {
        let text = try self.text(column)
        do {
            return try JSONDecoder().decode(J.self, from: Data(text.utf8))
        } catch {
            throw StorageError.corrupt(column, self.operation)
        }
    }

    func locator(reference: String, hash: String) throws -> KeyLocator {
        // The reference's own refusal says less to a reader of this error than the column's name.
        guard let found = try? KeyReference(self.text(reference)) else {
            throw StorageError.corrupt(reference, self.operation)
        }
        return KeyLocator(reference: found, publicKeySHA256: try self.bytes(hash))
    }

    private func value<V: DatabaseValueConvertible>(_ column: String) throws -> V {
        guard let value: V = try self.optional(column) else { throw StorageError.corrupt(column, self.operation) }
        return value
    }

    private func optional<V: DatabaseValueConvertible>(_ column: String) throws -> V? {
        let stored: DatabaseValue = self.row[column]
        if stored.isNull { return nil }
        guard let value = V.fromDatabaseValue(stored) else { throw StorageError.corrupt(column, self.operation) }
        return value
    }
}

extension Date {
    init(storedMilliseconds milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    /// As the tables hold it.
    var stored: Int64 { AuditChain.milliseconds(self) }
}

extension [UInt8] {
    /// As the tables hold it: a blob.
    var stored: Data { Data(self) }
}

/// A JSON object of texts with its keys in order, written directly: `JSONEncoder` costs more than the row's insertion,
/// and every audit event has such an object.
func storedJSON(_ texts: [String: String]) -> String {
    var json: [UInt8] = [UInt8(ascii: "{")]
    json.reserveCapacity(768)
    for (key, value) in texts.sorted(by: { $0.key < $1.key }) {
        if json.count > 1 { json.append(UInt8(ascii: ",")) }
        appendJSON(key, to: &json)
        json.append(UInt8(ascii: ":"))
        appendJSON(value, to: &json)
    }
    json.append(UInt8(ascii: "}"))
    return String(decoding: json, as: UTF8.self)
}

/// A JSON string (RFC 8259, section 7): quotation mark, reverse solidus and control characters are escaped.
private func appendJSON(_ text: String, to json: inout [UInt8]) {
    json.append(UInt8(ascii: "\""))
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) else {
        json.append(contentsOf: text.utf8)
        json.append(UInt8(ascii: "\""))
        return
    }
    let digits = Array("0123456789abcdef".utf8)
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), byte]
        case 0..<0x20: json += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        default: json.append(byte)
        }
    }
    json.append(UInt8(ascii: "\""))
}

extension [String] {
    /// As the tables hold a list of texts without blanks; nothing when it is empty.
    var stored: String? { self.isEmpty ? nil : self.joined(separator: " ") }
}

/// JSON with its keys in order, so that equal values are equal texts.
func storedJSON(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
