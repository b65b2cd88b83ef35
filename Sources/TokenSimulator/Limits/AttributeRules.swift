internal import CPKCS11
internal import DeviceProfiles
internal import Diagnostics

/// What a card wants in attribute templates.
struct AttributeRules: Sendable {
    /// An attribute that must be given.
    struct Requirement: Hashable, Sendable {
        /// `nil` for objects of every class.
        var objectClass: UInt?
        var attribute: UInt
        /// `nil` for any value.
        var value: [UInt8]?

        /// Reads `CLASS.ATTRIBUTE=VALUE`, where class and value may be left out.
        ///
        /// - Returns: `nil` for names that the specification does not have.
        init?(_ text: String) {
            let sides = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard let names = sides.first?.split(separator: ".").map(String.init), (1...2).contains(names.count),
                let attribute = names.last.flatMap({ SpecificationNames.attributes[$0] })
            else { return nil }
            self.attribute = attribute
            if names.count == 2 {
                guard let objectClass = SpecificationNames.objectClasses[names[0]] else { return nil }
                self.objectClass = objectClass
            }
            self.value = sides.count == 2 ? Requirement.bytes(sides[1]) : nil
        }

        private static func bytes(_ text: String) -> [UInt8] {
            switch text {
            case "TRUE": return [1]
            case "FALSE": return [0]
            default: return UInt(text).map { number in withUnsafeBytes(of: number) { Array($0) } } ?? Array(text.utf8)
            }
        }
    }

    private let required: [Requirement]
    private let refused: Set<UInt>
    private let ignored: Set<UInt>
    private let hasSessionObjects: Bool
    private let requiredToUnwrap: Set<UInt>
    /// In the template of an elliptic curve key that is unwrapped.
    private let requiredPoint: UInt?
    /// Whether private keys are made with `CKA_ALWAYS_AUTHENTICATE`.
    private let authenticatesEachUse: Bool

    /// - Parameter login: decides whether keys ask for the PIN at each use.
    init(_ profile: DeviceProfile.TemplateRules, login: DeviceProfile.Login) {
        let numbers = { (names: [String]?) in Set((names ?? []).compactMap { SpecificationNames.attributes[$0] }) }
        self.required = (profile.require.value ?? []).compactMap { Requirement($0) }
        self.refused = numbers(profile.refuse.value)
        self.ignored = numbers(profile.ignore.value)
        self.hasSessionObjects = profile.sessionObjects.value ?? true
        self.requiredToUnwrap = numbers(profile.unwrapRequire.value)
        self.requiredPoint = profile.unwrapECPoint.value
        self.authenticatesEachUse = login.alwaysAuthenticate.value == .perKey
    }

    /// What the card answers to a template for a new object, or `nil` when it takes it.
    func refusal(of template: Template, objectClass: UInt?) -> ReturnValue? {
        if let refusal = self.refusal(ofChange: template) { return refusal }
        if !self.hasSessionObjects, !template.isTokenObject { return .templateInconsistent }
        for requirement in self.required where [nil, objectClass].contains(requirement.objectClass) {
            guard let value = template.bytes(of: requirement.attribute) else { return .templateIncomplete }
            if let wanted = requirement.value, wanted != value { return .templateInconsistent }
        }
        return nil
    }

    /// What the card answers to attributes that are to be changed.
    func refusal(ofChange template: Template) -> ReturnValue? {
        template.types.contains(where: self.refused.contains) ? .attributeTypeInvalid : nil
    }

    /// What the card answers to a template of `C_UnwrapKey`.
    func refusal(ofUnwrapping template: Template) -> ReturnValue? {
        if let attribute = self.requiredPoint, template.isEllipticCurvePrivateKey, !template.types.contains(attribute) {
            return .templateIncomplete
        }
        return self.requiredToUnwrap.isSubset(of: template.types) ? nil : .templateIncomplete
    }

    /// Calls `body` with the template of a new private key, in which `CKA_ALWAYS_AUTHENTICATE` stands where the card
    /// makes all of its private keys so.
    private func withAuthentication<R>(
        of template: Template, objectClass: UInt?, _ body: (Template) -> R
    ) -> R {
        guard self.authenticatesEachUse, objectClass == CKO_PRIVATE_KEY, template.flag(CKA_PRIVATE) ?? true,
            !template.types.contains(CKA_ALWAYS_AUTHENTICATE)
        else { return body(template) }
        var isTrue = CK_BBOOL(CK_TRUE)
        return withUnsafeMutablePointer(to: &isTrue) { value in
            var list = template.list
            list.append(CK_ATTRIBUTE(type: CKA_ALWAYS_AUTHENTICATE, pValue: value, ulValueLen: 1))
            let count = UInt(list.count)
            return list.withUnsafeMutableBufferPointer { body(Template($0.baseAddress, count)) }
        }
    }

    /// Calls `body` with the template as the card keeps it for a new object.
    func withKept<R>(of template: Template, objectClass: UInt?, _ body: (Template) -> R) -> R {
        self.withKept(of: template) { kept in self.withAuthentication(of: kept, objectClass: objectClass, body) }
    }

    /// Calls `body` with the template without the attributes that the card forgets.
    func withKept<R>(of template: Template, _ body: (Template) -> R) -> R {
        guard template.types.contains(where: self.ignored.contains) else { return body(template) }
        var kept = template.list.filter { !self.ignored.contains($0.type) }
        let count = UInt(kept.count)
        return kept.withUnsafeMutableBufferPointer { body(Template($0.baseAddress, count)) }
    }
}
