import CertificateAuthority
import Foundation
package import KeyProvider
import PKIMessages
import SwiftASN1
package import X509

/// What a `certreq -new` information file asks for: `[NewRequest]`, `[RequestAttributes]`, `[EnhancedKeyUsageExtension]`,
/// `[ApplicationPolicyStatementExtension]`, `[Extensions]` (docs: certreq).
///
/// Names that are not known are refused with their line. Those that choose what only Windows has, such as `ProviderName`
/// and `MachineKeySet`, are taken and have no effect: see ``ignored``.
package struct RequestInformation: Sendable {
    package private(set) var subject: String?
    package private(set) var keyAlgorithm: KeyAlgorithm
    /// `nil`: the simplest that carries all of it.
    package private(set) var form: SubscriberRequest.Form?
    package private(set) var archivesPrivateKey = false
    package private(set) var friendlyName: String?
    /// Whom an enrolment agent asks for.
    package private(set) var requesterName: String?
    package private(set) var template: String?
    /// `Name:Value`.
    package private(set) var attributes: [String] = []
    package private(set) var alternativeNames: [String] = []
    package private(set) var extensions: [Certificate.Extension] = []
    /// Whether the key may leave its place; on a token it may not.
    package private(set) var wantsExportableKey = false
    /// Names that were taken and have no effect here, as they are written.
    package private(set) var ignored: [String] = []

    /// - Throws: ``ServiceError`` with code `invalidField`, naming the line.
    package init(_ bytes: [UInt8], file: String) throws {
        let text = try InformationFile(bytes, file: file)
        guard let section = text.section("NewRequest") else {
            throw ServiceError.invalid(file, "[NewRequest]", "it is missing")
        }
        let known = [
            "version", "newrequest", "requestattributes", "enhancedkeyusageextension", "extensions", "strings",
            "applicationpolicystatementextension",
        ]
        for section in text.sections where !known.contains(section.name.lowercased()) {
            throw text.invalid(section.line, "there is no section [\(section.name)] in a request")
        }
        self.keyAlgorithm = try KeyChoice(section, text).algorithm
        for entry in section.entries { try self.take(entry, text) }
        for entry in text.section("RequestAttributes")?.entries ?? [] { try self.takeAttribute(entry, text) }
        try self.takePurposes(text.section("EnhancedKeyUsageExtension"), text) {
            try ExtensionEncoding.extendedKeyUsage($0, critical: $1)
        }
        try self.takePurposes(text.section("ApplicationPolicyStatementExtension"), text) { purposes, _ in
            try ExtensionEncoding.applicationPolicies(purposes)
        }
        for item in try InformationExtensions.read(text) {
            guard !self.extensions.contains(where: { $0.oid == item.oid }) else {
                throw ServiceError.invalid(file, "[Extensions]", "\(item.oid) is asked for twice")
            }
            self.extensions.append(item)
        }
    }

    private mutating func take(_ entry: InformationFile.Entry, _ text: InformationFile) throws {
        switch entry.key {
        case "subject": self.subject = entry.value
        case "requesttype": self.form = try RequestInformation.form(entry, text)
        case "privatekeyarchive": self.archivesPrivateKey = try entry.boolean(text)
        case "friendlyname": self.friendlyName = entry.value
        case "requestername": self.requesterName = entry.value
        case "exportable": self.wantsExportableKey = try entry.boolean(text)
        case "keyusage": self.extensions.append(try RequestInformation.keyUsage(entry, text))
        case "validityperiod", "validityperiodunits":
            let name = entry.key == "validityperiod" ? "ValidityPeriod" : "ValidityPeriodUnits"
            self.attributes.append("\(name):\(entry.value)")
        case "keylength", "keyalgorithm", "keyspec": break
        case "hashalgorithm":
            guard ["sha256", "sha-256", "sha384", "sha512", "sha1"].contains(entry.value.lowercased()) else {
                throw text.invalid(entry.line, "the hash is sha256; each key signs with the one that fits it")
            }
            self.ignored.append("HashAlgorithm")
        case "renewalcert", "useexistingkeyset", "notbefore", "notafter", "exportableencrypted", "keyusageproperty":
            throw text.invalid(
                entry.line, "\(entry.key) is not served; renew with: signet request new --renew")
        case "providername", "providertype", "machinekeyset", "silent", "smime", "keycontainer", "encryptionalgorithm",
            "encryptionlength", "suppressdefaults", "userprotected", "keyprotection", "containernameprefix",
            "security descriptor", "securitydescriptor":
            self.ignored.append(entry.key)
        default: throw text.invalid(entry.line, "there is no setting \(entry.key) in [NewRequest]")
        }
    }

    private static func form(
        _ entry: InformationFile.Entry, _ text: InformationFile
    ) throws -> SubscriberRequest.Form? {
        switch entry.value.lowercased() {
        case "pkcs10": .pkcs10
        case "pkcs7": .pkcs7
        case "cmc": .cmc
        default: throw text.invalid(entry.line, "RequestType is PKCS10, PKCS7 or CMC")
        }
    }

    /// `Name=Value`; `SAN="dns=a&upn=b"`.
    private mutating func takeAttribute(_ entry: InformationFile.Entry, _ text: InformationFile) throws {
        switch entry.key {
        case "certificatetemplate": self.template = entry.value
        case "san": self.alternativeNames += try InformationExtensions.names(entry.value, entry.line, text)
        default: self.attributes.append("\(entry.key):\(entry.value)")
        }
    }

    private mutating func takePurposes(
        _ section: InformationFile.Section?, _ text: InformationFile,
        _ encode: ([ASN1ObjectIdentifier], Bool) throws -> Certificate.Extension
    ) throws {
        guard let section else { return }
        let isCritical = try section.entries.last { $0.key == "critical" }?.boolean(text) ?? false
        let purposes = try section.entries.filter { $0.key != "critical" }.map { entry in
            guard entry.key == "oid", let oid = ExtendedKeyPurpose(entry.value)?.oid else {
                throw text.invalid(entry.line, "OID = IDENTIFIER is expected")
            }
            return oid
        }
        guard !purposes.isEmpty else { throw text.invalid(section.line, "[\(section.name)] has no OID") }
        self.extensions.append(try encode(purposes, isCritical))
    }

    /// Hexadecimal bits as in the extension's first two octets, `0xa0`, or their names with `|` between.
    private static func keyUsage(
        _ entry: InformationFile.Entry, _ text: InformationFile
    ) throws -> Certificate.Extension {
        let names: [String: Int] = [
            "cert_digital_signature_key_usage": 0x80, "cert_non_repudiation_key_usage": 0x40,
            "cert_key_encipherment_key_usage": 0x20, "cert_data_encipherment_key_usage": 0x10,
            "cert_key_agreement_key_usage": 0x08, "cert_key_cert_sign_key_usage": 0x04,
            "cert_offline_crl_sign_key_usage": 0x02, "cert_crl_sign_key_usage": 0x02,
            "cert_encipher_only_key_usage": 0x01, "cert_decipher_only_key_usage": 0x8000,
        ]
        let bits = try entry.value.split(separator: "|").reduce(0) { bits, part in
            let word = part.trimmingCharacters(in: .whitespaces).lowercased()
            let number = word.hasPrefix("0x") ? Int(word.dropFirst(2), radix: 16) : names[word] ?? Int(word)
            guard let number, (0...0x80FF).contains(number) else {
                throw text.invalid(entry.line, "\"\(word)\" is no key usage")
            }
            return bits | number
        }
        return try ExtensionEncoding.keyUsage(
            KeyUsage(
                digitalSignature: bits & 0x80 != 0, nonRepudiation: bits & 0x40 != 0, keyEncipherment: bits & 0x20 != 0,
                dataEncipherment: bits & 0x10 != 0, keyAgreement: bits & 0x08 != 0, keyCertSign: bits & 0x04 != 0,
                cRLSign: bits & 0x02 != 0, encipherOnly: bits & 0x01 != 0, decipherOnly: bits & 0x8000 != 0))
    }
}

