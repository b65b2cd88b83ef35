internal import DeviceProfiles
internal import Diagnostics

extension Fault {
    /// Reads a fault from one line, as it comes over the control socket: a YAML mapping, braces or not. Without a
    /// trigger it is for the next call.
    ///
    /// - Returns: `nil` for an empty line.
    /// - Throws: `ProfileError` with all that is wrong.
    init?(line: String) throws(ProfileError) {
        guard line.contains(where: { !$0.isWhitespace }) else { return nil }
        let text = line.hasPrefix("{") ? line : "{\(line)}"
        let document = try Document(text: text, file: "fail")
        let fault = document.root.fault(isTriggerRequired: false)
        try document.finish()
        guard let fault else { return nil }
        self = fault
    }

    /// One line of YAML that makes the same fault happen at a given call.
    func replayLine(at number: Int) -> String {
        var fault = self
        fault.trigger = .call(number)
        return fault.line
    }

    /// The fault as one line of YAML.
    var line: String {
        let names = self.functions.map { names in names.map(\.rawValue).sorted() } ?? ["any"]
        var parts = ["function: " + (names.count == 1 ? names[0] : "[\(names.joined(separator: ", "))]")]
        if let key = self.key {
            var filter: [String] = []
            if let label = key.label { filter.append("label: \"\(label.yamlEscaped)\"") }
            if let id = key.id { filter.append("id: \"\(id.hexadecimal)\"") }
            parts.append("key: {\(filter.joined(separator: ", "))}")
        }
        switch self.trigger {
        case .call(let number): parts.append("call: \(number)")
        case .every(let period): parts.append("every: \(period)")
        case .probability(let probability): parts.append("probability: \(probability)")
        }
        if let hang = self.hang { parts.append("hang: \(hang)") }
        if self.hangsAsProfile { parts.append("hang: \(Fault.ofProfile)") }
        if self.throttles { parts.append("returns: \(Fault.throttled)") }
        if let returns = self.returns { parts.append("returns: \(returns.name ?? String(returns.rawValue))") }
        if self.after { parts.append("after: true") }
        if let effect = self.effect { parts.append("effect: \(effect.rawValue)") }
        return "{\(parts.joined(separator: ", "))}"
    }

    /// Written for `hang` where the profile has the time, and for `returns` where it has the value.
    fileprivate static let ofProfile = "profile"
    fileprivate static let throttled = "throttled"
}

extension DocumentSection {
    /// Reads a fault; what is wrong is reported.
    func fault(isTriggerRequired: Bool = true) -> Fault? {
        self.allow(["function", "key", "call", "every", "probability", "hang", "returns", "after", "effect"])
        let functions = self.functions()
        let trigger = self.trigger(isRequired: isTriggerRequired)
        let key = self.field("key")?.section()?.keyFilter()
        let throttles = self.field("returns")?.isWord(Fault.throttled) ?? false
        let returns = throttles ? nil : self.field("returns")?.returnValue()
        let hangsAsProfile = self.field("hang")?.isWord(Fault.ofProfile) ?? false
        let hang = hangsAsProfile ? nil : self.field("hang")?.seconds()
        let effect: Fault.Effect? = self.field("effect")?.choice()
        let after = self.field("after").map { $0.boolean() } ?? false
        guard let functions, let trigger, let after else { return nil }
        let fault = Fault(
            functions: functions.names, trigger: trigger, key: key, hang: hang, hangsAsProfile: hangsAsProfile,
            returns: returns, throttles: throttles, after: after, effect: effect)
        self.check(fault)
        return fault
    }

    private enum Functions {
        case any
        case some(Set<FunctionName>)

        var names: Set<FunctionName>? {
            if case .some(let names) = self { names } else { nil }
        }
    }

    private func functions() -> Functions? {
        guard let field = self.required("function") else { return nil }
        var isAny = false
        let names = field.oneOrMore { name -> FunctionName? in
            if name.text() == "any" {
                isAny = true
                return .getFunctionList
            }
            return name.choice()
        }
        guard let names else { return nil }
        return isAny ? .any : .some(Set(names))
    }

