import Foundation
import PKIMessages

/// The attributes of an exported template, by name without regard to case.
struct TemplateAttributes {
    private var values: [String: [[UInt8]]] = [:]

    init(_ text: String) throws {
        guard text.utf8.count <= TemplateImport.maximumBytes else {
            throw TemplateError.badImport("(whole text)", "it is longer than \(TemplateImport.maximumBytes) bytes")
        }
        for line in TemplateAttributes.unfolded(text) {
            guard let (name, found) = try TemplateAttributes.attribute(line) else { continue }
            self.values[name.lowercased(), default: []] += found
        }
        guard !self.values.isEmpty else { throw TemplateError.badImport("(whole text)", "it has no attributes") }
    }

    /// LDIF continues a line by a blank at the start of the next (RFC 2849); certutil indents by two and more.
    private static func unfolded(_ text: String) -> [String] {
        var lines: [String] = []
        for raw in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            let isContinuation = raw.first == " " && raw.dropFirst().first.map { $0 != " " } ?? false
            if isContinuation, !raw.contains(" = "), let last = lines.last, !last.isEmpty {
                lines[lines.count - 1] = last + raw.dropFirst()
            } else {
                lines.append(raw.trimmingCharacters(in: .whitespaces))
            }
        }
        return lines
    }

    private static func attribute(_ line: String) throws -> (String, [[UInt8]])? {
        guard let first = line.first, first != "#", first != "[", first != ";" else { return nil }
        if let range = line.range(of: " = ") {
            let name = line[..<range.lowerBound].trimmingCharacters(in: .whitespaces)
            return (name, TemplateAttributes.quoted(String(line[range.upperBound...])).map { Array($0.utf8) })
        }
        guard let colon = line.firstIndex(of: ":") else { return nil }
        let name = String(line[..<colon])
        let rest = line[line.index(after: colon)...]
        guard rest.first == ":" else { return (name, [Array(rest.trimmingCharacters(in: .whitespaces).utf8)]) }
        let base64 = rest.dropFirst().trimmingCharacters(in: .whitespaces)
        guard let octets = Data(base64Encoded: base64) else {
            throw TemplateError.badImport(name, "it is not base64")
        }
        return (name, [Array(octets)])
    }

    /// `"a", "b"`; without quotation marks the first word.
    private static func quoted(_ text: String) -> [String] {
        let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return [text.split(separator: " ").first.map(String.init) ?? text] }
        return stride(from: 1, to: parts.count - 1, by: 2).map { String(parts[$0]) }
    }

    func has(_ name: String) -> Bool { self.values[name.lowercased()] != nil }

    func all(_ name: String) -> [String] {
        (self.values[name.lowercased()] ?? []).map { String(decoding: $0, as: UTF8.self) }
    }

    func optional(_ name: String) -> String? { self.all(name).first }

    func text(_ name: String) throws -> String {
        guard let text = self.optional(name), !text.isEmpty else {
            throw TemplateError.badImport(name, "it is missing")
        }
        return text
    }

    func number(_ name: String, default missing: Int) throws -> Int {
        guard let text = self.optional(name) else { return missing }
        let digits = text.hasPrefix("0x") ? Int(text.dropFirst(2), radix: 16) : Int(text)
        guard let digits else { throw TemplateError.badImport(name, "\"\(text)\" is no number") }
        return digits
    }

    /// Flags are printed as signed or unsigned numbers.
    func bits(_ name: String) throws -> UInt32 {
        let number = try self.number(name, default: 0)
        guard number >= Int(Int32.min), number <= Int(UInt32.max) else {
            throw TemplateError.badImport(name, "it does not fit 32 bits")
        }
        return UInt32(truncatingIfNeeded: number)
    }

    /// Octets as such, or written in hexadecimal with or without blanks.
    func octets(_ name: String) throws -> [UInt8] {
        guard let found = self.values[name.lowercased()]?.first else { return [] }
        let text = String(decoding: found, as: UTF8.self).filter { !$0.isWhitespace }
        if found.count > 2, let octets = Hexadecimal.bytes(text) { return octets }
        return found
    }

    /// An int64 of 100 nanoseconds, or "1 Years" as certutil prints it.
    func period(_ name: String) throws -> TemplatePeriod {
        let text = try self.text(name)
        if let period = TemplatePeriod(text) { return period }
        guard let period = TemplatePeriod(fileTimeOctets: try self.octets(name)) else {
            throw TemplateError.badImport(name, "it is no period")
        }
        return period
    }

    func purposes(_ name: String) throws -> [ExtendedKeyPurpose] {
        try self.all(name).map { text in
            guard let purpose = ExtendedKeyPurpose(text) else {
                throw TemplateError.badImport(name, "\"\(text)\" is no object identifier")
            }
            return purpose
        }
    }

    /// Versions 1 and 2 have identifiers; later ones triples of name, type and value with grave accents between them.
    func signaturePolicies() throws -> [ExtendedKeyPurpose] {
        let name = "msPKI-RA-Application-Policies"
        guard let text = self.optional(name), text.contains("`") else { return try self.purposes(name) }
        let parts = text.split(separator: "`").map(String.init)
        return try stride(from: 0, to: parts.count - 2, by: 3).filter { parts[$0] == name }.flatMap { index in
            try parts[index + 2].split(separator: ",").map { identifier in
                guard let purpose = ExtendedKeyPurpose(String(identifier)) else {
                    throw TemplateError.badImport(name, "\"\(identifier)\" is no object identifier")
                }
                return purpose
            }
        }
    }
}