/// Algorithm and length of the key, from three settings.
private struct KeyChoice {
    let algorithm: KeyAlgorithm

    init(_ section: InformationFile.Section, _ text: InformationFile) throws {
        func entry(_ key: String) -> InformationFile.Entry? { section.entries.last { $0.key == key } }
        if let specification = entry("keyspec") {
            guard
                ["1", "2", "0", "at_keyexchange", "at_signature", "at_none"].contains(specification.value.lowercased())
            else { throw text.invalid(specification.line, "KeySpec is 1 or 2") }
        }
        let name = entry("keyalgorithm")
        let length = try entry("keylength").map { entry in
            guard let bits = Int(entry.value) else { throw text.invalid(entry.line, "KeyLength is a number of bits") }
            return (bits, entry.line)
        }
        switch name?.value.lowercased() {
        case nil, "rsa", "1.2.840.113549.1.1.1":
            guard let algorithm = KeyAlgorithm("rsa-\(length?.0 ?? 2048)") else {
                throw text.invalid(length?.1 ?? section.line, "an RSA key has 2048 bits or more")
            }
            self.algorithm = algorithm
        case "ecdsa_p256", "ecdh_p256": self.algorithm = .p256
        case "ecdsa_p384", "ecdh_p384": self.algorithm = .p384
        case "ecdsa_p521", "ecdh_p521": self.algorithm = .p521
        default: throw text.invalid(name?.line ?? 0, "KeyAlgorithm is RSA, ECDSA_P256, ECDSA_P384 or ECDSA_P521")
        }
    }
}

extension InformationFile.Entry {
    /// TRUE and FALSE, and the numbers that stand for them.
    func boolean(_ text: InformationFile) throws -> Bool {
        switch self.value.lowercased() {
        case "true", "1", "yes": true
        case "false", "0", "no": false
        default: throw text.invalid(self.line, "\(self.key) is TRUE or FALSE")
        }
    }
}