    private func trigger(isRequired: Bool) -> Fault.Trigger? {
        let given = ["call", "every", "probability"].filter { self.field($0) != nil }
        guard let name = given.first, let field = self.field(name) else {
            guard isRequired else { return .call(1) }
            self.report("call", "is missing; say at which call, or every, or probability")
            return nil
        }
        if given.count > 1 { self.report(given[1], "cannot be given beside \(name)") }
        switch name {
        case "call": return field.integer(atLeast: 1).map { .call($0) }
        case "every": return field.integer(atLeast: 1).map { .every($0) }
        default: return field.probability().map { .probability($0) }
        }
    }

    private func keyFilter() -> Fault.KeyFilter? {
        self.allow(["label", "id"])
        let label = self.field("label")?.text()
        let id = self.field("id")?.text()
        if self.names.isEmpty { self.report("label", "is missing; say label or id") }
        guard let id else { return Fault.KeyFilter(label: label) }
        guard let bytes = [UInt8](hexadecimal: id) else {
            self.report("id", "\"\(id)\" is not an even number of hexadecimal digits; write it in quotes")
            return nil
        }
        return Fault.KeyFilter(label: label, id: bytes)
    }

    private func check(_ fault: Fault) {
        if !fault.replacesResult, fault.hang == nil, !fault.hangsAsProfile, fault.effect == nil {
            self.report("returns", "is missing; say what happens: returns, hang or effect")
        }
        guard let effect = fault.effect, effect.isOnCall else { return }
        if fault.replacesResult { self.report("returns", "cannot be given beside effect \(effect.rawValue)") }
        switch effect {
        case .lose: self.check(fault, isFor: FunctionName.writing, "functions that write")
        case .anotherKey: self.check(fault, isFor: FunctionName.beginning, "functions that begin to use a key")
        default: break
        }
    }

    private func check(_ fault: Fault, isFor functions: Set<FunctionName>, _ kind: String) {
        guard let effect = fault.effect?.rawValue else { return }
        if fault.after { self.report("after", "cannot be given beside effect \(effect)") }
        if !(fault.functions.map { $0.isSubset(of: functions) } ?? false) {
            let names = functions.map(\.rawValue).sorted().joined(separator: ", ")
            self.report("effect", "\(effect) is for \(kind): \(names)")
        }
    }
}

extension FunctionName {
    /// Functions that change what is stored on a card.
    static let writing: Set<FunctionName> = [
        .createObject, .copyObject, .destroyObject, .setAttributeValue, .generateKey, .generateKeyPair, .unwrapKey,
        .deriveKey,
    ]

    /// Functions that begin an operation with a key.
    static let beginning: Set<FunctionName> = [
        .encryptInit, .decryptInit, .signInit, .signRecoverInit, .verifyInit, .verifyRecoverInit, .messageEncryptInit,
        .messageDecryptInit, .messageSignInit, .messageVerifyInit,
    ]
}

extension DocumentField {
    private func number(_ expected: String) -> Double? {
        guard let text = self.text() else { return nil }
        guard let number = Double(text), number.isFinite, number >= 0 else {
            return self.refuse("\"\(text)\" is not \(expected)")
        }
        return number
    }

    fileprivate func seconds() -> Double? {
        self.number("a number of seconds, or \(Fault.ofProfile)")
    }

    fileprivate func probability() -> Double? {
        guard let number = self.number("a probability from 0 to 1") else { return nil }
        return number <= 1 ? number : self.refuse("\(number) is more than 1")
    }
}

extension [UInt8] {
    init?(hexadecimal text: String) {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        self = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) else {
                return nil
            }
            self.append(byte)
        }
    }

    var hexadecimal: String {
        self.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension String {
    /// For a double-quoted scalar of YAML.
    fileprivate var yamlEscaped: String {
        self.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
