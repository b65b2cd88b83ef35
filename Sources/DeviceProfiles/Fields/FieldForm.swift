internal import Diagnostics

/// How values of one kind stand in a profile: read from it, and written to it.
struct FieldForm<Value> {
    /// Gives `nil` after it has reported what is wrong.
    let read: (DocumentField) -> Value?
    let text: (Value) -> String
    /// True for what has to be quoted where it could be misread.
    var isText = false

    /// The value as YAML.
    func yaml(_ value: Value) -> String { self.isText ? YAMLScalar.quoted(self.text(value)) : self.text(value) }
}

extension FieldForm<String> {
    static var text: Self { Self(read: { $0.text() }, text: { $0 }, isText: true) }

    /// A name of the specification, shown without its prefix.
    static func name(prefix: String) -> Self {
        Self(read: { $0.specificationName(prefix: prefix) }, text: { $0 }, isText: true)
    }
}

extension FieldForm<ProfilePattern> {
    static var pattern: Self { Self(read: { $0.pattern() }, text: { $0.source }, isText: true) }
}

extension FieldForm<Int> {
    static func integer(atLeast minimum: Int) -> Self {
        Self(read: { $0.integer(atLeast: minimum) }, text: { String($0) })
    }
}

extension FieldForm<UInt> {
    /// Written with 0x.
    static var number: Self {
        Self(read: { $0.integer(atLeast: 0).map { UInt($0) } }, text: { "0x" + String($0, radix: 16) })
    }
}

extension FieldForm<Bool> {
    static var boolean: Self { Self(read: { $0.boolean() }, text: { String($0) }) }
}

extension FieldForm<Double> {
    static var milliseconds: Self {
        Self(
            read: { $0.milliseconds() },
            text: { $0 == $0.rounded() && $0 < 1e9 ? String(Int($0)) : String($0) })
    }
}

extension FieldForm<Limit> {
    static var limit: Self {
        Self(read: { $0.limit() }) { limit in
            switch limit {
            case .unlimited: "0"
            case .atMost(let maximum): String(maximum)
            }
        }
    }
}

extension FieldForm<ReturnValue> {
    /// The name without `CKR_`, or the number of a value that has none.
    static var returnValue: Self {
        Self(
            read: { $0.returnValue() },
            text: { $0.name.map { String($0.dropFirst(4)) } ?? "0x" + String($0.rawValue, radix: 16) })
    }
}

extension FieldForm where Value: RawRepresentable<String> & CaseIterable {
    static var choice: Self { Self(read: { $0.choice() }, text: { $0.rawValue }) }
}

extension FieldForm {
    static func list<Element>(of element: FieldForm<Element>) -> Self where Value == [Element] {
        Self(
            read: { $0.list(element.read) },
            text: { "[" + $0.map { YAMLScalar.quoted(element.text($0)) }.joined(separator: ", ") + "]" })
    }
}
