internal import DeviceProfiles
internal import Diagnostics
internal import KeyProvider
internal import PKCS11

extension DeviceProfile.TemplateRules {
    /// The template as the device wants it: with what it requires, without what it refuses. What it ignores stays, and
    /// is not judged when it is read back.
    ///
    /// - Throws: `unsupported` for a requirement that is not known here, or that is both required and refused.
    func applied(
        to template: AttributeTemplate, of objectClass: ObjectClass, operation: String
    ) throws(KeyProviderError) -> AttributeTemplate {
        var result = template
        let refused = self.refuse.value ?? []
        for name in refused { BooleanAttribute(name)?.remove(from: &result) }
        for rule in self.require.value ?? [] {
            let parts = rule.split(separator: "=", maxSplits: 1).map(String.init)
            let path = parts[0].split(separator: ".").map(String.init)
            guard let name = path.last, path.count < 2 || objectClass.isNamed(path[0]) else { continue }
            if let attribute = BooleanAttribute(name), !refused.contains(name) {
                // A rule without a class is for the objects that have the attribute.
                guard objectClass.has(name) else { continue }
                guard parts.count < 2 || ["TRUE", "FALSE"].contains(parts[1]) else {
                    throw .unknownRule(rule, operation: operation)
                }
                if parts.count == 2 {
                    result[attribute.attribute] = parts[1] == "TRUE"
                } else if result[attribute.attribute] == nil {
                    result[attribute.attribute] = false
                }
            } else if !BooleanAttribute.alwaysGiven.contains(name) {
                throw .unknownRule(rule, operation: operation)
            }
        }
        return result
    }
}

/// A boolean attribute by its name in the specification without `CKA_`.
private struct BooleanAttribute {
    let attribute: Attribute<Bool>

    private static let known: [String: Attribute<Bool>] = [
        "TOKEN": .token, "PRIVATE": .isPrivate, "MODIFIABLE": .modifiable, "SENSITIVE": .sensitive,
        "EXTRACTABLE": .extractable, "ENCRYPT": .encrypt, "DECRYPT": .decrypt, "WRAP": .wrap, "UNWRAP": .unwrap,
        "SIGN": .sign, "VERIFY": .verify, "DERIVE": .derive, "ALWAYS_AUTHENTICATE": .alwaysAuthenticate,
    ]

    /// What every template here has where it makes sense.
    static let alwaysGiven: Set<String> = [
        "CLASS", "KEY_TYPE", "LABEL", "ID", "MODULUS_BITS", "PUBLIC_EXPONENT", "EC_PARAMS", "VALUE", "SUBJECT",
        "ISSUER",
        "SERIAL_NUMBER", "CERTIFICATE_TYPE",
    ]

    init?(_ name: String) {
        guard let attribute = BooleanAttribute.known[name] else { return nil }
        self.attribute = attribute
    }

    func remove(from template: inout AttributeTemplate) { template[self.attribute] = nil }
}

extension AttributeTemplate {
    /// As the device wants a session object of this class: where the rules are for token objects as well, it stays in
    /// the session.
    func inSession(
        of objectClass: ObjectClass, _ rules: DeviceProfile.TemplateRules, operation: String
    ) throws(KeyProviderError) -> AttributeTemplate {
        var result = try rules.applied(to: self, of: objectClass, operation: operation)
        if self[.token] == false, rules.refuse.value?.contains("TOKEN") != true { result[.token] = false }
        return result
    }
}

extension ObjectClass {
    /// True when objects of this class have a boolean attribute (PKCS #11 v2.40, sections 4.4 to 4.10).
    fileprivate func has(_ name: String) -> Bool {
        if ["TOKEN", "PRIVATE", "MODIFIABLE"].contains(name) { return true }
        return switch self {
        case .publicKey: ["ENCRYPT", "VERIFY", "WRAP", "DERIVE"].contains(name)
        case .privateKey:
            ["SENSITIVE", "EXTRACTABLE", "DECRYPT", "SIGN", "UNWRAP", "DERIVE", "ALWAYS_AUTHENTICATE"].contains(name)
        case .secretKey: name != "ALWAYS_AUTHENTICATE"
        default: false
        }
    }

    /// `DATA`, `CERTIFICATE`, `PUBLIC_KEY`, `PRIVATE_KEY` or `SECRET_KEY`.
    fileprivate func isNamed(_ name: String) -> Bool {
        let names: [ObjectClass: String] = [
            .data: "DATA", .certificate: "CERTIFICATE", .publicKey: "PUBLIC_KEY", .privateKey: "PRIVATE_KEY",
            .secretKey: "SECRET_KEY",
        ]
        return names[self] == name
    }
}

extension DeviceProfile {
    /// True when the profile lists the mechanisms of the device and `CKM_ECDSA` is not among them.
    var lacksRawECDSA: Bool {
        guard let allowed = self.mechanisms.allow.value?.map(\.name) else { return false }
        return !allowed.contains("ECDSA") && !allowed.contains("EC") && allowed.contains { $0.hasPrefix("ECDSA_SHA") }
    }

    /// - Throws: `unsupported` when a key of this kind is out of what is used here, or the profile knows that the device
    ///   does not make it.
    func require(_ algorithm: KeyAlgorithm, operation: String) throws(KeyProviderError) {
        if case .rsa(let bits) = algorithm, !(2048...8192).contains(bits) {
            throw .unsupported(
                operation: operation, reason: "RSA keys have 2048 to 8192 bits here",
                advice: "Choose a size from 2048 to 8192 bits.")
        }
        guard self.mechanisms.ecdsa.value == DeviceProfile.Mechanisms.ECDSA.none, algorithm.curve != nil else { return }
        throw .unsupported(
            operation: operation, reason: "the device has no ECDSA, says \(self.name)", advice: "Choose an RSA key.")
    }
}

extension KeyProviderError {
    fileprivate static func unknownRule(_ rule: String, operation: String) -> KeyProviderError {
        .unsupported(
            operation: operation, reason: "the device profile requires \(rule), which is not known here",
            advice: "Correct template.require in the device profile, or name boolean attributes only.")
    }
}
