import CertificateAuthority
import Foundation
import PKIMessages
import SwiftASN1
import X509

/// `[Extensions]` of an information file: `OID = "{text}..."`, lengthened by `_continue_`, and `Critical = OID, OID`.
///
/// - `{text}`: words for the extension, as `dns=www.example.com&upn=user@example.com&`.
/// - `{utf8}`: a UTF8String of the text. `{octet}`: an OCTET STRING of the base64. `{asn}`: the value itself in base64.
///   `{hex}`: the value itself in hexadecimal.
enum InformationExtensions {
    static func read(_ text: InformationFile) throws -> [Certificate.Extension] {
        let entries = text.section("Extensions")?.entries ?? []
        var critical: Set<String> = []
        for entry in entries where entry.key == "critical" {
            for name in entry.value.split(separator: ",") {
                critical.insert(name.trimmingCharacters(in: .whitespaces).trimmingCharacters(in: ["\""]))
            }
        }
        let found = try entries.filter { $0.key != "critical" }.map { entry in
            guard let oid = ObjectIdentifierText.parse(entry.key) else {
                throw text.invalid(entry.line, "\"\(entry.key)\" is no object identifier")
            }
            return try self.value(entry, oid, isCritical: critical.contains("\(oid)"), text)
        }
        for name in critical where !found.contains(where: { "\($0.oid)" == name }) {
            throw ServiceError.invalid(text.file, "[Extensions]", "Critical names \(name), which does not stand there")
        }
        return found
    }

    private static func value(
        _ entry: InformationFile.Entry, _ oid: ASN1ObjectIdentifier, isCritical: Bool, _ text: InformationFile
    ) throws -> Certificate.Extension {
        guard entry.value.hasPrefix("{"), let end = entry.value.firstIndex(of: "}") else {
            throw text.invalid(entry.line, "the value begins with {text}, {utf8}, {octet}, {asn} or {hex}")
        }
        let form = entry.value[entry.value.index(after: entry.value.startIndex)..<end].lowercased()
        let content = String(entry.value[entry.value.index(after: end)...])
        func made(_ value: [UInt8]) throws -> Certificate.Extension {
            // An extension's value is one DER element, whoever has made it.
            do { _ = try StrictDER.node(value, what: "extension") } catch {
                throw text.invalid(entry.line, "the value of \(oid) is no DER element")
            }
            return Certificate.Extension(oid: oid, critical: isCritical, value: value[...])
        }
        switch form {
        case "text": return try self.words(content, oid, isCritical, entry.line, text)
        case "utf8": return try made(StrictDER.serialize(ASN1UTF8String(content)))
        case "octet":
            return try made(
                StrictDER.serialize(ASN1OctetString(contentBytes: self.base64(content, entry.line, text)[...])))
        case "asn": return try made(self.base64(content, entry.line, text))
        case "hex":
            guard let bytes = Hexadecimal.bytes(content.filter { !$0.isWhitespace }) else {
                throw text.invalid(entry.line, "the value is not hexadecimal")
            }
            return try made(bytes)
        default:
            throw text.invalid(entry.line, "{\(form)} is not served; write {text}, {utf8}, {octet}, {asn} or {hex}")
        }
    }

    private static func base64(_ content: String, _ line: Int, _ text: InformationFile) throws -> [UInt8] {
        guard let data = Data(base64Encoded: content.filter { !$0.isWhitespace }), !data.isEmpty else {
            throw text.invalid(line, "the value is not base64")
        }
        return Array(data)
    }

    private static func words(
        _ content: String, _ oid: ASN1ObjectIdentifier, _ isCritical: Bool, _ line: Int, _ text: InformationFile
    ) throws -> Certificate.Extension {
        var made: Certificate.Extension
        switch oid {
        case OID.subjectAlternativeName:
            let names = try self.names(content, line, text).map { name in
                guard let parsed = GeneralNameText.name(name) else {
                    throw text.invalid(line, "\"\(name)\" is no alternative name")
                }
                return parsed
            }
            made = try ExtensionEncoding.subjectAlternativeName(names)
        case OID.extendedKeyUsage, OID.msApplicationPolicies:
            let purposes = try content.split(separator: ",").map { part in
                let word = part.trimmingCharacters(in: .whitespaces).replacing("oid=", with: "")
                guard let purpose = ExtendedKeyPurpose(word)?.oid else {
                    throw text.invalid(line, "\"\(word)\" is no object identifier")
                }
                return purpose
            }
            made =
                try oid == OID.extendedKeyUsage
                ? ExtensionEncoding.extendedKeyUsage(purposes) : ExtensionEncoding.applicationPolicies(purposes)
        default:
            throw text.invalid(
                line, "{text} is known for 2.5.29.17, 2.5.29.37 and 1.3.6.1.4.1.311.21.10; write {asn} or {hex}")
        }
        made.critical = isCritical
        return made
    }

    /// `dns=a&email=b&` as the names that ``RequestContent`` takes: `dns:a`, `email:b`.
    static func names(_ content: String, _ line: Int, _ text: InformationFile) throws -> [String] {
        let kinds = ["dns": "dns", "upn": "upn", "email": "email", "url": "uri", "ipaddress": "ip"]
        let names = try content.split(separator: "&").map { part in
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, let kind = kinds[pair[0].trimmingCharacters(in: .whitespaces).lowercased()] else {
                throw text.invalid(line, "dns=, upn=, email=, url= or ipaddress= is expected, not \"\(part)\"")
            }
            return "\(kind):\(pair[1])"
        }
        guard !names.isEmpty else { throw text.invalid(line, "there is no name in it") }
        return names
    }
}
