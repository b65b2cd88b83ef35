package import Diagnostics
internal import Yams

/// One value of a ``Document`` that knows its path. A reading method returns `nil` after it has reported why.
package struct DocumentField {
    let document: Document
    let node: Node
    package let path: String

    var line: Int? { self.node.mark?.line }

    /// Reports the field and gives `nil`.
    package func refuse<Value>(_ reason: String) -> Value? {
        self.document.report(self.path, line: self.line, reason)
        return nil
    }

    /// The text of an unquoted scalar.
    var plainText: String? {
        guard let scalar = self.node.scalar, scalar.style == .plain || scalar.style == .any else { return nil }
        return scalar.string
    }

    var isUnknown: Bool { self.plainText == "unknown" }

    /// True for an unquoted word that stands alone.
    package func isWord(_ word: String) -> Bool { self.plainText == word }

    /// Any scalar that is not empty, as it is written.
    package func text() -> String? {
        guard let scalar = self.node.scalar else { return self.refuse("is \(self.kind), not a text") }
        guard !scalar.string.isEmpty else { return self.refuse("is empty") }
        return scalar.string
    }

    /// A decimal number, or a hexadecimal one that begins with 0x.
    package func integer(atLeast minimum: Int, expected: String = "a whole number") -> Int? {
        guard let text = self.plainText else { return self.refuse("is \(self.kind), not \(expected)") }
        let number = text.hasPrefix("0x") ? Int(text.dropFirst(2), radix: 16) : Int(text)
        guard let number else { return self.refuse("\"\(text)\" is not \(expected)") }
        guard number >= minimum else {
            return self.refuse(number < 0 ? "\(number) is negative" : "\(number) is less than \(minimum)")
        }
        return number
    }

    /// A number that is a bound, where 0 is none.
    package func limit() -> Limit? {
        self.integer(atLeast: 0).map { Limit($0) }
    }

    func milliseconds() -> Double? {
        guard let text = self.plainText else { return self.refuse("is \(self.kind), not a number of milliseconds") }
        guard let number = Double(text), number.isFinite else {
            return self.refuse("\"\(text)\" is not a number of milliseconds")
        }
        guard number >= 0 else { return self.refuse("\(text) is negative") }
        return number
    }

    /// `true` or `false`, and none of the other words of YAML 1.1.
    package func boolean() -> Bool? {
        switch self.plainText {
        case "true": return true
        case "false": return false
        default: return self.refuse("is \(self.shown), not true or false")
        }
    }

    /// One of the cases of an enumeration, by its raw value.
    package func choice<Choice: RawRepresentable<String> & CaseIterable>() -> Choice? {
        guard let text = self.text() else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let known = Choice.allCases.map(\.rawValue)
        return self.refuse("\"\(text)\" is not one of \(known.joined(separator: ", "))")
    }

    /// The name of a return value, with or without `CKR_`, or its number.
    package func returnValue() -> ReturnValue? {
        guard let text = self.text() else { return nil }
        if let value = ReturnValue(name: text) { return value }
        let number = text.hasPrefix("0x") ? UInt(text.dropFirst(2), radix: 16) : UInt(text)
        if let number { return ReturnValue(rawValue: number) }
        let full = text.hasPrefix("CKR_") ? text : "CKR_" + text
        let nearest = NearestName.of(full, among: ReturnValue.names.values).map { ", the nearest is \($0)" } ?? ""
        return self.refuse("there is no return value \(full)\(nearest)")
    }

    /// A regular expression.
    package func pattern() -> ProfilePattern? {
        guard let text = self.text() else { return nil }
        return ProfilePattern(text) ?? self.refuse("\"\(text)\" is not a regular expression")
    }

    /// A name of the specification without its prefix.
    func specificationName(prefix: String) -> String? {
        guard let text = self.text() else { return nil }
        let name = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
        guard DocumentField.isSpecificationName(name) else {
            return self.refuse("\"\(text)\" is not a name such as \(prefix)AES_GCM")
        }
        return name
    }

    static func isSpecificationName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
            }
    }

    /// A sequence, or nothing if one of its elements is wrong.
    package func list<Element>(_ read: (DocumentField) -> Element?) -> [Element]? {
        guard case .sequence(let sequence) = self.node else {
            return self.refuse("is \(self.shown), not a list such as [A, B]")
        }
        let elements = sequence.enumerated().map { index, node in
            read(DocumentField(document: self.document, node: node, path: "\(self.path)[\(index)]"))
        }
        let good = elements.compactMap(\.self)
        return good.count == elements.count ? good : nil
    }

    /// A sequence, or one element that stands alone.
    package func oneOrMore<Element>(_ read: (DocumentField) -> Element?) -> [Element]? {
        guard self.node.scalar != nil else { return self.list(read) }
        return read(self).map { [$0] }
    }

    /// A mapping.
    package func section() -> DocumentSection? {
        guard self.node.mapping != nil else {
            return self.refuse("is \(self.shown), not a mapping of names to values")
        }
        return DocumentSection(field: self)
    }

    private var kind: String {
        switch self.node {
        case .scalar: "a quoted text"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    private var shown: String {
        self.node.scalar.map { "\"\($0.string)\"" } ?? self.kind
    }
}
