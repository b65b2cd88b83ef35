import CertificateAuthority
import Foundation
import Glibc
import PKIMessages
import SwiftASN1
import X509

/// Texts of policy files, read the same way from both kinds of file. `nil` means that the text is none.
enum AuthorityPolicyValues {
    static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "1", "on": true
        case "false", "no", "0", "off": false
        default: nil
        }
    }

    static func number(_ text: String, in range: ClosedRange<Int>) -> Int? {
        let value = text.lowercased().hasPrefix("0x") ? Int(text.dropFirst(2), radix: 16) : Int(text)
        return value.flatMap { range.contains($0) ? $0 : nil }
    }

    static func oid(_ text: String) -> ASN1ObjectIdentifier? { ObjectIdentifierText.parse(text) }

    static func url(_ text: String) -> String? {
        let known = ["http://", "https://", "ldap://", "ftp://", "file://"]
        guard text.utf8.count <= 2_048, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            known.contains(where: { text.lowercased().hasPrefix($0) })
        else { return nil }
        return text
    }

    /// `10.0.0.0/8`, or address and mask with a comma as Windows writes it; four or sixteen bytes of each.
    static func addressRange(_ text: String) -> [UInt8]? {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == "," || $0 == "/" }
            .map { $0.trimmingCharacters(in: .whitespaces) }
        guard parts.count == 2, let address = self.address(parts[0]) else { return nil }
        guard text.contains("/") else {
            guard let mask = self.address(parts[1]), mask.count == address.count else { return nil }
            return address + mask
        }
        guard let bits = Int(parts[1]), (0...address.count * 8).contains(bits) else { return nil }
        return address
            + address.indices.map { index in
                UInt8(truncatingIfNeeded: 0xFF00 >> min(max(bits - index * 8, 0), 8))
            }
    }

    private static func address(_ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes.prefix(4)) }
        return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
    }

    /// - Parameter kind: in lower case, as Windows (`directoryname`, `upn`) or YAML (`directory-name`) write it.
    static func constraint(_ kind: String, _ text: String) -> GeneralName? {
        let isASCII = text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        switch kind.replacing("-", with: "") {
        case "dns": return isASCII ? .dnsName(text) : nil
        case "email": return isASCII ? .rfc822Name(text) : nil
        case "uri", "url": return isASCII ? .uniformResourceIdentifier(text) : nil
        // `try?`: what UTF8String cannot hold is no name.
        case "upn": return text.isEmpty ? nil : try? .userPrincipalName(text)
        case "ipaddress", "ip":
            return self.addressRange(text).map { .ipAddress(ASN1OctetString(contentBytes: $0[...])) }
        case "directoryname":
            // `try?`: a text that is no name is refused by the caller, with its line.
            guard let name = try? DistinguishedNameText.parse(text), !Array(name).isEmpty else { return nil }
            return .directoryName(name)
        default: return nil
        }
    }
}
