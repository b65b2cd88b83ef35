import Foundation
import PKIMessages
import SwiftASN1
package import X509

/// Alternative names as texts, for policy programs and for people.
package enum GeneralNameText {
    /// Reads `dns:`, `email:`, `uri:`, `ip:` and `upn:` with a name.
    ///
    /// - Returns: `nil` for another kind, and for a text that is no name of its kind.
    package static func name(_ text: String) -> GeneralName? {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        let isASCII = parts[1].utf8.allSatisfy { (0x21...0x7E).contains($0) }
        switch parts[0].lowercased() {
        case "dns": return isASCII ? .dnsName(parts[1]) : nil
        case "email": return isASCII ? .rfc822Name(parts[1]) : nil
        case "uri": return isASCII ? .uniformResourceIdentifier(parts[1]) : nil
        case "ip": return IPAddressText.bytes(parts[1]).map { .ipAddress(ASN1OctetString(contentBytes: $0[...])) }
        // `try?`: what UTF8String cannot hold is no name.
        case "upn": return try? .userPrincipalName(parts[1])
        default: return nil
        }
    }

    static func text(of name: GeneralName) throws -> String {
        if let principal = name.userPrincipalName { return "upn:\(principal)" }
        switch name {
        case .dnsName(let text): return "dns:\(text)"
        case .rfc822Name(let text): return "email:\(text)"
        case .uniformResourceIdentifier(let text): return "uri:\(text)"
        case .ipAddress(let address):
            return "ip:" + (IPAddressText.text(Array(address.bytes)) ?? Hexadecimal.lower(Array(address.bytes)))
        default: return "other:" + Hexadecimal.lower(try StrictDER.serialize(name))
        }
    }
}

/// IP addresses, by the system's own reader.
enum IPAddressText {
    /// 4 or 16 bytes.
    static func bytes(_ text: String) -> [UInt8]? {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 { return withUnsafeBytes(of: v4) { Array($0) } }
        var v6 = in6_addr()
        if inet_pton(AF_INET6, text, &v6) == 1 { return withUnsafeBytes(of: v6) { Array($0) } }
        return nil
    }

    static func text(_ bytes: [UInt8]) -> String? {
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        var buffer = [CChar](repeating: 0, count: 64)
        guard inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)) != nil else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
