/// Addresses of CRLs and CA certificates with the tokens of Certificate Services (protocols.md 5.3).
///
/// `%1` is the server's DNS name, `%2` its first label, `%3` the CA's sanitised name, `%4` the suffix of the CA
/// certificate, `%6` the distinguished name of the directory's configuration, `%7` the sanitised name cut to what a
/// directory takes, `%8` the suffix of the CA key, `%9` a plus sign for delta CRLs, `%10` and `%11` the ends of LDAP
/// addresses for CRLs and CA certificates. `%12` is Signet's own: the shard. `%%` is a percent sign, so that a URL
/// escape is written with two: `%%20`.
package enum PublicationURL {
    /// What the tokens stand for.
    package struct Values: Sendable {
        package var caName: String
        package var certificateIndex: Int
        package var keyIndex: Int
        package var isDelta = false
        package var shard = 0
        package var serverName: String?
        package var configurationDN: String?

        package init(caName: String, certificateIndex: Int, keyIndex: Int, isDelta: Bool = false, shard: Int = 0) {
            self.caName = caName
            self.certificateIndex = certificateIndex
            self.keyIndex = keyIndex
            self.isDelta = isDelta
            self.shard = shard
        }

        init(
            _ configuration: CAConfiguration, certificateIndex: Int, keyIndex: Int, isDelta: Bool = false,
            shard: Int = 0
        ) {
            self.init(
                caName: configuration.name, certificateIndex: certificateIndex, keyIndex: keyIndex, isDelta: isDelta,
                shard: shard)
            self.serverName = configuration.revocation.serverName
            self.configurationDN = configuration.revocation.configurationDN
        }

        fileprivate func value(_ token: Int) -> String? {
            switch token {
            case 1: self.serverName
            case 2: self.serverName.flatMap { $0.split(separator: ".").first.map(String.init) }
            case 3: CAName.sanitized(self.caName)
            case 4: Values.suffix(self.certificateIndex)
            case 6: self.configurationDN
            case 7: CAName.truncated(self.caName)
            case 8: Values.suffix(self.keyIndex)
            case 9: self.isDelta ? "+" : ""
            case 10: "?certificateRevocationList?base?objectClass=cRLDistributionPoint"
            case 11: "?cACertificate?base?objectClass=certificationAuthority"
            case 12: self.shard == 0 ? "" : "-shard\(self.shard)"
            default: nil
            }
        }

        /// Nothing for the first, `(n)` for the n-th renewal.
        private static func suffix(_ index: Int) -> String {
            index == 0 ? "" : "(\(index))"
        }
    }

    /// Fills the tokens in. In a URL the blanks and reserved characters of names are escaped (RFC 3986, section 2.1).
    ///
    /// - Throws: ``IssuanceError`` with code `invalidConfiguration` for another token, or one that has no value here.
    package static func expand(_ pattern: String, _ values: Values, isFileName: Bool = false) throws -> String {
        var expanded = ""
        var rest = pattern[...]
        while let percent = rest.firstIndex(of: "%") {
            expanded += rest[..<percent]
            rest = rest[rest.index(after: percent)...]
            if rest.first == "%" {
                expanded += "%"
                rest = rest.dropFirst()
                continue
            }
            let digits = self.token(rest)
            guard let token = Int(digits), let value = values.value(token) else {
                throw self.unknownToken("%\(digits.isEmpty ? rest.prefix(1) : digits)", in: pattern)
            }
            expanded += isFileName || !self.isName(token) ? value : self.escaped(value)
            rest = rest.dropFirst(digits.count)
        }
        return expanded + rest
    }

    /// The same with the tokens of a CA certificate's address alone.
    package static func expand(
        _ pattern: String, caName: String, certificateIndex: Int, keyIndex: Int, isFileName: Bool = false
    ) throws -> String {
        try self.expand(
            pattern, Values(caName: caName, certificateIndex: certificateIndex, keyIndex: keyIndex),
            isFileName: isFileName)
    }

    /// The digits after a percent sign: two when they are 10, 11 or 12, otherwise one.
    private static func token(_ text: Substring) -> Substring {
        let two = text.prefix(2)
        if ["10", "11", "12"].contains(two) { return two }
        return text.prefix(1).allSatisfy { $0.isASCII && $0.isNumber } ? text.prefix(1) : ""
    }

    private static func isName(_ token: Int) -> Bool { [3, 6, 7].contains(token) }

    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { result, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(Character(Unicode.Scalar(byte)))
            default: result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
    }

    private static func unknownToken(_ token: String, in pattern: String) -> IssuanceError {
        .invalidConfiguration(
            "the publication address \"\(pattern)\"",
            "\(token) is none of the tokens %1 to %4, %6 to %12 and %%, or has no value in this instance")
    }
}
