import Foundation

/// A Windows setup information file, as `CAPolicy.inf` and `Policy.inf` are: sections with `key = value` lines.
///
/// Section and key names are compared without regard to case. `;` begins a comment outside quotes, `\` at a line's end
/// joins the next line, `""` inside quotes is a quote, `_continue_ = "..."` lengthens the value before it, and
/// `%name%` is replaced by the text of that name in `[Strings]`; `%3` and the like stay as they are.
struct InformationFile {
    struct Entry: Equatable {
        /// In lower case; empty for a line without `=`.
        var key: String
        var value: String
        var line: Int
    }

    struct Section: Equatable {
        /// As it is written.
        var name: String
        var line: Int
        var entries: [Entry] = []
    }

    static let maximumBytes = 64 * 1024
    private static let maximumLines = 2_000
    private static let maximumValue = 8 * 1024

    let file: String
    private(set) var sections: [Section] = []

    /// - Parameter bytes: UTF-8, with or without a byte order mark, or UTF-16 with one.
    /// - Throws: ``ServiceError`` with code `invalidField`, naming the line.
    init(_ bytes: [UInt8], file: String) throws {
        self.file = file
        guard bytes.count <= InformationFile.maximumBytes else {
            throw ServiceError.invalid(file, "(whole file)", "it is larger than \(InformationFile.maximumBytes) bytes")
        }
        let lines = try InformationFile.text(of: bytes, file: file)
            .split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
        guard lines.count <= InformationFile.maximumLines else {
            throw ServiceError.invalid(file, "(whole file)", "it has more than \(InformationFile.maximumLines) lines")
        }
        var joined = ""
        var first = 1
        for (index, line) in lines.enumerated() {
            if joined.isEmpty { first = index + 1 }
            let content = try self.withoutComment(line, line: index + 1)
            if content.hasSuffix("\\") {
                joined += content.dropLast()
                continue
            }
            try self.take(joined + content, line: first)
            joined = ""
        }
        guard joined.isEmpty else { throw self.invalid(first, "it ends after a backslash") }
        try self.substituteStrings()
    }

    func section(_ name: String) -> Section? {
        self.sections.first { $0.name.lowercased() == name.lowercased() }
    }

    func invalid(_ line: Int, _ reason: String) -> ServiceError {
        .invalid(self.file, "line \(line)", reason)
    }

    private static func text(of bytes: [UInt8], file: String) throws -> String {
        let decoded: String?
        switch (bytes.first, bytes.dropFirst().first) {
        case (0xFF, 0xFE): decoded = String(data: Data(bytes.dropFirst(2)), encoding: .utf16LittleEndian)
        case (0xFE, 0xFF): decoded = String(data: Data(bytes.dropFirst(2)), encoding: .utf16BigEndian)
        default:
            decoded = String(
                validating: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...], as: UTF8.self)
        }
        guard let text = decoded,
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 || [9, 10, 13].contains($0.value) })
        else { throw ServiceError.invalid(file, "(whole file)", "it is neither UTF-8 nor UTF-16 text") }
        return text
    }

    private func withoutComment(_ line: Substring, line number: Int) throws -> String {
        var isQuoted = false
        for index in line.indices {
            if line[index] == "\"" { isQuoted.toggle() }
            if line[index] == ";", !isQuoted { return line[..<index].trimmingCharacters(in: .whitespaces) }
        }
        guard !isQuoted else { throw self.invalid(number, "a quote is not closed") }
        return line.trimmingCharacters(in: .whitespaces)
    }

    private mutating func take(_ text: String, line: Int) throws {
        guard !text.isEmpty else { return }
        if text.hasPrefix("[") {
            guard text.hasSuffix("]"), text.count > 2 else {
                throw self.invalid(line, "a section's name is not closed")
            }
            let name = text.dropFirst().dropLast().trimmingCharacters(in: .whitespaces)
            guard self.section(name) == nil else { throw self.invalid(line, "section [\(name)] stands there twice") }
            return self.sections.append(Section(name: name, line: line))
        }
        guard !self.sections.isEmpty else { throw self.invalid(line, "there is no section yet") }
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let key = try self.unquoted(parts[0], line: line).lowercased()
        guard parts.count == 2, !key.isEmpty else { throw self.invalid(line, "KEY = VALUE is expected") }
        let value = try self.unquoted(parts[1], line: line)
        let last = self.sections.endIndex - 1
        guard key == "_continue_" else {
            return self.sections[last].entries.append(Entry(key: key, value: value, line: line))
        }
        guard let previous = self.sections[last].entries.indices.last else {
            throw self.invalid(line, "_continue_ has nothing before it")
        }
        self.sections[last].entries[previous].value += value
        guard self.sections[last].entries[previous].value.utf8.count <= InformationFile.maximumValue else {
            throw self.invalid(line, "the value is longer than \(InformationFile.maximumValue) bytes")
        }
    }

    /// A text without its quotes; a quote inside is written twice. `OID = 1.2.3 , "x"` stays as it is.
    private func unquoted(_ text: Substring, line: Int) throws -> String {
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        guard trimmed.hasPrefix("\""), trimmed.count > 1, trimmed.hasSuffix("\"") else { return trimmed }
        let inner = trimmed.dropFirst().dropLast().replacingOccurrences(of: "\"\"", with: "\u{0}")
        guard !inner.contains("\"") else { throw self.invalid(line, "a quote stands inside a quoted text") }
        return inner.replacingOccurrences(of: "\u{0}", with: "\"")
    }

    private mutating func substituteStrings() throws {
        let strings = self.section("Strings")?.entries ?? []
        guard !strings.isEmpty else { return }
        for section in self.sections.indices where self.sections[section].name.lowercased() != "strings" {
            for entry in self.sections[section].entries.indices {
                for string in strings {
                    // Extensions are named by `%szOID_...%` too.
                    self.sections[section].entries[entry].key = self.sections[section].entries[entry].key
                        .replacingOccurrences(of: "%\(string.key)%", with: string.value, options: .caseInsensitive)
                    self.sections[section].entries[entry].value = self.sections[section].entries[entry].value
                        .replacingOccurrences(of: "%\(string.key)%", with: string.value, options: .caseInsensitive)
                }
                guard self.sections[section].entries[entry].value.utf8.count <= InformationFile.maximumValue else {
                    throw self.invalid(
                        self.sections[section].entries[entry].line,
                        "the value is longer than \(InformationFile.maximumValue) bytes")
                }
            }
        }
    }
}
